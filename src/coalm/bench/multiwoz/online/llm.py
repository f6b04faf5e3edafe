"""Users played by a language model, through any engine, for those who want freer talk.

The model is told the goal task by task and speaks from the user's second turn on; the
first words are the agenda's, so that the prompt of a case is the same whoever plays it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from coalm.bench.base import About
from coalm.bench.bfcl.multiturn.play import as_written
from coalm.bench.multiwoz.online.play import OnlineCase, Rules, Simulator, Talk, Words
from coalm.bench.multiwoz.online.wishes import Task
from coalm.bench.multiwoz.online.words import ASKED, detail, wish
from coalm.bench.speakers import check_engine, opened
from coalm.engines import Said, Sampling, Speaker, Unanswered
from coalm.errors import RecipeError
from coalm.store import content_hash
from coalm.types import Assistant, Dialogue, System, User

if TYPE_CHECKING:
    from coalm.bench.evaluate import EvalSettings

RULES = "rules"
"""The name of the users that need no model."""

DONE = "[DONE]"
"""What the model writes when its user is content."""

GREETING = "Hello, this is the Cambridge town guide. What can I do for you?"

PART = (
    "You play a visitor who talks with the town guide of Cambridge by text. Write only what the "
    "visitor says: one or two short sentences, no quotes, no remarks. What you want is listed "
    "below, one thing after the other. Bring it up bit by bit and answer the guide's questions; "
    "where the list says nothing, you do not mind. Do not make anything up and do not accept "
    "something else than what is listed. Insist on whatever you still have to be told. When you "
    f"have got everything, or the guide cannot help, say goodbye and write {DONE} at the end."
)
"""What the model is told of its part."""

SAMPLING = Sampling(max_tokens=80)
"""A user's turn is short, and greedy so that a run can be repeated."""


@dataclass(frozen=True)
class Written:
    """Users whose words a model writes."""

    speaker: Speaker
    name: str

    def answer(self, talks: Sequence[Talk]) -> list[Words | Unanswered]:
        """The next words of each user, asked for in one batch."""
        given = self.speaker.speak([prompted(talk) for talk in talks], SAMPLING)
        return [self._words(answer) for answer in given]

    def _words(self, answer: Said | Unanswered) -> Words | Unanswered:
        if isinstance(answer, Unanswered):
            return answer
        text = answer.completion.text.strip()
        said = text.replace(DONE, "").strip()
        # Who says nothing has hung up.
        return Words(said or "Goodbye.", DONE in text or not said)


def prompted(talk: Talk) -> Dialogue:
    """The conversation as its user sees it: the guide's words are asked, the user's answer."""
    turns: list[System | User | Assistant] = [System(f"{PART}\n\n{described(talk.case)}")]
    turns.append(User(GREETING))
    for said, heard in talk.exchange:
        turns += [Assistant(said), User(heard or "...")]
    return Dialogue(tuple(turns))


def described(case: OnlineCase) -> str:
    """The goal in words, a numbered line for each task."""
    return "\n".join(f"{n}. {_described(task)}" for n, task in enumerate(case.tasks, 1))


def _described(task: Task) -> str:
    wants = dict(task.wants) | {end: f"the {domain}" for end, domain in task.places.items()}
    first = task.first or wants
    said = [f"You want a {task.domain}. It should {_list(task.domain, first)}."]
    if task.first:
        said.append(f"If there is none, it should {_list(task.domain, wants)}.")
    if task.book:
        once = {**task.book, **task.full}
        said.append(f"Book it {_details(task.domain, once)}.")
    if task.full:
        said.append(f"If that is refused, book it {_details(task.domain, task.book)}.")
    if task.requests:
        said.append(f"You must be told the {', the '.join(ASKED[name] for name in task.requests)}.")
    return " ".join(said)


def _list(domain: str, wants: Mapping[str, str]) -> str:
    return ", ".join(wish(domain, slot, value) for slot, value in wants.items())


def _details(domain: str, details: Mapping[str, str]) -> str:
    return " ".join(detail(domain, slot, value) for slot, value in details.items())


def check_user(settings: "EvalSettings", names: Sequence[str]) -> None:
    """A `RecipeError` for users that cannot be had, or that no benchmark asks for."""
    if settings.user == RULES:
        return
    if "multiwoz:online" not in names:
        raise RecipeError("only multiwoz:online has users; leave --user out")
    check_engine(_own(settings))


@contextmanager
def users_of(settings: "EvalSettings", note: Callable[[str], None]) -> Iterator[Simulator]:
    """The users that settings name: `rules`, MODEL in this process, or MODEL@ADDRESS."""
    if settings.user == RULES:
        yield Rules()
        return
    own = _own(settings)
    with opened(own.user, own, note) as speakers:
        speaker, _ = speakers.speaker(About("multiwoz", "online", "", ()))
        named = f"{settings.user} {content_hash(speakers.identity)[:8]}"
        yield Written(as_written(speaker), named)


def _own(settings: "EvalSettings") -> "EvalSettings":
    """The settings of the users' model: an endpoint is asked for chat, else as they are."""
    model, at, address = settings.user.partition("@")
    if not model or (at and not address):
        raise RecipeError(f"user: {settings.user!r} is neither rules, MODEL nor MODEL@ADDRESS")
    plain = replace(settings, user=model, dialect="", layout="", rows=False, chat=True)
    if address:
        return replace(plain, engine="server", base_urls=(address,), engine_options={})
    engine = "auto" if settings.engine == "server" else settings.engine
    return replace(plain, engine=engine, base_urls=())
