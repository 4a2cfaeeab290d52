"""The weights of the learned ranker as a record, which workers publish and follow.

The record is JSON. Its arrays are numbers of fixed size, little-endian, as base64.
"""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple

import msgspec
import numpy as np
import xxhash
from msgspec import Meta, Struct
from numpy.typing import NDArray

from models.contract.formats import RANKER, check_version
from models.ranker.arrays import MOST
from models.ranker.features import COUNT, FEATURES
from models.ranker.judge import RANKERS, RankerJudge
from models.ranker.network import Learner, make_learner

KEY = b"weights"
# What features mean decides what weights mean.
FEATURES_HASH = xxhash.xxh3_64_hexdigest(repr([(each.name, each.meaning, each.unit) for each in FEATURES]).encode())
PARTS = ("network", "sums", "scale")
LARGEST: Final = 2**53  # what a metric, which is a float, can tell
Count = Annotated[int, Meta(ge=0, le=LARGEST)]


class RankerRecord(Struct, frozen=True):
    """The record: `version` counts the publications, `trainer` names the worker that learned.

    `lists` were learned from in all; `figures` are the hit rate and MRR at 20 of each ranker on
    lists that it had not learned yet. `leader` is who ranks where that is chosen automatically, and
    `better` the better learned ranker. `stopped` tells that a number was none, which ended
    learning.
    """

    format: int
    version: Count
    trainer: str
    features: str
    lists: Count
    leader: str
    better: str
    stopped: bool
    figures: dict[str, dict[str, float]]
    arrays: dict[str, str]


class RankerWeights(NamedTuple):
    """A record with its arrays as they were when it was made."""

    record: RankerRecord
    learner: Learner
    judged: NDArray[np.float64]


_DECODER = msgspec.json.Decoder(RankerRecord)


def encode_weights(learner: Learner, judge: RankerJudge, **said: Any) -> bytes:
    """The record of what is learned now; `said` are its fields `version`, `trainer`, `lists`,
    `leader`, `better` and `stopped`.
    """
    rows = zip(RANKERS, judge.hits.tolist(), judge.reciprocals.tolist(), strict=True)
    record = RankerRecord(
        format=RANKER.version,
        features=FEATURES_HASH,
        figures={name: {"hit_rate@20": round(hits, 6), "mrr@20": round(mrr, 6)} for name, hits, mrr in rows},
        arrays={name: _encoded(each) for name, each in _arrays(learner).items()} | {"judge": _encoded(judge.state())},
        **said,
    )
    return msgspec.json.encode(record)


def decode_record(value: bytes) -> RankerRecord:
    """Read a record. Raises ValueError for what Headrace did not write, and NewerFormat."""
    try:
        record = _DECODER.decode(value)
    except RecursionError as error:
        raise ValueError(f"no weights: {error}") from None
    check_version(RANKER, record.format)
    return record


def decode_weights(value: bytes) -> RankerWeights:
    """Read a record with its arrays.

    Raises ValueError for what Headrace did not write and for weights of other features, and
    NewerFormat.
    """
    record = decode_record(value)
    if record.features != FEATURES_HASH:
        raise ValueError("these weights are of other features")
    if not {record.leader, record.better} <= set(RANKERS):
        raise ValueError(f"{record.leader!r} or {record.better!r} is no ranker")
    learner = make_learner(COUNT, MOST, seed=0)
    for name, array in _arrays(learner).items():
        array[...] = _decoded(record.arrays, name, array.dtype, array.size).reshape(array.shape)
    if not _can_step(learner):
        raise ValueError("a sum of squared gradients is not above 0")
    judged = _decoded(record.arrays, "judge", np.dtype(np.float64), RankerJudge().state().size)
    return RankerWeights(record, learner, judged)


def is_sound(learner: Learner) -> bool:
    """Whether a record of what was learned can be read: all numbers are finite, and the sums of
    squared gradients above 0.
    """
    return all(np.isfinite(each).all() for each in _arrays(learner).values()) and _can_step(learner)


def _can_step(learner: Learner) -> bool:
    """A step divides by the root of a sum."""
    return all((each > 0).all() for each in learner.sums)


def _arrays(learner: Learner) -> dict[str, NDArray[Any]]:
    return {f"{part}.{name}": array for part in PARTS for name, array in getattr(learner, part)._asdict().items()}


def _encoded(array: NDArray[Any]) -> str:
    return b64encode(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()).decode()


def _decoded(arrays: Mapping[str, str], name: str, kind: np.dtype[Any], size: int) -> NDArray[Any]:
    try:
        found = np.frombuffer(b64decode(arrays.get(name, ""), validate=True), kind.newbyteorder("<")).astype(kind)
    except (Error, ValueError) as error:
        raise ValueError(f"the array {name} cannot be read: {error}") from None
    if found.size != size or not np.isfinite(found).all():
        raise ValueError(f"the array {name} has {found.size} numbers instead of {size}, or one that is none")
    return found
