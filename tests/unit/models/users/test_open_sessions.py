"""Sessions of a log that names none."""

from builders import MINUTE, NOW
from hypothesis import given
from hypothesis import strategies as st
from reference import locate_session

from models.profile import Session
from models.users.open_sessions import OpenSessions

pauses = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([0.0, 1.0, 29.0, 30.0, 31.0])), max_size=12)


@given(pauses)
def test_each_event_is_in_the_session_that_the_rule_says(log: list[tuple[str, float]]) -> None:
    found, ts = OpenSessions(), NOW
    naive: dict[str, Session | None] = {}
    for user, minutes in log:
        ts += minutes * MINUTE
        naive[user], expected = locate_session(naive.get(user), user, ts)
        assert found.name(user, ts) == expected
