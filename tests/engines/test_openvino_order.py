"""The order in which prompts are begun: what they share is computed once."""

from hypothesis import given
from hypothesis import strategies as st

from coalm.engines.openvino_order import BLOCK, Waiting

Prompt = tuple[int, ...]


def waves(prompts: list[Prompt], most: int = 1 << 30) -> list[list[int]]:
    """The prompts as they are begun, where each is computed before the next are asked for."""
    waiting, found = Waiting(prompts), []
    while waiting.left:
        now = waiting.ready(most)
        assert now, "nothing is begun and nothing is under way"
        found.append(now)
        for prompt in now:
            waiting.computed(prompt)
    return found


def common(one: Prompt, other: Prompt) -> int:
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def test_the_longest_of_those_that_begin_alike_goes_first_and_alone() -> None:
    alike = tuple(range(BLOCK))
    prompts = [(*alike, 1, 1), (*alike, 2, 2, 2), (*alike, 3)]
    assert waves(prompts) == [[1], [0, 2]]


def test_prompts_that_share_less_than_a_block_do_not_wait() -> None:
    alike = tuple(range(BLOCK - 1))
    assert waves([(*alike, 1), (*alike, 2), (*alike, 3)]) == [[0, 1, 2]]


def test_the_turns_of_two_dialogues_take_three_waves() -> None:
    """The instruction first, then each dialogue's last turn, then all the turns before."""
    rules = tuple(range(2 * BLOCK))
    prompts: list[Prompt] = []
    for dialogue in (1000, 2000):
        said = tuple(range(dialogue, dialogue + 4 * BLOCK))
        prompts += [(*rules, *said[: turn * BLOCK], 9) for turn in range(1, 5)]
    first, second, third = waves(prompts)
    assert first == [3]
    assert second == [7, 0, 1, 2] or set(second) == {7, 0, 1, 2}
    assert sorted(third) == [4, 5, 6]


def test_nothing_more_is_begun_than_there_is_room_for() -> None:
    assert [len(wave) for wave in waves([(i,) for i in range(5)], most=2)] == [2, 2, 1]


def test_no_room_means_none() -> None:
    waiting = Waiting([(1,), (2,)])
    assert waiting.ready(0) == []
    assert sorted(waiting.ready()) == [0, 1]


def test_equal_prompts_are_both_begun() -> None:
    same = tuple(range(3 * BLOCK))
    assert waves([same, same]) == [[0], [1]]


@given(
    st.lists(
        st.lists(st.integers(0, 1), min_size=1, max_size=4).map(
            lambda parts: tuple(i for part in parts for i in [part] * BLOCK)
        ),
        min_size=1,
        max_size=12,
    )
)
def test_each_is_begun_once_and_never_beside_one_that_it_could_have_waited_for(
    prompts: list[Prompt],
) -> None:
    found = waves(prompts)
    assert sorted(i for wave in found for i in wave) == list(range(len(prompts)))
    done: list[int] = []
    for wave in found:
        for at, i in enumerate(wave):
            known = max((common(prompts[i], prompts[j]) for j in done), default=0)
            beside = max((common(prompts[i], prompts[j]) for j in wave[:at]), default=0)
            assert beside - known < BLOCK
        done += wave
