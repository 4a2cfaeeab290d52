"""The edits of `headrace quarantine fix` are read from arguments, or refused in words."""

import argparse

import pytest

from app.commands.quarantine_edits import add_edits
from models.contract.record_edits import Divide, Drop, Edit, Put, Rename, Translate


def edits_of(*arguments: str) -> list[Edit]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_edits(parser)
    edits: list[Edit] = parser.parse_args(arguments).edits
    return edits


def test_edits_are_kept_in_the_order_in_which_they_are_given() -> None:
    assert edits_of("--set", "price=2.5", "--rename", "sku=item_id", "--drop", "note", "--divide", "ts=1000") == [
        Put("price", 2.5),
        Rename("sku", "item_id"),
        Drop("note"),
        Divide("ts", 1000.0),
    ]


def test_a_value_is_json_or_else_a_text() -> None:
    assert edits_of("--set", "currency=EUR", "--set", "quantity=3", "--translate", "currency:euro=EUR") == [
        Put("currency", "EUR"),
        Put("quantity", 3),
        Translate("currency", "euro", "EUR"),
    ]


@pytest.mark.parametrize("option", ["--set", "--rename", "--translate", "--divide", "--drop"])
def test_bytes_that_are_no_utf8_are_refused(option: str) -> None:
    # As Python hands the byte ff of a command line on.
    with pytest.raises(argparse.ArgumentError, match="no UTF-8"):
        edits_of(option, "currency=\udcff")


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("--set", "currency", "write a name, = and a value"),
        ("--rename", "sku=", "--drop removes one"),
        ("--translate", "currency=EUR", "FIELD:OLD=NEW"),
        ("--divide", "ts=0", "no number above 0"),
    ],
)
def test_an_edit_that_cannot_be_read_says_what_to_write(option: str, text: str, words: str) -> None:
    with pytest.raises(argparse.ArgumentError, match=words):
        edits_of(option, text)
