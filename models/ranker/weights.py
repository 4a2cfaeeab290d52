"""The weights of the learned ranker as a record, which workers publish and follow.

The record is JSON. Its arrays are numbers of fixed size, little-endian, as base64.
"""

import math
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

KEY = b"weights"  # the newest ones, of which workers learn on
ROLLED_BACK = b"rollback"  # those that took the place of newer ones
PINNED = b"pin"  # those that rank, whatever the newest are; a null value ends it
MOST_KEPT = 24  # earlier versions under keys of their own
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
    learning. `generation` counts the roll-backs: weights of an earlier one are out of date, whoever
    still publishes them. The figures of learned rankers have their mean `loss` too.
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
    generation: Count = 0


class RankerWeights(NamedTuple):
    """A record with its arrays as they were when it was made."""

    record: RankerRecord
    learner: Learner
    judged: NDArray[np.float64]


_DECODER = msgspec.json.Decoder(RankerRecord)


def kept_key(version: int) -> bytes:
    """The key under which a version stays until another one takes its place.

    The key tells how often 2 divides the version. So compaction keeps the newest odd version, the
    newest that 2 divides once, and so on: versions that lie twice as far back each time.

    >>> [kept_key(version).decode() for version in (1, 2, 3, 4)]
    ['kept-0', 'kept-1', 'kept-0', 'kept-2']
    """
    twos = (version & -version).bit_length() - 1
    return b"kept-%d" % min(max(twos, 0), MOST_KEPT - 1)


def encode_weights(learner: Learner, judge: RankerJudge, **said: Any) -> bytes:
    """The record of what is learned now; `said` are its fields `version`, `trainer`, `lists`,
    `leader`, `better`, `stopped` and, after a roll-back, `generation`.
    """
    rows = zip(RANKERS, judge.hits.tolist(), judge.reciprocals.tolist(), strict=True)
    figures = {name: {"hit_rate@20": round(hits, 6), "mrr@20": round(mrr, 6)} for name, hits, mrr in rows}
    lists, *losses = learner.work.losses.tolist()
    for name, loss in zip(RANKERS[1:], losses, strict=True):
        figures[name] |= {"loss": round(loss, 6)} if lists and math.isfinite(loss) else {}
    record = RankerRecord(
        format=RANKER.version,
        features=FEATURES_HASH,
        figures=figures,
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
    learner.work.losses[:] = _losses(record)
    judged = _decoded(record.arrays, "judge", np.dtype(np.float64), RankerJudge().state().size)
    return RankerWeights(record, learner, judged)


def rolled_back(record: RankerRecord, newest: RankerRecord) -> bytes:
    """The record that puts earlier weights in the place of the newest ones."""
    version, generation = min(newest.version + 1, LARGEST), min(newest.generation + 1, LARGEST)
    said = msgspec.structs.replace(record, version=version, generation=generation, trainer=ROLLED_BACK.decode())
    return msgspec.json.encode(said)


def is_sound(learner: Learner) -> bool:
    """Whether a record of what was learned can be read: all numbers are finite, and the sums of
    squared gradients above 0.
    """
    return all(np.isfinite(each).all() for each in _arrays(learner).values()) and _can_step(learner)


def _losses(record: RankerRecord) -> list[float]:
    """What a learner goes on from: the number of lists and the mean losses of learned rankers."""
    losses = [record.figures.get(name, {}).get("loss") for name in RANKERS[1:]]
    known = [each for each in losses if each is not None and math.isfinite(each)]
    return [float(record.lists), *known] if len(known) == len(losses) else [0.0] * (1 + len(losses))


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
