"""Where a user's events belong: as Kafka's own clients and librdkafka decide it."""

import zlib

import pytest
from aiokafka.partitioner import DefaultPartitioner  # type: ignore[import-untyped]  # ships no types
from hypothesis import given
from hypothesis import strategies as st

from models.contract.partitioner import CRC32, MURMUR2, TRUST
from models.contract.placement import Placement, places

USERS = st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=30)


@given(USERS, st.integers(1, 50))
def test_murmur2_puts_users_where_kafkas_clients_put_them(users: list[str], partitions: int) -> None:
    found = places(Placement(MURMUR2, partitions), 0, [None] * len(users), users)
    choose = DefaultPartitioner()
    assert found.homes.tolist() == [choose(user.encode(), list(range(partitions)), []) for user in users]


@pytest.mark.parametrize(("user", "home"), [("21", -973932308), ("foobar", -790332482), ("abc", 479470107)])
def test_murmur2_is_that_of_kafkas_own_tests(user: str, home: int) -> None:
    # The values stand in org.apache.kafka.common.utils.UtilsTest.testMurmur2.
    assert places(Placement(MURMUR2, 2**31 - 1), 0, [None], [user]).homes.tolist() == [home & 0x7FFFFFFF]


@given(USERS, st.integers(1, 50))
def test_crc32_puts_users_where_librdkafka_puts_them(users: list[str], partitions: int) -> None:
    found = places(Placement(CRC32, partitions), 0, [None] * len(users), users)
    assert found.homes.tolist() == [zlib.crc32(user.encode()) % partitions for user in users]


def test_with_trust_users_are_where_they_are() -> None:
    assert places(Placement(TRUST, 8), 5, [b"a", None], ["a", "b"]).homes.tolist() == [5, 5]


@given(st.data(), USERS)
def test_a_key_is_foreign_unless_it_is_the_user_id(data: st.DataObject, users: list[str]) -> None:
    wrong = st.sampled_from([None, b"", b"x", b'"ada"'])
    keys = [data.draw(st.one_of(st.just(user.encode()), wrong)) for user in users]
    found = places(Placement(MURMUR2, 4), 0, keys, users)
    assert found.keyed.tolist() == [key == user.encode() for key, user in zip(keys, users, strict=True)]


def test_keys_that_only_together_are_the_users_are_foreign() -> None:
    assert places(Placement(), 0, [b"a", b"bc"], ["ab", "c"]).keyed.tolist() == [False, False]


def test_no_events_have_no_places() -> None:
    found = places(Placement(MURMUR2, 4), 0, [], [])
    assert found.homes.tolist() == found.keyed.tolist() == []
