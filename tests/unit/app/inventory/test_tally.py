"""The figures of a field tell no id of a person."""

import json

import pytest

from app.inventory.tally import TopicTally


@pytest.mark.parametrize("name", ["user_id", "session_id", "userId"])
@pytest.mark.parametrize("planted", ["secret-77", 918_273_645])
def test_ids_of_people_are_counted_and_not_shown(name: str, planted: str | int) -> None:
    tally = TopicTally("views")
    for price in (1, 2):
        tally.take({name: planted, "price": price, "shop": "lamps", "from": {"user_id": planted}})
        tally.take({name: planted, "payload": json.dumps({name: planted})})
    told = tally.as_json()
    assert str(planted) not in json.dumps(told)
    of_person = told["fields"][0]
    assert (of_person["filled"], of_person["distinct"], of_person["top"]) == (4, 1, [])
    assert "histogram" not in of_person
    shop = next(each for each in told["fields"] if each["name"] == "shop")
    assert shop["top"] == [["lamps", 2]]
