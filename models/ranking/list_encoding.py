"""Encode the lists of many users at once as the contract's JSON; see `models.contract.lists` for
one list.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from models.contract.json_names import JsonNames, texts_of
from models.contract.list_writer import LONGEST_NUMBER, ListRows, Output, write_lists
from models.contract.lists import Recommendation, encode_recommendation
from models.ranking.lists import SOURCES, RankedLists


class Made(NamedTuple):
    """When lists are made, in seconds by the clock, and by which model."""

    generated_at: float
    model: str


def encode_lists(
    user_ids: Sequence[str], lists: RankedLists, event_ts: NDArray[np.float64], names: JsonNames, made: Made
) -> list[bytes]:
    """Return each user's list as JSON; `event_ts` (users,) is the event time that led to it, in
    seconds.
    """
    if not user_ids:
        return []
    fragments, users, texts = texts_of(_fragments(made)), texts_of(list(map(orjson.dumps, user_ids))), names.catch_up()
    known = lists.items[lists.items >= 0]
    an_item = LONGEST_NUMBER + len(fragments.text)
    size = len(users.text) + int((texts.starts[known + 1] - texts.starts[known]).sum())
    size += an_item * (len(known) + len(user_ids))
    out = Output(np.empty(size, np.uint8), np.zeros(len(user_ids), np.int64))
    write_lists(fragments, users, texts, ListRows(*lists, event_ts), out)
    found = out.rows()
    for row in [row for row, encoded in enumerate(found) if not encoded]:
        ranking = lists.ranking(row, names.vocabulary.names)
        found[row] = encode_recommendation(Recommendation(user_ids[row], ranking, float(event_ts[row]), *made))
    return found


def _fragments(made: Made) -> list[bytes]:
    tail = b"," + orjson.dumps(made._asdict())[1:]
    fixed = [b'{"user_id":', b',"items":[', b'{"item_id":', b',"score":', b'],"event_ts":', tail]
    return [*fixed, *(b',"source":"%b"}' % source.encode() for source in SOURCES)]
