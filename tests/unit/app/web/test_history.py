"""An hour of figures, out of counters that workers start again from 0."""

from app.store.answers import LiveFigures, WorkerFigures, sum_figures
from app.web.history import POINTS, FeedEntry, History

START = 1_760_000_000.0


def live(**views: int) -> LiveFigures:
    """Return figures of workers by name, which accepted so many views."""
    return sum_figures(
        [
            WorkerFigures(
                name, START, accepted=count, kinds={"view": count}, reasons={"too_old": count // 10}, ready=True
            )
            for name, count in views.items()
        ]
    )


def filled(*steps: LiveFigures) -> History:
    """Return a history that took these figures, 5 s apart."""
    history = History()
    for number, figures in enumerate(steps):
        history.add(START + 5 * number, figures)
    return history


def test_counters_become_rates_of_five_seconds() -> None:
    (first, second) = filled(live(w=100), live(w=200), live(w=250)).since(0.0)["points"]
    assert (first["at"], first["kinds"], first["reasons"]) == (START + 5, {"view": 20.0}, {"too_old": 10})
    assert (second["kinds"], second["ready"], second["workers"]) == ({"view": 10.0}, 1, 1)


def test_figures_within_five_seconds_make_no_point_of_their_own() -> None:
    history = History()
    for second in range(11):
        history.add(START + second, live(w=10 * second))
    assert [point["kinds"] for point in history.since(0.0)["points"]] == [{"view": 10.0}, {"view": 10.0}]


def test_a_worker_that_starts_again_or_joins_takes_nothing_away_and_adds_no_past() -> None:
    points = filled(live(a=1000, b=50), live(a=20, b=100, c=9_000_000), live(a=70, b=100, c=9_000_050)).since(0.0)[
        "points"
    ]
    assert [point["kinds"]["view"] for point in points] == [10.0, 20.0]


def test_only_what_came_after_is_told_again() -> None:
    history = filled(live(w=0), live(w=5), live(w=10))
    assert [point["at"] for point in history.since(START + 5)["points"]] == [START + 10]
    assert history.since(START + 10)["points"] == []


def test_one_hour_is_kept() -> None:
    history = filled(*(live(w=number) for number in range(POINTS + 10)))
    points = history.since(0.0)["points"]
    assert len(points) == POINTS
    assert points[-1]["at"] - points[0]["at"] == 3600 - 5


def test_a_clock_that_is_set_back_ends_nothing() -> None:
    history = filled(live(w=0))
    for second in (-3600, -3595):
        history.add(START + second, live(w=3600 + second))
    assert [point["kinds"] for point in history.since(0.0)["points"]] == [{"view": 1.0}]


def test_a_store_that_is_away_is_told_with_the_last_figures() -> None:
    history = filled(live(w=7))
    history.miss(START + 1, "away")
    assert (history.since(0.0)["problem"], history.since(0.0)["live"]["accepted"]) == ("away", 7)
    history.add(START + 2, live(w=8))
    assert history.since(0.0)["problem"] == ""


def test_the_newest_lists_go_with_time_and_with_their_user() -> None:
    history = History()
    history.add(START, live(w=0), [FeedEntry(START, user, {"kind": "view"}, ()) for user in ("ann", "bob")])
    history.drop({"bob"})
    assert [entry["user_id"] for entry in history.since(0.0)["feed"]] == ["ann"]
    history.add(START + 3600, live(w=0))
    assert history.since(0.0)["feed"] == []
