"""Weights as a record: what is read is what was written, and nothing else is taken for weights."""

import msgspec
import numpy as np
import pytest

from models.contract.formats import NewerFormat
from models.ranker.arrays import MOST
from models.ranker.features import COUNT
from models.ranker.judge import RANKERS, RankerJudge
from models.ranker.network import Learner, make_learner
from models.ranker.weights import decode_record, decode_weights, encode_weights


def a_learner() -> Learner:
    learner = make_learner(COUNT, MOST, seed=4)
    learner.network.linear[:] = np.arange(COUNT) / 7
    learner.scale.seen[0] = 12
    return learner


def written(**changed: object) -> bytes:
    judge = RankerJudge()
    judge.add(np.array([[1, 2, 0]], np.int32), np.ones(1, np.float32))
    value = encode_weights(
        a_learner(), judge, version=3, trainer="t", lists=9, leader="formula", better="linear", stopped=False
    )
    return msgspec.json.encode(msgspec.json.decode(value) | changed)


def test_what_is_read_is_what_was_written() -> None:
    weights, expected = decode_weights(written()), a_learner()
    for part in ("network", "sums", "scale"):
        for found, each in zip(getattr(weights.learner, part), getattr(expected, part), strict=True):
            assert np.array_equal(found, each)
            assert found.dtype == each.dtype
    judge = RankerJudge()
    judge.resume(weights.judged)
    assert judge.hits.tolist() == [1, 1, 0]
    assert weights.record.figures["linear"] == {"hit_rate@20": 1.0, "mrr@20": 0.5}
    assert (weights.record.version, weights.record.lists, set(weights.record.figures)) == (3, 9, set(RANKERS))


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        written(features="other"),
        written(leader="nobody"),
        written(arrays={}),
        written(arrays={"network.linear": "AAAA"}),
        written(arrays={"network.linear": "=?"}),
    ],
)
def test_anything_else_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_weights(value)


def test_numbers_that_are_none_are_refused() -> None:
    learner = a_learner()
    learner.network.linear[2] = np.nan
    value = encode_weights(
        learner, RankerJudge(), version=1, trainer="t", lists=9, leader="formula", better="linear", stopped=False
    )
    with pytest.raises(ValueError, match="or one that is none"):
        decode_weights(value)


@pytest.mark.parametrize("field", ["version", "lists"])
@pytest.mark.parametrize("count", [b"-1", b"9007199254740993", b"1" + b"0" * 400])
def test_a_count_that_is_out_of_bounds_is_refused(field: str, count: bytes) -> None:
    value = written(**{field: 123_456_789}).replace(b"123456789", count)
    with pytest.raises(ValueError, match=rf"\$\.{field}"):
        decode_weights(value)


def test_sums_of_squares_that_are_not_above_0_are_refused() -> None:
    learner = a_learner()
    learner.sums.into[3, 1] = 0.0
    value = encode_weights(
        learner, RankerJudge(), version=1, trainer="t", lists=9, leader="formula", better="linear", stopped=False
    )
    with pytest.raises(ValueError, match="not above 0"):
        decode_weights(value)


def test_a_newer_format_is_refused_in_words() -> None:
    with pytest.raises(NewerFormat, match="ranker weights are stored in format 2"):
        decode_record(written(format=2))
