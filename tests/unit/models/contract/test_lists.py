"""Write lists for other programs in the contract's form, and read them back."""

import orjson
import pytest
from builders import NOW

from models.contract.lists import (
    Ranking,
    Recommendation,
    decode_recommendation,
    decode_similar,
    encode_recommendation,
    encode_similar,
)


def test_a_list_is_written_as_the_contract_says() -> None:
    ranking = Ranking(("i1", "é2"), (0.5, 0.25), ("neighbours", "trending"))
    assert orjson.loads(encode_recommendation(Recommendation("u1", ranking, NOW, NOW + 1, "vmis-knn"))) == {
        "user_id": "u1",
        "items": [
            {"item_id": "i1", "score": 0.5, "source": "neighbours"},
            {"item_id": "é2", "score": 0.25, "source": "trending"},
        ],
        "event_ts": NOW,
        "generated_at": NOW + 1,
        "model": "vmis-knn",
    }


def test_an_empty_list_has_no_items() -> None:
    body = orjson.loads(encode_recommendation(Recommendation("u1", Ranking((), (), ()), NOW, NOW, "m")))
    assert body["items"] == []


RANKINGS = [Ranking(("i1", "é2"), (0.5, 0.25), ("neighbours", "trending")), Ranking((), (), ())]


@pytest.mark.parametrize("ranking", RANKINGS)
def test_lists_are_read_back_as_they_were_written(ranking: Ranking) -> None:
    recommendation = Recommendation("u1", ranking, NOW, NOW + 1, "vmis-knn")
    assert decode_recommendation(encode_recommendation(recommendation)) == recommendation
    assert decode_similar(encode_similar(ranking)) == ranking


@pytest.mark.parametrize("value", [b"", b"\xff", b"null", b"{}", b'["a"]', b'[{"item_id": "a"}]'])
def test_what_is_no_list_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="not a list of recommendations"):
        decode_recommendation(value)
    if value != b"{}":  # no rows at all: an empty list
        with pytest.raises(ValueError, match="not a list of similar items"):
            decode_similar(value)
