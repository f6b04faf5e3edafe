"""What is cut from a history that is too long."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from coalm.agent.history import Fitting, fitted
from coalm.engines import Said, Sampling, Unanswered
from coalm.types import Assistant, Dialogue, Observation, System, Turn, User


def size(dialogue: Dialogue) -> int:
    return sum(len(turn.text) for turn in dialogue.turns)


rounds = st.lists(
    st.tuples(
        st.text("u", min_size=1, max_size=9),
        st.lists(
            st.builds(Assistant, st.text("a", max_size=9))
            | st.builds(Observation, st.text("o", max_size=30)),
            max_size=3,
        ),
    ),
    min_size=1,
    max_size=6,
)


@given(st.booleans(), rounds, st.integers(0, 120))
def test_the_fewest_of_the_oldest_rounds_go(
    system: bool, said: list[tuple[str, list[Turn]]], most: int
) -> None:
    head = (System("s" * 5),) if system else ()
    blocks = [(User(words), *after) for words, after in said]
    whole = Dialogue((*head, *(turn for block in blocks for turn in block)))
    short, gone = fitted(whole, size, most)

    def left(n: int) -> Dialogue:
        return Dialogue((*head, *(turn for block in blocks[n:] for turn in block)))

    assert short == left(gone)
    assert size(short) <= most or gone == len(blocks) - 1
    assert gone == 0 or size(left(gone - 1)) > most


def test_the_speaker_is_shown_what_fits_beside_its_answer() -> None:
    shown: list[Dialogue] = []

    class Listening:
        def speak(
            self, dialogues: Sequence[Dialogue], sampling: Sampling
        ) -> list[Said | Unanswered]:
            shown.extend(dialogues)
            return [Unanswered("busy") for _ in dialogues]

    told: list[int] = []
    talk = Dialogue((System("s"), User("one"), Assistant("two"), User("three")))
    Fitting(Listening(), size, 12, told.append).speak([talk], Sampling(max_tokens=5))
    assert shown == [Dialogue((System("s"), User("three")))]
    assert told == [1]
    Fitting(Listening(), size, 20, told.append).speak([talk], Sampling(max_tokens=5))
    assert shown[1] == talk
    assert told == [1]
