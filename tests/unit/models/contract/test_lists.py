"""Write lists for other programs in the contract's form."""

import orjson
from builders import NOW

from models.contract.lists import (
    Ranking,
    Recommendation,
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


def test_similar_items_are_written_as_the_items_of_a_list() -> None:
    ranking = Ranking(("é2",), (0.25,), ("semantic",))
    assert orjson.loads(encode_similar(ranking)) == [{"item_id": "é2", "score": 0.25, "source": "semantic"}]
