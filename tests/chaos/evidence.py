"""What a wrong run leaves to look into: its topics and what Redis held, one JSON object a line."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from chaos.oracle import Profile
from chaos.records import Logged
from chaos.verdict import Evidence


def keep_evidence(folder: Path, log: Iterable[Logged], evidence: Evidence) -> None:
    """Write the log, the interactions, the quarantine and the profiles to files in the folder."""
    _write(folder / "log.jsonl", map(_record, log))
    _write(folder / "interactions.jsonl", map(_record, evidence.interactions))
    _write(folder / "quarantine.jsonl", map(_record, evidence.quarantine))
    stored = evidence.stored
    _write(folder / "profiles.jsonl", ({"user": user} | _profile(each) for user, each in stored.profiles.items()))


def _record(record: Logged) -> dict[str, Any]:
    return {
        "place": "{}-{} offset {}".format(*record.place),
        "time": record.time,
        "key": _text(record.key),
        "value": _text(record.value),
        **{name: _text(value) for name, value in record.headers},
    }


def _profile(profile: Profile) -> dict[str, Any]:
    said = asdict(profile)
    return said | {"offsets": {f"{topic}-{n}": offset for (topic, n), offset in said["offsets"].items()}}


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
