"""Asks a teacher for what is missing, and writes out what its answers came to.

`survey` says what there is to do, `ask` does it, `settle` writes `cra.jsonl`,
`rejected.jsonl` and `teach.json` from the log alone: nothing else holds state, so a run
may be killed at any moment and taken up again.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from coalm import store
from coalm.cra.teacher.answer import specimen
from coalm.cra.teacher.log import Kept, Log
from coalm.cra.teacher.tasks import Standing, Task, Teaching, Unfit
from coalm.endpoints import Answer, Client, Prices, Refused, Usage, side_by_side

SAMPLES, REJECTED, RECORD = "cra.jsonl", "rejected.jsonl", "teach.json"


@dataclass(slots=True)
class Survey:
    """What there is to do before a run."""

    dialogues: int = 0
    unfit: int = 0
    """Those whose annotation is at fault, and that are never asked."""
    done: int = 0
    """Those whose answer is in the log, sound or rejected for good."""
    open: set[str] = field(default_factory=set)
    """SGD's ids of those that are still to be asked."""
    prompt_tokens: int = 0
    """Of the next request of each that is open."""
    completion_tokens: int = 0
    """What their answers may take: as those in the log if there are any, else a guess."""
    guessed: bool = True
    """Whether `completion_tokens` is the guess: twice the annotation's own short thoughts."""
    spent: Usage = field(default_factory=Usage)
    """Of the answers in the log."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run is doing; `usage` counts earlier runs' answers to these requests too."""

    done: int
    of: int
    sound: int
    rejected: int
    not_answered: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Taught:
    """What a teacher's answers came to."""

    dialogues: int
    unfit: int
    sound: int
    rejected: int
    not_answered: int
    """Those that the log holds no last answer for; run again to ask them."""
    reasons: dict[str, int]
    """Why samples were rejected, by count."""
    usage: Usage
    cost: float


def survey(
    teaching: Teaching,
    log: Log,
    count: Callable[[str], int] | None = None,
    watch: Callable[[int], None] = lambda read: None,
) -> Survey:
    """What there is to do; tokens only where `count` can say how many a text has.

    `watch` is told how many dialogues were read.
    """
    found, expected = Survey(), 0
    for task in teaching.tasks():
        found.dialogues += 1
        watch(found.dialogues)
        if isinstance(task, Unfit):
            found.unfit += 1
            continue
        standing = teaching.standing(task, log)
        found.spent += standing.usage
        if standing.attempt is None:
            found.done += 1
            continue
        found.open.add(task.dialogue.id)
        if count:
            found.prompt_tokens += sum(count(m["content"]) for m in task.messages)
            expected += 2 * count(specimen(task.skeleton))
    counted = found.spent.requests - found.spent.uncounted
    if counted:
        found.guessed = False
        expected = round(len(found.open) * found.spent.completion_tokens / counted)
    found.completion_tokens = expected
    return found


async def ask(
    teaching: Teaching,
    log: Log,
    client: Client,
    begun: Survey,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> Counter[str]:
    """Ask all that is open, keep every answer at once; why some were not answered, by count."""
    missing: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    tasks = (t for t in teaching.tasks(begun.open) if isinstance(t, Task))

    async def one(task: Task) -> Standing | str:
        return await _one(teaching, log, client, task)

    async with aclosing(side_by_side(tasks, one, client.settings.concurrency)) as results:
        async for result in results:
            if isinstance(result, str):
                missing[result] += 1
            else:
                ended["sound" if result.sample else "rejected"] += 1
            done = ended.total() + missing.total()
            watch(
                Progress(
                    done,
                    len(begun.open),
                    ended["sound"],
                    ended["rejected"],
                    missing.total(),
                    begun.spent + client.usage,
                )
            )
    return missing


async def _one(teaching: Teaching, log: Log, client: Client, task: Task) -> Standing | str:
    """Ask for a dialogue until its answer is sound or no attempt is left; or why it could not."""
    while True:
        standing = teaching.standing(task, log)
        if standing.attempt is None:
            return standing
        body = task.body(standing.attempt)
        outcome = await client.chat(body, optional=("response_format", "seed"))
        if not isinstance(outcome, Answer):
            refused = "refused: " if isinstance(outcome, Refused) else ""
            return f"{refused}{outcome.why}"
        without = tuple(name for name in client.dropped if name in body)
        key, room = task.key(standing.attempt), teaching.settings.max_tokens
        log.add(Kept.of(outcome, key, task.skeleton.id, room, without))


def settle(
    teaching: Teaching,
    log: Log,
    out: Path,
    *,
    prices: Prices,
    endpoints: Sequence[str] = (),
    failures: Counter[str] | None = None,
) -> Taught:
    """Write the samples, the rejected ones and the record of the run; each file whole."""
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    usage, keys = Usage(), list[str]()
    with store.atomic(out / SAMPLES) as samples, store.atomic(out / REJECTED) as rejected:
        for task in teaching.tasks():
            counts["dialogues"] += 1
            if isinstance(task, Unfit):
                counts["unfit"] += 1
                row = {"id": task.id, "by": "sgd", "reasons": list(map(str, task.reasons))}
                rejected.write(store.compact(row) + "\n")
                continue
            keys.append(task.key(0))
            standing = teaching.standing(task, log)
            usage += standing.usage
            if standing.sample:
                counts["sound"] += 1
                samples.write(store.compact(store.dump_sample(standing.sample)) + "\n")
            elif standing.attempt is not None:
                counts["open"] += 1
            else:
                counts["rejected"] += 1
                reasons.update(dict.fromkeys((m.why for m in standing.reasons), 1))
                rejected.write(store.compact(_rejection(task, standing)) + "\n")
    taught = Taught(
        counts["dialogues"],
        counts["unfit"],
        counts["sound"],
        counts["rejected"],
        counts["open"],
        dict(reasons.most_common()),
        usage,
        prices.cost(usage),
    )
    record = _record(teaching, taught, prices, keys)
    earlier = _earlier(out / RECORD)
    record["endpoints"] = sorted({*earlier, *endpoints})
    record["why_not_answered"] = dict((failures or Counter()).most_common())
    store.write_json(out / RECORD, record)
    return taught


def _rejection(task: Task, standing: Standing) -> dict[str, Any]:
    return {
        "id": task.skeleton.id,
        "by": "teacher",
        "reasons": list(map(str, standing.reasons)),
        "attempts": len(standing.answers),
        "answer": standing.answers[-1].text if standing.answers else "",
    }


def _record(
    teaching: Teaching, taught: Taught, prices: Prices, keys: Sequence[str]
) -> dict[str, Any]:
    settings = teaching.settings
    return {
        "made_by": "coalm data teach",
        "model": settings.model,
        "source": {
            "name": teaching.found.source.name,
            "origin": teaching.found.origin,
            "licence": teaching.found.source.licence,
            "file": teaching.path.name,
        },
        "settings": asdict(settings),
        "instruction_hash": settings.instruction_hash(),
        "requests_hash": store.content_hash(list(keys)),
        "counts": {
            "dialogues": taught.dialogues,
            "unfit": taught.unfit,
            "sound": taught.sound,
            "rejected": taught.rejected,
            "not_answered": taught.not_answered,
        },
        "reasons": taught.reasons,
        "usage": asdict(taught.usage),
        "prices_per_million": asdict(prices),
        "cost": round(taught.cost, 6),
    }


def _earlier(path: Path) -> list[str]:
    """The endpoints that earlier runs into this folder asked."""
    found = store.read_json(path).get("endpoints", []) if path.exists() else []
    return [str(url) for url in found]
