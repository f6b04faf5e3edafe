"""APIs that look something up: stocks, history, documents, a search engine, a calculator."""

import re
from typing import Any

from coalm.bench.apibank.apis.base import (
    Api,
    Refused,
    World,
    checked,
    closed_up,
    day,
    folded,
    ignored,
    same_time,
    stripped,
)
from coalm.bench.apibank.apis.okapi import best
from coalm.bench.apibank.apis.reckoning import reckoned
from coalm.types import Json

_ADDRESS = re.compile(r"[a-z0-9]+[._]?[a-z0-9]+@\w+\.\w{2,3}\Z")


def calculator(world: World, formula: str) -> Json:
    """What a formula of whole numbers comes to."""
    return reckoned(formula)


def get_today(world: World) -> Json:
    """The day on which all dialogues were written."""
    return "2023-03-31"


def query_stock(world: World, stock_code: str, date: str) -> Json:
    """The price of a stock on a day."""
    prices, wanted = world.table("Stock").get(stock_code.strip().upper()), day(date)
    if prices is None or wanted not in prices:
        raise Refused("there is no price of that day")
    price: Json = prices[wanted]
    return price


def query_history_today(world: World, date: str) -> Json:
    """What happened on a day of the year, a line for each event."""
    events = world.table("History").get(_day_of_year(date))
    if events is None:
        raise Refused("nothing is known of that day")
    return [
        ", ".join(f"{name}: {event[name].strip()}" for name in ("Title", "Date", "Description"))
        for event in events
    ]


def _day_of_year(text: str) -> str:
    """`03-31` of `03-31` or of a whole date."""
    if text.strip().count("-") == 2:
        return day(text)[5:]
    return checked(f"2000-{text.strip()}", "%Y-%m-%d").strftime("%m-%d")


def search_engine(world: World, keyword: str) -> Json:
    """The two documents that fit a keyword best."""
    database = world.table("SearchEngine")
    query = re.findall(r"\w+|[^\w\s]", keyword.lower().strip())
    return [
        database["raw_documents"][n] for n in best(query, database["tokenized_documents"], most=2)
    ]


def wiki(world: World, keyword: str) -> Json:
    """Address and summary of an article."""
    found = world.table("Wiki").get(keyword.replace("_", " ").strip().lower())
    if found is None:
        raise Refused("there is no such article")
    return {"url": found["url"], "summary": found["summary"]}


def document_qa(world: World, url: str, question: str) -> Json:
    """An answer from a document; upstream never finds one, so there is none to be had."""
    if not question.strip():
        raise Refused("a question is needed")
    if url.strip() not in world.table("QuestionAnswering"):
        raise Refused("the document cannot be read")
    return "no answer was found"


def speech_recognition(world: World, url: str) -> Json:
    """What is said in a recording."""
    found: Json = world.table("SpeechRecognition").get(url.strip())
    if found is None:
        raise Refused("the recording cannot be read")
    return found


def image_caption(world: World, url: str) -> Json:
    """What is seen in a picture."""
    pictures: list[dict[str, Any]] = world.table("ImageCaptioning") or []
    found: Json = next((p["caption"] for p in pictures if p["url"] == url.strip()), None)
    if found is None:
        raise Refused("the picture cannot be read")
    return found


def send_email(world: World, receiver: str, subject: str, content: str) -> Json:
    """A message is sent, if the address is one and nothing is empty."""
    if not _ADDRESS.match(receiver.strip()):
        raise Refused("the address is none")
    if not subject.strip() or not content.strip():
        raise Refused("subject or content is empty")
    return "success"


def dictionary(world: World, keyword: str) -> Json:
    """Looked up in the network by upstream; here only what was asked for is compared."""
    return f"entry: {keyword.replace('_', ' ').strip().lower()}"


def translate(
    world: World, src: str, src_lang: str | None = None, tgt_lang: str | None = None
) -> Json:
    """Translated in the network by upstream; here only what was asked for is compared."""
    return f"{(tgt_lang or 'en').strip().lower()}: {src}"


_EXACT_ADDRESS = {"url": stripped}

APIS = (
    Api("Calculator", calculator, {"formula": closed_up}),
    Api("GetToday", get_today),
    Api("QueryStock", query_stock, {"stock_code": folded, "date": same_time(day)}),
    Api("QueryHistoryToday", query_history_today, {"date": same_time(_day_of_year)}),
    Api("SearchEngine", search_engine, {"keyword": ignored}),
    Api("Wiki", wiki, {"keyword": ignored}),
    Api("DocumentQA", document_qa, {**_EXACT_ADDRESS, "question": stripped}),
    Api("SpeechRecognition", speech_recognition),
    Api("ImageCaption", image_caption),
    Api(
        "SendEmail",
        send_email,
        {"receiver": folded, "subject": stripped, "content": stripped},
    ),
    Api("Dictionary", dictionary, {"keyword": ignored}, offline=False),
    Api("Translate", translate, {"src_lang": ignored, "tgt_lang": ignored}, offline=False),
)
"""Those that this file holds."""
