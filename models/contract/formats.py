"""The versions of all that Headrace stores, in one place.

Of each kind of data, versions from `oldest` to `version` are read, and `version` is written. A
newer one is refused in words wherever it is met, as what it means is not known here: to guess would
damage what is stored. Data that say no version have the first.

The client imports this module, so nothing here needs numpy.
"""

from collections.abc import Mapping
from typing import NamedTuple

FIRST = 1
LONGEST_VERSION = 9  # digits
HEADER = "format"  # of records in Kafka whose value is not Headrace's, and the field of those that are JSON


class Format(NamedTuple):
    """One kind of stored data; `remedy` says what to do where a newer version is met and only this
    one can be run.
    """

    name: str
    version: int
    oldest: int
    remedy: str


PROFILE = Format("profiles", 3, 0, "delete hr:profile:*; profiles begin again with their users' next events")
LIST = Format("lists", 1, 1, "delete hr:rec:*; lists come back with their users' next events")
ITEM = Format("items", 1, 1, "delete hr:item:* and hr:catalogue:*; workers read the catalogue from the log again")
SIMILAR = Format("similar items", 1, 1, "delete hr:similar:*; workers write them again")
VECTOR_SET = Format("vector sets", 1, 1, "delete hr:items and its models; workers write it again")
TRENDING = Format("trending lists", 1, 1, "delete hr:trending*; a worker writes them again within seconds")
PROGRESS = Format(
    "progress", 1, 1, "stop all workers and delete hr:source:*, hr:start:*, hr:begun:*, hr:claim:* and hr:catalogue:*"
)
WORKERS = Format("workers", 1, 1, "stop all workers; what they announce is gone after 20 s")
DECISIONS = Format("decisions", 1, 1, "delete hr:allowed and hr:hidden; the shop's decisions are lost")
RECEIPTS = Format("receipts", 1, 1, "ask with the version that forgot the user")
INTERACTIONS = Format("interactions", 3, 1, "wait until retention has removed them, or create the topic again")
VECTORS = Format("vectors", 1, 1, "create the topic again; the models assess all items once more")
MOVED = Format("moved events", 1, 1, "let the newer version read the topic to its end first")
QUARANTINE = Format("quarantined records", 1, 1, "read them with the newer version")
RANKER = Format("ranker weights", 1, 1, "create the topic again; the ranker learns from the events to come")
SNAPSHOT = Format("snapshots", 10, 8, "nothing: the worker reads the log instead")
MANIFEST = Format("model manifests", 2, 1, "build the models again with this version")

# What the hash `hr:formats` names, because it lies in Redis.
IN_REDIS = (PROFILE, LIST, ITEM, SIMILAR, VECTOR_SET, TRENDING, PROGRESS, WORKERS, DECISIONS, RECEIPTS)
IN_KAFKA = (INTERACTIONS, VECTORS, MOVED, QUARANTINE, RANKER)
FORMATS = (*IN_REDIS, *IN_KAFKA, SNAPSHOT, MANIFEST)
# What several workers write and read, so that they have to agree on it.
SHARED = (*IN_REDIS, *IN_KAFKA)


class NewerFormat(Exception):
    """A newer version of Headrace stored something. The message says what to do.

    It is no ValueError: what other programs wrote is passed over or replaced, and this must not be.
    """


def check_version(kind: Format, version: int) -> None:
    """Raises NewerFormat for a version that is not known yet."""
    if version > kind.version:
        raise NewerFormat(
            f"{kind.name} are stored in format {version}, and this version of Headrace reads up to {kind.version}: "
            f"a newer one wrote them. Run that version, or a newer one. To go on with this one, {kind.remedy}"
        )


def check_said(kind: Format, said: bytes | None) -> None:
    """Raises NewerFormat for a newer version in digits. What is no version was not written by
    Headrace.
    """
    if said is not None and len(said) <= LONGEST_VERSION and said.isdigit():
        check_version(kind, int(said))


def check_header(kind: Format, headers: Mapping[str, bytes | None]) -> None:
    """Raises NewerFormat for the headers of a record of a newer version."""
    check_said(kind, headers.get(HEADER))


def header(kind: Format) -> tuple[str, bytes]:
    """The header that says which version a record has."""
    return HEADER, b"%d" % kind.version
