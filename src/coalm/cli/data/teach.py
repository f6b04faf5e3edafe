"""`coalm data teach`: a model behind an endpoint writes the thoughts of SGD's dialogues."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.shared import bar, console, note
from coalm.errors import EndpointError, RecipeError

if TYPE_CHECKING:
    from coalm.cra.teacher import Log, Progress, Survey, Taught, Teaching
    from coalm.endpoints import Prices, Settings

_SDK = "OpenAI-compatible endpoint, such as http://localhost:8000/v1; repeat for several."
Urls = Annotated[list[str] | None, typer.Option("--base-url", help=_SDK)]
Model = Annotated[str, typer.Option(help="The teacher's name at the endpoint.")]
Out = Annotated[Path, typer.Option(help="The folder that answers and samples go to.")]
_SOURCES = {"train": "sgd", "dev": "sgd-dev", "test": "sgd-test"}

Split = Annotated[str, typer.Option(help="Which split of SGD: train, dev or test.")]
Limit = Annotated[int | None, typer.Option(help="The first so many dialogues; else all.", min=1)]
Heat = Annotated[float, typer.Option(help="Temperature of the draw.", min=0, max=2)]
Seed = Annotated[int, typer.Option(help="Seed of the first attempt; further ones count up.")]
Room = Annotated[int, typer.Option(help="The longest answer, in tokens.", min=1)]
Attempts = Annotated[
    int, typer.Option(help="How often a dialogue is asked until its answer is sound.", min=1)
]
Schema = Annotated[
    bool, typer.Option(help="Have the endpoint hold answers to a JSON schema where it can.")
]
Concurrency = Annotated[int, typer.Option(help="Requests under way at once, in all.", min=1)]
Timeout = Annotated[float, typer.Option(help="Seconds for one try of a request.", min=0.01)]
Retries = Annotated[
    int, typer.Option(help="Further tries after 429, 5xx, time-out or lost connection.", min=0)
]
Stream = Annotated[bool, typer.Option("--stream", help="Ask for answers as streams.")]
KeyEnv = Annotated[str, typer.Option(help="The environment variable that holds the key.")]
PriceIn = Annotated[float, typer.Option(help="Price of a million prompt tokens.", min=0)]
PriceOut = Annotated[float, typer.Option(help="Price of a million answer tokens.", min=0)]
Dry = Annotated[bool, typer.Option("--dry-run", help="Show prompts, tokens and cost; ask nothing.")]
Show = Annotated[int, typer.Option(help="Prompts that --dry-run shows.", min=0)]
BatchOut = Annotated[
    Path | None, typer.Option(help="Write the open requests as a batch file; ask nothing.")
]
BatchIn = Annotated[Path | None, typer.Option(help="Read the answers of a batch file.")]


def teach(
    model: Model,
    out: Out,
    base_url: Urls = None,
    split: Split = "train",
    limit: Limit = None,
    temperature: Heat = 0.7,
    seed: Seed = 0,
    max_tokens: Room = 4096,
    attempts: Attempts = 2,
    schema: Schema = True,
    concurrency: Concurrency = 16,
    timeout: Timeout = 120.0,
    max_retries: Retries = 6,
    stream: Stream = False,
    key_env: KeyEnv = "OPENAI_API_KEY",
    price_in: PriceIn = 0.0,
    price_out: PriceOut = 0.0,
    dry_run: Dry = False,
    show: Show = 1,
    batch_out: BatchOut = None,
    batch_in: BatchIn = None,
) -> None:
    """Have a teacher model write the thoughts of SGD's dialogues; run again to go on.

    Sound samples go to OUT/cra.jsonl, the others with their reasons to OUT/rejected.jsonl.
    """
    from coalm import sources
    from coalm.cra.teacher import ANSWERS, Teaching, TeachSettings, opened
    from coalm.endpoints import Prices, Settings, address

    for url in base_url or ():
        address(url)
    if base_url and batch_out:
        raise RecipeError("--base-url asks and --batch-out writes a file to ask with; choose one")
    settings = TeachSettings(model, split, limit, temperature, seed, max_tokens, attempts, schema)
    how = Settings(concurrency, timeout, max_retries, stream=stream, key_variable=key_env)
    prices = Prices(price_in, price_out)
    teaching = Teaching(sources.find(_SOURCES.get(settings.split, "sgd")), settings)
    note(teaching.found.describe())
    if settings.tries < attempts:
        note("at temperature 0 a dialogue is asked once: the second answer would be the first")
    if dry_run:
        _dry(teaching, out, prices, show)
        return
    if not (base_url or batch_out or batch_in or (out / ANSWERS).exists()):
        raise RecipeError(
            "name an endpoint with --base-url, or a file with --batch-out; "
            "--dry-run shows what would be asked"
        )
    with opened(out) as log:
        if batch_in:
            _take(teaching, log, batch_in)
        if batch_out:
            _write(teaching, log, batch_out)
        _teach(teaching, log, out, base_url or [], how, prices)


def _teach(
    teaching: "Teaching",
    log: "Log",
    out: Path,
    urls: list[str],
    how: "Settings",
    prices: "Prices",
) -> None:
    """Ask what is open, if there is an endpoint, and write out what the answers came to."""
    import asyncio

    from coalm.cra.teacher import settle

    why: Counter[str] = Counter()
    gone: EndpointError | None = None
    if urls:
        asyncio.run(_greet(urls, how))
        begun = _surveyed(teaching, log)
        _begin(begun)
        try:
            why = asyncio.run(_ask(teaching, log, urls, how, begun, prices))
        except EndpointError as e:
            gone = e  # what was answered until then is still written out
    taught = settle(teaching, log, out, prices=prices, endpoints=urls, failures=why)
    _print(taught, out, why)
    if gone:
        raise gone


async def _greet(urls: list[str], how: "Settings") -> None:
    from coalm.endpoints import Client

    async with Client(urls, how) as client:
        await client.greet()


async def _ask(
    teaching: "Teaching",
    log: "Log",
    urls: list[str],
    how: "Settings",
    begun: "Survey",
    prices: "Prices",
) -> Counter[str]:
    from coalm.cra.teacher import ask
    from coalm.endpoints import Client

    with bar("dialogues") as progress:
        row, start = progress.add_task("teaching", total=len(begun.open), said=""), time.monotonic()

        def watch(now: "Progress") -> None:
            rate = now.done / max(time.monotonic() - start, 1e-9)
            said = f"{rate:.1f}/s, {_spent(now, prices)}, {now.rejected} rejected"
            if now.not_answered:
                said += f", {now.not_answered} not answered"
            progress.update(row, completed=now.done, said=said)

        async with Client(urls, how) as client:
            why = await ask(teaching, log, client, begun, watch)
    for name in client.dropped:
        note(f"the endpoint does not take {name!r}; it was left out of the requests")
    for url, tries in client.asked.items():
        note(f"{url}: {tries:,} tries")
    return why


def _spent(now: "Progress", prices: "Prices") -> str:
    if prices.prompt or prices.completion:
        return f"cost {prices.cost(now.usage):.4f}"
    return f"{(now.usage.prompt_tokens + now.usage.completion_tokens) / 1000:,.0f}k tokens"


def _surveyed(
    teaching: "Teaching", log: "Log", count: Callable[[str], int] | None = None
) -> "Survey":
    from coalm.cra.teacher import survey

    with bar("dialogues") as progress:
        row = progress.add_task("reading SGD", total=teaching.settings.limit, said="")
        return survey(teaching, log, count, lambda n: progress.update(row, completed=n))


def _begin(begun: "Survey") -> None:
    if begun.unfit:
        note(f"{begun.unfit:,} dialogues fail the check by their annotation and are not asked")
    if begun.done:
        note(f"{begun.done:,} dialogues were answered before and are not asked again")


def _dry(teaching: "Teaching", out: Path, prices: "Prices", show: int) -> None:
    """Print prompts, and what all requests take."""
    from rich.table import Table

    from coalm.cra.teacher import ANSWERS, Log, Task

    log = Log(out / ANSWERS)
    tasks = (t for t in teaching.tasks() if isinstance(t, Task))
    for task, _ in zip(tasks, range(show), strict=False):
        for message in task.messages:
            console.rule(f"{task.skeleton.id}: {message['role']}", style="dim")
            console.print(message["content"], markup=False, soft_wrap=True)
    count, how = _counter()
    begun = _surveyed(teaching, log, count)
    _begin(begun)
    table = Table(title=f"requests to {teaching.settings.model}", title_justify="left")
    for column in ("", "requests", "tokens", "cost"):
        table.add_column(column, justify="right" if column else "left")
    asked, said = begun.prompt_tokens, begun.completion_tokens
    costs = [asked * prices.prompt / 1e6, said * prices.completion / 1e6]
    table.add_row("prompts", f"{len(begun.open):,}", f"{asked:,}", f"{costs[0]:.2f}")
    table.add_row("answers", "", f"{said:,}", f"{costs[1]:.2f}")
    table.add_row("both", "", f"{asked + said:,}", f"{sum(costs):.2f}", style="bold")
    console.print(table)
    note(f"prompt tokens {how}; answers as {_guess(begun)}; second attempts not included")
    if not (prices.prompt or prices.completion):
        note("for a cost, give --price-in and --price-out, each for a million tokens")


def _guess(begun: "Survey") -> str:
    if begun.guessed:
        return "a guess: twice the length of the annotation's own thoughts"
    counted = begun.spent.requests - begun.spent.uncounted
    return f"the {counted:,} answers so far took on average"


def _counter() -> tuple[Callable[[str], int], str]:
    """What counts tokens, and how to speak of it."""
    from coalm import models, sources

    name = next(iter(models.EMBEDDED))
    path = sources.cache() / "models" / name / "tokenizer.json"
    if not path.exists():
        return lambda text: (len(text) + 3) // 4, "estimated at 4 characters each"
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    return (
        lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids),
        f"counted with the tokenizer of {name}, from which the teacher's own will differ a little",
    )


def _take(teaching: "Teaching", log: "Log", path: Path) -> None:
    from coalm.cra.teacher.batch import take

    taken = take(teaching, log, path)
    note(f"{path}: {taken.new:,} new answers, {taken.known:,} that were known")
    if taken.strangers:
        note(f"{taken.strangers:,} answers belong to requests that these settings do not make")
    for why, count in taken.failed.most_common(5):
        note(f"{count:,} not answered: {why}")


def _write(teaching: "Teaching", log: "Log", path: Path) -> None:
    from coalm.cra.teacher.batch import MOST_BYTES, MOST_ROWS, write

    count = write(teaching, log, path)
    note(f"{count:,} requests in {path}; read the answers with --batch-in FILE")
    if count > MOST_ROWS or path.stat().st_size > MOST_BYTES:
        note("some vendors take at most 50,000 requests or 200 MB in a file: use --limit, or split")


def _print(taught: "Taught", out: Path, why: Counter[str]) -> None:
    from rich.table import Table

    table = Table(title=str(out), title_justify="left")
    table.add_column("dialogues")
    table.add_column("", justify="right")
    rows = (
        ("sound", taught.sound),
        ("rejected", taught.rejected),
        ("unfit in SGD", taught.unfit),
        ("not answered", taught.not_answered),
    )
    for name, number in rows:
        table.add_row(name, f"{number:,}")
    for reason, number in taught.reasons.items():
        table.add_row(f"  rejected: {reason}", f"{number:,}", style="dim")
    console.print(table)
    usage = taught.usage
    note(
        f"{usage.prompt_tokens:,} prompt and {usage.completion_tokens:,} answer tokens in "
        f"{usage.requests:,} answers, cost {taught.cost:.4f}"
    )
    if usage.uncounted:
        note(f"{usage.uncounted:,} answers came without a count of tokens: the cost is a lower one")
    for reason, count in why.most_common(3):
        note(f"{count:,} not answered: {reason}")
    if taught.not_answered:
        note(f"{taught.not_answered:,} dialogues are not answered; run again to ask them")
