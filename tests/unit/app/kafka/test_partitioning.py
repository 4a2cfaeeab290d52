"""Headrace sends events to the partitions that the shop's producers would choose."""

import zlib

import pytest
from aiokafka.partitioner import DefaultPartitioner  # type: ignore[import-untyped]  # ships no types

from app.kafka.partitioning import ProducerPartitioner, by_crc32, by_murmur2, partition_function
from models.contract.partitioner import CRC32, MURMUR2, PARTITIONERS, TRUST

KEYS = [b"", b"a", b"user-42", "käse".encode(), b"session:4711"]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_goes_where_kafkas_own_clients_send_it(key: bytes) -> None:
    assert by_murmur2(key, 7) == DefaultPartitioner()(key, list(range(7)), list(range(7)))


def test_known_keys_keep_their_partitions() -> None:
    # The hashes that Apache Kafka's own test (UtilsTest, murmur2) expects: other clients choose the
    # same partition.
    java = {b"21": -973932308, b"foobar": -790332482, b"abc": 479470107}
    assert {key: by_murmur2(key, 97) for key in java} == {key: (h & 0x7FFFFFFF) % 97 for key, h in java.items()}


@pytest.mark.parametrize("key", KEYS)
def test_librdkafkas_default_is_the_crc32_of_the_key(key: bytes) -> None:
    assert by_crc32(key, 7) == zlib.crc32(key) % 7


@pytest.mark.parametrize("partitioner", PARTITIONERS)
def test_a_record_without_a_key_goes_to_the_first_partition(partitioner: str) -> None:
    assert partition_function(partitioner)(None, 8) == 0


def test_producers_that_are_trusted_are_taken_for_kafkas_own() -> None:
    assert partition_function(TRUST) is partition_function(MURMUR2)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("partitioner", PARTITIONERS)
def test_a_single_event_goes_where_a_replay_sends_it(partitioner: str, key: bytes) -> None:
    numbers = list(range(10, 15))
    chosen = ProducerPartitioner(partitioner)(key, numbers, numbers)
    assert chosen == numbers[partition_function(partitioner)(key, 5)]


def test_the_two_ways_differ() -> None:
    assert partition_function(CRC32) is by_crc32
    assert any(by_crc32(key, 97) != by_murmur2(key, 97) for key in KEYS)
