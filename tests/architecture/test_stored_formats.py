"""Everything that is stored has a format with a version, and the page of formats lists it."""

import re
from dataclasses import fields
from pathlib import Path

from app.kafka.topics import Topics
from app.store.keys import Keys
from app.worker.snapshot import FORMAT
from models.contract.formats import (
    DECISIONS,
    FORMATS,
    IN_REDIS,
    INTERACTIONS,
    ITEM,
    LIST,
    MANIFEST,
    MOVED,
    PROFILE,
    PROGRESS,
    QUARANTINE,
    RANKER,
    RECEIPTS,
    SIMILAR,
    SNAPSHOT,
    TRENDING,
    VECTOR_SET,
    VECTORS,
    WORKERS,
)
from models.inference.manifest import VERSION as MANIFEST_VERSION
from models.users.stored import WITH_CANCELLED as STATE_VERSION

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
ROW = re.compile(r"^\| ([a-z ]+) \| (.+?) \| (\d+) \| (\d+) \|", re.MULTILINE)

OF_KEY = {
    "recommendation": LIST,
    "profile": PROFILE,
    "item": ITEM,
    "vectors": VECTOR_SET,
    "vectors_model": VECTOR_SET,
    "vector_models": VECTOR_SET,
    "removed_vectors": VECTOR_SET,
    "similar": SIMILAR,
    "trending": TRENDING,
    "known_only": TRENDING,
    "recent_users": WORKERS,
    "source": PROGRESS,
    "start": PROGRESS,
    "begun": PROGRESS,
    "claim": PROGRESS,
    "catalogue": PROGRESS,
    "forgotten": RECEIPTS,
    "members": WORKERS,
    "worker": WORKERS,
    "workers": WORKERS,
    "hidden": DECISIONS,
    "allowed": DECISIONS,
    "formats": None,  # says the versions; a new form would be a new key
}
OF_TOPIC = {
    "moved": MOVED,
    "vectors": VECTORS,
    "interactions": INTERACTIONS,
    "ranker": RANKER,
    "recommendations": LIST,
    "quarantine": QUARANTINE,
    # These are the shop's own, in the forms that `sending-events.md` describes.
    "views": None,
    "clicks": None,
    "carts": None,
    "orders": None,
    "items": None,
    "forget": None,
}


def keys() -> set[str]:
    """The methods that build a key."""
    return {name for name, member in vars(Keys).items() if callable(member) and not name.startswith("_")}


def test_every_key_of_redis_belongs_to_a_format() -> None:
    assert keys() == set(OF_KEY)
    assert {each for each in OF_KEY.values() if each is not None} == set(IN_REDIS)


def test_every_topic_belongs_to_a_format_or_to_the_shop() -> None:
    assert {each.name for each in fields(Topics)} == set(OF_TOPIC)


def test_what_writes_a_version_writes_that_of_its_format() -> None:
    assert (PROFILE.version, SNAPSHOT.version, MANIFEST.version) == (STATE_VERSION, FORMAT, MANIFEST_VERSION)


def test_names_are_taken_once() -> None:
    assert len({each.name for each in FORMATS}) == len(FORMATS)


def test_the_page_lists_each_format_with_its_versions() -> None:
    listed = [(name, int(version), int(oldest)) for name, _, version, oldest in ROW.findall(PAGE.read_text("utf-8"))]
    assert listed == [(each.name, each.version, each.oldest) for each in FORMATS]


def test_the_page_names_every_topic_and_key() -> None:
    text = PAGE.read_text("utf-8")
    own = Keys("hr:")
    named = [
        own.recommendation("u"),
        own.profile("u"),
        own.item("u"),
        own.similar("u"),
        own.source("u"),
        own.start("u"),
    ]
    named += [own.forgotten("u"), own.trending(), own.members(), own.formats(), own.known_only(), own.recent_users()]
    named += [own.hidden(), own.allowed()]
    prefixes = {key.partition("{")[0].partition(":u")[0].rstrip(":") for key in named}
    assert {each for each in prefixes if each not in text} == set()
    assert {topic for topic, kind in OF_TOPIC.items() if kind is not None and f"`{topic}`" not in text} == set()
