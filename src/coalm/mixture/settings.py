"""The settings of a mixture: the `data` section of a recipe."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from coalm.recipe import STRICT

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Part:
    """One corpus of a mixture, and how much of it."""

    corpus: str
    """The corpus: snips, hammer, sealtools, toolrl, glaive, toolace, sgd-dst, sgd-react, sgd-cra,
    sgd-calls, sgd-clarify, sgd-requests, sgd-irrelevant or own."""
    rows: Count | None = None
    """At most so many rows, chosen by a seeded hash; all of them if not given."""
    form: Literal["conversation", "published"] = "conversation"
    """snips, hammer, toolace, sgd-cra: `published` gives the paper's rows of instruction, input and
    output, one for each learned answer, instead of conversations."""
    fence: bool = True
    """hammer, published: answers stand in a fence of three backticks, as in Hammer's own files."""
    dialect: str = ""
    """How calls are written: pythonic, json, react, hermes, hammer, fnctod, codeact or openai; with
    commas between several, each row takes one. Empty means as the run chooses (sgd-cra: react)."""
    dialects_each: Count = 1
    """Each row comes in so many of the part's dialects."""
    thoughts: Share = 0.0
    """The share of rows that think before they call, and are asked to; in react all do."""
    longest: Count | None = None
    """Rows of more tokens are left out; if not given, the mixture's own limit holds."""
    turns: Count | None = None
    """Keep so many user turns of a dialogue, from its beginning; all if not given."""
    lesson: Literal["calls", "irrelevant", "clarify", "joined", "syntax"] = "calls"
    """hammer, sealtools, toolrl, sgd-requests: what a request teaches: its calls; that no tool
    fits; to ask for what is missing; two requests at once; a syntax that the prompt describes."""
    copies: Count = 1
    """hammer, sealtools: copies of a row, each shuffled and masked anew (the paper: 3).
    sgd-dst, sgd-react: rows made of a dialogue, each about another turn."""
    masked: Share = 2 / 3
    """hammer, sealtools, toolrl: the probability that a copy gets random names."""
    irrelevant: Share = 0.15
    """sealtools: the share of requests that are asked again with unrelated tools only."""
    answered: Share = 0.5
    """clarify, sgd-clarify: the share of rows that go on to the answer and the call."""
    slots: Annotated[int, Field(ge=0)] = 0
    """sgd-dst: list at least so many slots; those of services that are not used stay open."""
    together: Count = 1
    """sgd-dst: user turns in a row that one sample answers, each with the whole state."""
    plain: bool = False
    """sgd-dst: times as 18:30 and numbers in digits, as MultiWOZ has them; else as said."""
    name_open: Share = 0.0
    """sgd-dst: the share of rows that write `none` for open slots."""
    tools: Count = 8
    """sgd-react: list at least so many tools."""
    calls: Count = 2
    """sgd-calls: conversations of at least so many calls."""
    distractors: Annotated[int, Field(ge=0)] | None = None
    """sgd-calls, -clarify, -requests, -irrelevant: at most so many tools of other services."""
    renamed: Share = 0.0
    """sgd-*: the share of rows with services and slots under other names, for unseen schemas."""
    older: bool = False
    """sgd-dst, sgd-react: add the dialogues that are in SGD's annotation of 2019 only."""
    domains: tuple[str, ...] = ()
    """sgd-*: keep the dialogues about these domains only, such as hotel; all if empty. The
    bundled miniature keeps all of its own where it lacks one that is named."""
    services: tuple[str, ...] = ()
    """sgd-*: keep the dialogues of these services only, such as Hotels_1; all if empty."""
    without_domains: tuple[str, ...] = ()
    """sgd-*: leave out dialogues about any of these domains."""
    without_services: tuple[str, ...] = ()
    """sgd-*: leave out dialogues of any of these services, to test on unseen ones."""
    path: str = ""
    """own: a JSONL, JSON or parquet file of conversations."""
    style: str = ""
    """own: how they are written: coalm, openai or sharegpt; empty means as each row looks."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DataSettings:
    """What a data folder is made of."""

    parts: tuple[Part, ...] = ()
    """The corpora, each with its options."""
    valid_share: Share = 0.05
    """The share of source dialogues that go into validation, whole dialogues at a time."""
    seed: int = 42
    """Chooses rows, masks, turns, the split and the order."""
    tokenizer: str = "smollm2-135m"
    """The model whose tokenizer counts tokens; `bytes` counts bytes and needs no model."""
    layout: str = "chatml"
    """The layout in which rows are measured."""
    dialect: str = "json"
    """The dialect in which rows that name none are measured and tried."""
    longest: Count = 2048
    """Rows of more tokens are left out."""
    decontaminate_ngram: Annotated[int, Field(ge=0)] = 13
    """Rows that share so many words in a row with a benchmark are left out; 0 for no check."""
    partial: bool = False
    """Corpora of which a part is missing are used as well, and the manifest says what is missing;
    otherwise they are completed by download, or nothing is built."""
    allow: tuple[str, ...] = ()
    """Sources that are off unless they are named here: gated, non-commercial."""
    near_duplicates: Share = 0.0
    """Rows whose words are alike to this degree (estimated Jaccard index of word 5-grams) are kept
    once, whatever source they come from; 0 for no check."""
    keep_duplicates: bool = False
    """Rows that say the same as another are kept, as in the paper's mixture."""
    table1: bool = False
    """Put Table 1 of the paper beside what was built."""
    max_errors: Annotated[int, Field(ge=0)] = 0
    """Broken records are left out and listed up to so many; one more, and nothing is built."""
    shard_rows: Count = 50_000
    """Rows in one parquet file."""
    out: str = ""
    """The data folder; the command line may name another."""
