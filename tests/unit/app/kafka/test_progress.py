from fakes import ManualClock

from app.kafka.progress import Progress

VIEWS_0 = ("views", 0)


def assigned(clock: ManualClock, position: int = 0) -> Progress:
    progress = Progress(clock)
    progress.assign([VIEWS_0])
    progress.move(VIEWS_0, position)
    return progress


def test_a_worker_without_lag_is_alive_for_ever() -> None:
    clock = ManualClock(1000.0)
    progress = assigned(clock, position=10)
    progress.see_end(VIEWS_0, 10)
    clock.now += 10_000
    assert progress.is_alive(60)
    assert progress.lag() == {VIEWS_0: 0}


def test_lag_without_a_finished_batch_is_not_alive_after_a_while() -> None:
    clock = ManualClock(1000.0)
    progress = assigned(clock)
    progress.see_end(VIEWS_0, 5)
    clock.now += 60
    assert progress.is_alive(60)
    clock.now += 1
    assert not progress.is_alive(60)
    assert progress.stalled(60) == [VIEWS_0]


def test_a_part_of_a_batch_keeps_its_topic_alive_and_no_other() -> None:
    clock = ManualClock(1000.0)
    progress = Progress(clock)
    waiting = [("items", 0), ("items", 1), VIEWS_0]
    progress.assign(waiting)
    for place in waiting:
        progress.move(place, 0)
        progress.see_end(place, 5)
    clock.now += 61
    progress.advance("items")
    assert progress.stalled(60) == [VIEWS_0]


def test_every_finished_batch_starts_the_wait_again() -> None:
    clock = ManualClock(1000.0)
    progress = assigned(clock)
    progress.see_end(VIEWS_0, 100)
    for position in range(10, 100, 10):
        clock.now += 50
        progress.move(VIEWS_0, position)
        assert progress.is_alive(60)
    assert progress.lag() == {VIEWS_0: 10}


def test_the_first_event_after_a_quiet_night_is_given_its_time() -> None:
    clock = ManualClock(1000.0)
    progress = assigned(clock, position=5)
    progress.see_end(VIEWS_0, 5)
    clock.now += 30_000
    progress.see_end(VIEWS_0, 6)
    assert progress.is_alive(60)


def test_seeing_the_end_again_is_no_progress() -> None:
    clock = ManualClock(1000.0)
    progress = assigned(clock)
    for _ in range(10):
        progress.see_end(VIEWS_0, 5)
        clock.now += 10
    assert not progress.is_alive(60)


def test_a_rebalance_that_never_ends_is_not_alive() -> None:
    clock = ManualClock(1000.0)
    progress = assigned(clock)
    progress.see_end(VIEWS_0, 5)
    clock.now += 50
    progress.start_rebalance()
    assert progress.partitions == frozenset()
    clock.now += 50
    progress.start_rebalance()
    assert progress.is_alive(60)
    clock.now += 11
    assert not progress.is_alive(60)


def test_a_worker_that_was_given_no_partition_is_alive() -> None:
    clock = ManualClock(1000.0)
    progress = Progress(clock)
    progress.start_rebalance()
    progress.assign([])
    clock.now += 10_000
    assert progress.is_alive(60)


def test_news_of_a_partition_that_went_away_is_ignored() -> None:
    progress = Progress(ManualClock(1000.0))
    progress.move(VIEWS_0, 3)
    progress.see_end(VIEWS_0, 9)
    assert progress.lag() == {}


def test_an_assigned_partition_whose_position_nobody_knows_is_not_without_lag() -> None:
    clock = ManualClock(1000.0)
    progress = Progress(clock)
    progress.assign([VIEWS_0])
    assert progress.unplaced == [VIEWS_0]
    assert progress.lag() == {}
    assert progress.behind
    for _ in range(6):
        clock.now += 10
        progress.see_end(VIEWS_0, 5)  # an answer of the broker is no progress
    assert progress.is_alive(60)
    clock.now += 1
    assert not progress.is_alive(60)
    assert progress.stalled(60) == [VIEWS_0]
    progress.move(VIEWS_0, 5)
    assert progress.is_alive(60)
    assert (progress.unplaced, progress.lag(), progress.behind) == ([], {VIEWS_0: 0}, False)


def test_a_position_that_got_lost_is_given_its_time_from_then_on() -> None:
    clock = ManualClock(1000.0)
    progress = assigned(clock, position=5)
    progress.see_end(VIEWS_0, 5)
    clock.now += 30_000
    progress.lose(VIEWS_0)
    clock.now += 60
    progress.lose(VIEWS_0)
    assert progress.is_alive(60)
    clock.now += 1
    assert not progress.is_alive(60)


def test_a_position_without_an_end_is_not_without_lag() -> None:
    progress = assigned(ManualClock(1000.0), position=5)
    assert progress.lag() == {}
    assert progress.behind
