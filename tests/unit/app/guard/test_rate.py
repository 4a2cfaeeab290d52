"""How many requests a second one client may send."""

from hypothesis import given
from hypothesis import strategies as st

from app.guard.rate import MOST_CLIENTS, RateLimit, client_of


class Clock:
    """A clock that the test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def allowed(limit: RateLimit, address: str, requests: int) -> int:
    return sum(limit.wait_for(address) == 0 for _ in range(requests))


def test_a_burst_of_one_second_is_allowed_and_then_as_many_as_the_rate_gives() -> None:
    clock = Clock()
    limit = RateLimit(10, clock)
    assert allowed(limit, "10.0.0.1", 30) == 10
    clock.now += 0.5
    assert allowed(limit, "10.0.0.1", 30) == 5
    clock.now += 100
    assert allowed(limit, "10.0.0.1", 30) == 10


def test_a_refused_client_is_told_when_to_ask_again() -> None:
    clock = Clock()
    limit = RateLimit(0.5, clock)
    assert limit.wait_for("10.0.0.1") == 0
    assert limit.wait_for("10.0.0.1") == 2
    clock.now += 2
    assert limit.wait_for("10.0.0.1") == 0


def test_clients_do_not_wait_for_each_other() -> None:
    limit = RateLimit(1, Clock())
    assert [allowed(limit, address, 5) for address in ("10.0.0.1", "10.0.0.2", "2001:db8::1")] == [1, 1, 1]


def test_addresses_of_one_ipv6_network_share_their_limit() -> None:
    limit = RateLimit(1, Clock())
    assert allowed(limit, "2001:db8::1", 1) == 1
    assert allowed(limit, "2001:db8::2", 1) == 0
    assert client_of("::ffff:10.0.0.1") == client_of("10.0.0.1")


def test_no_limit_when_it_is_zero() -> None:
    assert allowed(RateLimit(0, Clock()), "10.0.0.1", 100_000) == 100_000


def test_memory_is_bounded_and_who_asked_longest_ago_is_forgotten_first() -> None:
    limit = RateLimit(1, Clock())
    names = [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(MOST_CLIENTS)]
    for name in names:
        limit.wait_for(name)
    assert limit.wait_for(names[0]) > 0  # still known, and now the latest
    limit.wait_for("192.0.2.1")
    assert limit.wait_for(names[0]) > 0
    assert limit.wait_for(names[1]) == 0


@given(st.floats(0.1, 100), st.lists(st.floats(0, 2), max_size=60))
def test_no_more_than_the_rate_passes_in_the_long_run(rate: float, pauses: list[float]) -> None:
    clock = Clock()
    limit, passed = RateLimit(rate, clock), 0
    for pause in pauses:
        clock.now += pause
        passed += limit.wait_for("10.0.0.1") == 0
    assert passed <= max(1.0, rate) + rate * (clock.now - 100.0) + 1e-6
