"""The edits of `headrace quarantine fix`, as arguments."""

import argparse
from collections.abc import Callable
from typing import Any

import orjson

from models.contract.record_edits import Divide, Drop, Edit, Put, Rename, Translate

EDITS = "--rename OLD=NEW, --set FIELD=VALUE, --translate FIELD:OLD=NEW, --divide FIELD=NUMBER or --drop FIELD"


def add_edits(parser: argparse.ArgumentParser) -> None:
    """Declare the edits; they are kept in the order in which they are given."""
    several: tuple[tuple[str, str, Callable[[str], Edit], str], ...] = (
        ("--rename", "OLD=NEW", _rename, "move a value to another field, unless that has one"),
        ("--set", "FIELD=VALUE", _put, "give a field a value: JSON, or else a text"),
        ("--translate", "FIELD:OLD=NEW", _translate, "replace one value of a field by another"),
        ("--divide", "FIELD=NUMBER", _divide, "divide a number, such as ts=1000 for milliseconds"),
        ("--drop", "FIELD", Drop, "remove a field"),
    )
    for option, metavar, read, what in several:
        parser.add_argument(option, dest="edits", action="append", type=_of_utf8(read), metavar=metavar, help=what)


def _of_utf8(read: Callable[[str], Edit]) -> Callable[[str], Edit]:
    # Python makes surrogates of other bytes, which JSON cannot hold.
    def checked(text: str) -> Edit:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} holds bytes that are no UTF-8") from None
        return read(text)

    return checked


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise argparse.ArgumentTypeError(f"{text[:40]!r}: write a name, = and a value")
    return name, value


def _rename(text: str) -> Rename:
    old, new = _pair(text)
    if not new:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} names no new field; --drop removes one")
    return Rename(old, new)


def _put(text: str) -> Put:
    name, value = _pair(text)
    return Put(name, _value(value))


def _translate(text: str) -> Translate:
    said, new = _pair(text)
    name, sign, old = said.partition(":")
    if not (name and sign):
        raise argparse.ArgumentTypeError(f"{text[:40]!r}: write FIELD:OLD=NEW, such as currency:euro=EUR")
    return Translate(name, _value(old), _value(new))


def _divide(text: str) -> Divide:
    name, value = _pair(text)
    try:
        divisor = float(value)
    except ValueError:
        divisor = 0.0
    if not 0 < divisor < float("inf"):
        raise argparse.ArgumentTypeError(f"{value[:40]!r} is no number above 0")
    return Divide(name, divisor)


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
