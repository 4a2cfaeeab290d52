"""10,000 malformed events of 30 kinds."""

import pytest
from builders import NOW, batch
from malformed import KINDS, malformed

from models.contract.event_codec import EventSettings, decode
from models.contract.events import Kind


def test_there_are_thirty_kinds() -> None:
    assert len(KINDS) == 30


@pytest.mark.parametrize("kind", list(Kind))
def test_each_of_ten_thousand_is_refused_for_its_reason_with_a_detail_and_its_bytes(kind: Kind) -> None:
    # The largest come once: a thousand of them would be a gigabyte.
    sent = [*malformed(30, NOW), *malformed(9_970, NOW, seed=2, skip=("too large",))]
    found = decode(batch(*(each.value for each in sent), first=7), kind, EventSettings())
    assert len(found.accepted) == 0
    assert [each.offset for each in found.rejected] == list(range(7, 10_007))
    wrong = [
        (asked.what, asked.reason, said.reason, said.detail)
        for asked, said in zip(sent, found.rejected, strict=True)
        if said.reason is not asked.reason or not said.detail or said.value is not asked.value
    ]
    assert wrong == []
