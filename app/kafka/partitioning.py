"""Chooses the partition of a key as the shop's producers do, for the events that Headrace sends."""

import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

from aiokafka.partitioner import DefaultPartitioner  # type: ignore[import-untyped]  # ships no types

from models.contract.partitioner import CRC32

PartitionOf: TypeAlias = Callable[[bytes | None, int], int]

_murmur2 = DefaultPartitioner()


@lru_cache(maxsize=1 << 18)
def by_murmur2(key: bytes | None, partitions: int) -> int:
    """Return the partition that Kafka's Java clients choose for a key; 0 without a key."""
    return 0 if key is None else int(_murmur2(key, range(partitions), ()))


def by_crc32(key: bytes | None, partitions: int) -> int:
    """Return the partition that librdkafka's `consistent` chooses for a key; 0 without a key."""
    return 0 if key is None else zlib.crc32(key) % partitions


def partition_function(partitioner: str) -> PartitionOf:
    """Return the function for a value of HEADRACE_KAFKA_PARTITIONER.

    It is murmur2 for `trust`, which does not say what producers do.
    """
    return by_crc32 if partitioner == CRC32 else by_murmur2


class ProducerPartitioner:
    """The same choice for aiokafka's own producer."""

    def __init__(self, partitioner: str) -> None:
        self._partition_of = partition_function(partitioner)

    def __call__(self, key: bytes | None, all_partitions: Sequence[int], available: Sequence[int]) -> int:
        """Return the key's partition; without a key, what aiokafka chooses."""
        if key is None:
            chosen: int = _murmur2(key, all_partitions, available)
            return chosen
        return all_partitions[self._partition_of(key, len(all_partitions))]
