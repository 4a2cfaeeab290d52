"""The end of a rebalance may take only so long."""

import pytest
from fakes import ManualClock

from app.kafka.settling import Settling, Step, named


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000.0)


@pytest.fixture
def settling(clock: ManualClock) -> Settling:
    return Settling({Step.LEAVING: 60, Step.JOINING: 90, Step.SETTLING: 30}, clock)


def test_without_a_rebalance_nothing_is_overdue(settling: Settling, clock: ManualClock) -> None:
    clock.now += 10_000
    assert not settling.is_overdue(settled=False)


def test_partitions_that_are_not_read_in_time_are_overdue(settling: Settling, clock: ManualClock) -> None:
    settling.enter(Step.SETTLING)
    clock.now += 30
    assert not settling.is_overdue(settled=False)
    clock.now += 1
    assert settling.is_overdue(settled=False)


def test_once_they_are_read_the_rebalance_has_ended(settling: Settling, clock: ManualClock) -> None:
    settling.enter(Step.SETTLING)
    assert not settling.is_overdue(settled=True)
    clock.now += 10_000
    assert not settling.is_overdue(settled=False)


def test_another_rebalance_has_time_of_its_own(settling: Settling, clock: ManualClock) -> None:
    settling.enter(Step.SETTLING)
    clock.now += 29
    settling.enter(Step.LEAVING)
    clock.now += 29
    assert not settling.is_overdue(settled=False)
    settling.enter(Step.SETTLING)
    clock.now += 29
    assert not settling.is_overdue(settled=False)


def test_the_error_names_the_partitions_that_are_not_read(settling: Settling) -> None:
    assert "cannot read views-0, views-3:" in str(settling.error([("views", 0), ("views", 3)]))
    assert "cannot read them:" in str(settling.error([]))


def test_of_many_partitions_a_few_are_named() -> None:
    partitions = [("views", number) for number in range(7)]
    assert named(partitions) == "views-0, views-1, views-2, views-3, views-4 and 2 more"
    assert named(partitions[:5]) == "views-0, views-1, views-2, views-3, views-4"


@pytest.mark.parametrize(("step", "seconds"), [(Step.LEAVING, 60), (Step.JOINING, 90)])
def test_each_step_has_a_limit_though_nothing_is_read_meanwhile(
    settling: Settling, clock: ManualClock, step: Step, seconds: float
) -> None:
    settling.enter(step)
    clock.now += seconds
    assert not settling.is_overdue(settled=True)
    clock.now += 1
    assert settling.is_overdue(settled=True)
    assert f"{seconds} s to {step}" in str(settling.error([]))


def test_while_kafka_is_away_no_time_passes(settling: Settling, clock: ManualClock) -> None:
    settling.enter(Step.JOINING)
    clock.now += 1_000
    assert not settling.is_overdue(settled=False, away=True)
    clock.now += 80
    assert not settling.is_overdue(settled=False)
    clock.now += 20
    assert settling.is_overdue(settled=False)
