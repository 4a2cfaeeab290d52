"""How a batch that was begun is noted."""

import pytest
from builders import batch, event

from models.contract.begun import Begun, decode_begun, encode_begun


def test_what_is_encoded_comes_back() -> None:
    noted = [Begun.of(batch(event("a"), event("b"), first=4)), Begun.of(batch(None, topic="clicks"))]
    assert decode_begun(encode_begun(noted)) == noted
    assert decode_begun(None) == []


@pytest.mark.parametrize("text", [b"[1]", b'[["views"]]', b'{"views":1}'])
def test_what_another_program_wrote_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="not a list of batches"):
        decode_begun(text)


def test_a_batch_ends_where_its_last_record_is() -> None:
    begun = Begun.of(batch(event("a"), event("b"), first=4))
    assert begun.ends(batch(event("b"), first=5))
    assert not begun.ends(batch(event("c"), first=5))
    assert not begun.ends(batch(event("a"), first=4))
    assert not begun.ends(batch())
