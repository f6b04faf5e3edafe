"""The progress bar: the rate and the time left are told also where batches take minutes."""

from coalm.cli.shared import Rate, bar


def test_rate_and_time_left_are_known_where_batches_are_minutes_apart() -> None:
    now = 0.0
    with bar("cases") as progress:
        progress.get_time = lambda: now
        task = progress.add_task("multiwoz:dst-json", total=1000, said="")
        progress.update(task, completed=200)  # kept from an earlier sitting: no speed of ours
        for done in (264, 328, 392):
            now += 128.0
            progress.update(task, completed=done)
        [shown] = progress.tasks
        assert shown.speed == 0.5
        assert shown.time_remaining == 1216
        assert Rate().render(shown).plain == "0.5/s"
