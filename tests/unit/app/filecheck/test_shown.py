"""A rejected row is told with the value at fault, unless that names a person."""

from app.filecheck.rejected import RejectedRow
from app.filecheck.shown import detail_of


def test_the_value_at_fault_is_told() -> None:
    assert detail_of(RejectedRow(1, "wrong_type", "price is no number", {"price": "12,50"})).endswith("('12,50')")


def test_an_id_of_a_person_is_not_told() -> None:
    detail = "user_id is longer than 128 characters"
    assert detail_of(RejectedRow(1, "field_too_long", detail, {"user_id": "secret-77"})) == detail
