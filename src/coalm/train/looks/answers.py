"""A model answers questions while it trains: greedy, in batches, by its own weights of the moment.

Looking changes nothing: no random number is drawn that a step would draw, and the model is left
as it was found.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coalm.errors import RecipeError
from coalm.formats.tokens import ModelTokenizer
from coalm.train.looks.asked import Asked, Question, choose
from coalm.train.looks.scored import METRICS, scores
from coalm.train.rows.encoding import Encoding
from coalm.train.settings import TrainSettings
from coalm.types import Sample

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Answers:
    """Questions that are asked at each look at the validation rows."""

    asked: Asked
    tokenizer: ModelTokenizer
    tokens: int
    """New tokens of one answer, at most."""
    room: int
    """Tokens of one batch, prompts and answers, for which a step of training leaves memory."""

    def look(self, trainer: Any) -> dict[str, float]:
        """The metrics of `scored.scores`, the same in every process of a run."""
        return scores(self.asked.questions, self.texts(trainer))

    def texts(self, trainer: Any) -> list[str]:
        """What the trainer's model answers, in the order of the questions.

        Every process takes its share of the batches, and all as many: where weights are shared
        out over the processes, each must take part in every step of every other's.
        """
        from accelerate.utils import gather_object  # type: ignore[import-untyped, unused-ignore]

        machine = trainer.accelerator
        rank, processes = machine.process_index, machine.num_processes
        shares = batches(self.asked.questions, self.room, self.tokens, processes)
        mine = shares[rank::processes]
        idle = -(-len(shares) // processes) - len(mine)
        found: list[tuple[int, str]] = []
        with as_it_answers(trainer.model) as model, machine.autocast():
            for share in [*mine, *shares[:1] * idle]:
                asked = [self.asked.questions[number] for number in share]
                found += zip(
                    share, generated(model, self.tokenizer, asked, self.tokens), strict=True
                )
        told = dict(gather_object(found))
        return [told[number] for number in range(len(self.asked.questions))]


def answers_for(
    settings: TrainSettings,
    how: Encoding,
    tokenizer: ModelTokenizer,
    samples: Iterable[Sample],
    note: Callable[[str], None],
) -> Answers | None:
    """The questions of a run; None where it asks none.

    A `RecipeError` where the best is to be found by what nothing asks for.
    """
    if not settings.asks:
        return None
    asked = choose(samples, how, settings.answer_rows, settings.answer_tokens)
    note(f"at each look: {asked.describe()}")
    if settings.best_by != "loss" and METRICS[settings.best_by] not in asked.counts:
        there = ["loss", *(name for name, kind in METRICS.items() if kind in asked.counts)]
        raise RecipeError(
            f"train: best_by={settings.best_by}: no validation row asks for that, or all are too "
            f"long; these can be measured: {', '.join(there)}"
        )
    if not asked.questions:
        return None
    # A step keeps the activations of all layers for its gradients, unless it recomputes them.
    lighter = 1 if settings.checkpointing else 8
    room = lighter * settings.batch * settings.max_length
    return Answers(asked, tokenizer, settings.answer_tokens, room)


def batches(
    questions: Sequence[Question], room: int, answer: int, processes: int = 1
) -> list[list[int]]:
    """The questions' numbers in batches, the longest first.

    A batch fits into `room` tokens, holds no more padding than text and leaves some questions
    for each process.
    """
    most = max(1, -(-len(questions) // processes))
    order = sorted(range(len(questions)), key=lambda n: -len(questions[n].prompt))
    found: list[list[int]] = []
    for number in order:
        longest = len(questions[found[-1][0]].prompt) if found else 0
        if (
            found
            and len(found[-1]) < most
            and 2 * len(questions[number].prompt) >= longest
            and (len(found[-1]) + 1) * (longest + answer) <= room
        ):
            found[-1].append(number)
        else:
            found.append([number])
    return found


def generated(
    model: Any, tokenizer: ModelTokenizer, questions: Sequence[Question], tokens: int
) -> list[str]:
    """A greedy answer to each question, up to its turn's end, a stop string or so many tokens."""
    import torch
    from transformers import GenerationConfig

    end = tokenizer.control(questions[0].fmt.layout.stop)
    stops = [question.fmt.stops for question in questions]
    width = max(len(question.prompt) for question in questions)
    ids = torch.full((len(questions), width), end)
    mask = torch.zeros_like(ids)
    for row, question in enumerate(questions):
        ids[row, width - len(question.prompt) :] = torch.tensor(question.prompt)
        mask[row, width - len(question.prompt) :] = 1
    out = model.generate(
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        generation_config=GenerationConfig(  # type: ignore[no-untyped-call, unused-ignore]
            max_new_tokens=tokens,
            do_sample=False,
            use_cache=True,
            eos_token_id=end,
            pad_token_id=end,
        ),
        stopping_criteria=[_stopped(tokenizer, stops, width)] if any(stops) else None,
    )
    return [
        _text(new, end, tokenizer, mine)
        for new, mine in zip(out[:, width:].tolist(), stops, strict=True)
    ]


def _text(new: list[int], end: int, tokenizer: ModelTokenizer, stops: Sequence[str]) -> str:
    text = tokenizer.decode(new[: new.index(end)] if end in new else new)
    return text[: min((at for stop in stops if (at := text.find(stop)) >= 0), default=None)]


def _stopped(
    tokenizer: ModelTokenizer, stops: Sequence[Sequence[str]], start: int
) -> "Callable[..., torch.Tensor]":
    """Which rows have written one of their own stop strings behind place `start`."""
    longest = max(len(stop.encode()) for row in stops for stop in row)
    reach = longest + 1  # a token a byte at least, and one whose blank may be lost

    def criterion(ids: "torch.Tensor", scores: object, **_: object) -> "torch.Tensor":
        import torch

        tails = map(tokenizer.decode, ids[:, max(start, ids.shape[1] - reach) :].tolist())
        hits = [any(stop in tail for stop in row) for tail, row in zip(tails, stops, strict=True)]
        return torch.tensor(hits, device=ids.device)

    return criterion


@contextmanager
def as_it_answers(model: Any) -> Iterator[Any]:
    """The model without dropout, gradients or its own habits of sampling; then as it was."""
    import torch

    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    habits = [(m, m.generation_config) for m in (model, inner) if "generation_config" in vars(m)]
    training = model.training
    model.eval()
    for holder, habit in habits:  # where a setting is not given, transformers takes the model's
        holder.generation_config = type(habit)()
    try:
        with torch.no_grad():
            yield model
    finally:
        for holder, habit in habits:
            holder.generation_config = habit
        model.train(training)
