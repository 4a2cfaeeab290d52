"""What must hold for any candidates: compiled ranking gives the lists of the naive one, written as
orjson does.
"""

import numpy as np
import orjson
from builders import NOW
from compiled import rank
from hypothesis import given
from hypothesis import strategies as st
from reference import Found
from reference import rank as naive_rank
from reference import round_share as naive_round_share

from models.catalogue import Catalogue
from models.contract.events import Item
from models.contract.json_names import JsonNames
from models.contract.list_writer import put_decimal
from models.contract.lists import Recommendation, encode_recommendation
from models.neighbours.name_table import NameTable
from models.ranking.kernel import round_score, round_share
from models.ranking.list_encoding import Made, encode_lists
from models.ranking.lists import RankedLists
from models.ranking.popularity import popularity
from models.trending import Popular, Trending, TrendingSettings
from models.users.arrays import Names
from models.vocabulary import Vocabulary

NAMES = ["a", "b", "ab", "é", "商", "🦆", "z" * 9, "Z"]
# Scores that are equal once they are rounded, that lie in the middle of two, and any others.
scores = st.sampled_from([0.5, 0.50000001, 0.0078125, 2.5e-6, 1e-9, 0.1, 3.0]) | st.floats(1e-12, 1e6)
names = st.sampled_from(NAMES)
founds = st.builds(
    Found, st.dictionaries(names, scores).map(lambda found: list(found.items())), st.sets(names), st.sets(names)
)
shares = st.sampled_from([1.0, 0.5, 0.25, 1e-5, 2e-9, 1e-300]) | st.floats(0, 1, exclude_min=True)
# Scores of fallbacks: of every size, and in the middle of two numbers of 6 digits.
fallback_scores = (
    st.floats(0, 1, exclude_min=True)
    | st.builds(lambda digits, power: digits * 10.0**-power, st.floats(1, 10), st.integers(0, 14))
    | st.builds(lambda half, power: (half + 0.5) / 2.0**power, st.integers(10**5, 10**6), st.integers(18, 60))
)


@st.composite
def trending(draw: st.DrawFn) -> list[Popular]:
    found = draw(st.dictionaries(names, shares))
    return sorted(Popular(-share, name, 0) for name, share in found.items())


@given(founds, st.lists(trending(), max_size=3), trending(), st.sets(names), st.integers(1, 10))
def test_ranking_gives_the_naive_lists(
    found: Found, categories: list[list[Popular]], overall: list[Popular], excluded: set[str], size: int
) -> None:
    fallbacks = [*(("category", row) for row in categories), ("trending", overall)]
    allowed = Found([pair for pair in found.scored if pair[0] not in excluded], found.by_meaning, found.reserved)
    assert rank(allowed, fallbacks, excluded, size) == naive_rank(allowed, fallbacks, excluded, size)


@given(
    st.floats(0, 1e9)
    | st.integers(0, 10**12).map(lambda n: (n + 0.5) / 1e6)
    | st.integers(0, 10**9).map(lambda n: n / 128)
)
def test_scores_are_rounded_as_python_rounds(score: float) -> None:
    assert round_score(score) == round(score, 6)


@given(st.floats(0, 1e12) | st.integers(0, 10**15).map(lambda n: n / 1e6) | st.floats(2**29, 2**32))
def test_a_number_is_written_as_orjson_writes_it_or_not_at_all(value: float) -> None:
    data = np.zeros(40, np.uint8)
    end = put_decimal(data, 0, value)
    assert end == -1 or data[:end].tobytes() == orjson.dumps(value)
    if (value <= 1e9 and value == round(value, 6)) or 2**29 <= value < 2**32:
        assert end != -1


@given(fallback_scores)
def test_scores_of_fallbacks_are_rounded_to_6_significant_digits(score: float) -> None:
    assert round_share(score) == naive_round_share(score)


@given(fallback_scores)
def test_the_score_of_a_fallback_is_written_as_orjson_writes_it(score: float) -> None:
    data = np.zeros(40, np.uint8)
    rounded = round_share(score)
    end = put_decimal(data, 0, rounded)
    assert end == -1 or data[:end].tobytes() == orjson.dumps(rounded)
    if rounded > 1e-17:
        assert end != -1


users = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(
    st.lists(st.tuples(users, st.lists(st.tuples(names, scores, st.integers(0, 3)), max_size=4), st.floats(0, 2e9))),
    st.floats(0, 2e9),
)
def test_lists_are_written_as_orjson_writes_them(
    rows: list[tuple[str, list[tuple[str, float, int]], float]], now: float
) -> None:
    items, made = Vocabulary(), Made(now, "m")
    lists = RankedLists.empty(len(rows), 4)
    for row, (_, listed, _) in enumerate(rows):
        for place, (name, score, source) in enumerate(listed):
            lists.items[row, place], lists.sources[row, place] = items.number(name), source
            lists.scores[row, place] = [score, round_score(score), round_share(score)][place % 3]
    user_ids, event_ts = [user for user, _, _ in rows], np.array([ts for _, _, ts in rows])
    written = encode_lists(user_ids, lists, event_ts, JsonNames(items), made)
    assert written == [
        encode_recommendation(Recommendation(user, lists.ranking(row, items.names), ts, *made))
        for row, (user, _, ts) in enumerate(rows)
    ]


interactions = st.tuples(st.integers(0, 40).map(str), st.sampled_from([NOW, NOW - 3600, NOW - 86_400]))


@given(st.lists(interactions, max_size=60), st.integers(1, 8), st.integers(0, 3))
def test_trending_lists_are_the_same_as_arrays_and_by_name(
    log: list[tuple[str, float]], n: int, categories: int
) -> None:
    items = Vocabulary()
    catalogue, counted, table = Catalogue(items), Trending(TrendingSettings()), NameTable(items)
    counted.update(items.numbers(name for name, _ in log), np.array([ts for _, ts in log]), np.ones(len(log)))
    for name in items.names[: 3 * len(items) // 4]:
        category = f"c{int(name) % categories}" if categories else ""
        catalogue.upsert(Item(name, name, category=category, available=int(name) % 7 != 0))
    table.catch_up()
    by_name = counted.lists(catalogue, items.names, n)
    count = len(catalogue.categories)
    arrays = popularity(counted.pool(catalogue), catalogue.category, count, Names(table.text, table.starts), n)
    found = [
        [(items.names[item], share) for item, share in zip(arrays.items[a:b], arrays.shares[a:b], strict=True)]
        for a, b in zip(arrays.starts[:-1], arrays.starts[1:], strict=True)
    ]
    expected = [*(by_name.by_category.get(category, ()) for category in range(count)), by_name.overall]
    assert found == [[(each.item_id, -each.minus_share) for each in row] for row in expected]
