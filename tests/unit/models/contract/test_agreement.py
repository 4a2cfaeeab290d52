"""In what two workers' terms differ."""

import pytest

from models.contract.agreement import Terms

OURS = Terms("1.0", {"SIZE": 20, "DECAY": 0.6}, {"profile": (0, 1)})


def test_terms_are_the_same_after_a_way_through_the_store() -> None:
    assert Terms.decode(OURS.encode()) == OURS


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"version":1}', b'{"version":"1","settings":[],"formats":{"a":1}}']
)
def test_terms_that_no_worker_wrote_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Terms.decode(data)


def test_equal_terms_do_not_differ() -> None:
    assert OURS.differing_settings(OURS) == OURS.unreadable_formats(OURS) == []


def test_the_settings_that_differ_are_named_with_both_values() -> None:
    theirs = Terms("1.0", {"SIZE": 10, "DECAY": 0.6})
    assert OURS.differing_settings(theirs) == ["SIZE"]
    assert OURS.describe(["SIZE"], theirs) == "SIZE is 20 here and 10 there"


def test_within_one_version_a_setting_that_one_lacks_differs() -> None:
    theirs = Terms("1.0", {"SIZE": 20})
    assert OURS.differing_settings(theirs) == theirs.differing_settings(OURS) == ["DECAY"]


def test_between_versions_only_settings_that_both_have_can_differ() -> None:
    theirs = Terms("1.1", {"SIZE": 20, "NEW": 1})
    assert OURS.differing_settings(theirs) == theirs.differing_settings(OURS) == []


@pytest.mark.parametrize(
    ("theirs", "unreadable"),
    [((0, 1), []), ((1, 1), []), ((1, 2), ["profile"]), ((2, 2), ["profile"]), ((0, 0), [])],
)
def test_formats_agree_where_each_reads_what_the_other_writes(theirs: tuple[int, int], unreadable: list[str]) -> None:
    other = Terms("1.1", {}, {"profile": theirs, "only there": (9, 9)})
    expected = ["profile"] if theirs == (0, 0) else unreadable  # it does not read what is written here
    assert OURS.unreadable_formats(other) == other.unreadable_formats(OURS) == expected
