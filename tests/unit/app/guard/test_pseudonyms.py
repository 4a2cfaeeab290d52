"""Logs and reports name users by keyed hashes."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.audit import Difference, ProfileFault, Report
from app.commands.audit import as_json, as_text
from app.concerns import LogSettings
from app.guard.pseudonyms import Pseudonyms
from app.logs import configure_logs
from app.settings import InvalidSetting, load

NAMES = Pseudonyms.of_settings(LogSettings(pseudonym_key="a-key-for-tests-0123456789"))


def test_one_user_has_one_pseudonym_under_one_key_and_others_under_others() -> None:
    again = Pseudonyms.of_settings(LogSettings(pseudonym_key="a-key-for-tests-0123456789"))
    other = Pseudonyms.of_settings(LogSettings(pseudonym_key="another-key-for-tests-01234"))
    assert NAMES.of("ada") == again.of("ada") != other.of("ada")
    assert NAMES.of("ada") != NAMES.of("bob")
    assert Pseudonyms().of("ada") != Pseudonyms().of("ada")


@given(st.text(min_size=5).filter(lambda text: text not in "user-0123456789abcdef"))
def test_a_pseudonym_holds_nothing_of_the_id(user_id: str) -> None:
    assert user_id not in NAMES.of(user_id)
    assert len(NAMES.of(user_id)) == 21


@pytest.mark.parametrize("user_id", ["ada", "session:1/2", "a b", "a'b", "{ada}", "ada@example.com", "茶"])
@pytest.mark.parametrize(
    "form", ["GET hr:rec:{{{}}}", "(HSET hr:profile:{{{}}}) of pipeline", "'shop:rec:{{{}}}': OOM"]
)
def test_ids_in_the_names_of_keys_are_replaced(user_id: str, form: str) -> None:
    shown = NAMES.in_text(form.format(user_id))
    assert user_id not in shown
    assert NAMES.of(user_id) in shown


@pytest.mark.parametrize("text", ["hr:rec:{<user_id>", "no key", "hr:item:{kettle}", "hr:trending"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert NAMES.in_text(text) == text


@pytest.fixture
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.usefixtures("root_logger")
@pytest.mark.parametrize("form", ["text", "json"])
def test_logs_name_no_user_in_messages_and_tracebacks(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogSettings(format=form), NAMES.in_text)
    try:
        raise ValueError("WRONGTYPE hr:profile:{ada-lovelace}")
    except ValueError:
        logging.getLogger("redis").exception("Command # 1 (GET hr:rec:{ada-lovelace}) caused error")
    line = capsys.readouterr().err
    assert "ada-lovelace" not in line
    assert line.count(NAMES.of("ada-lovelace")) >= 2


def test_an_audit_names_users_by_pseudonyms() -> None:
    report = Report()
    report.add(Difference("ada-lovelace", ProfileFault.MISSING))
    for text in ("\n".join(as_text(report, NAMES.of)), str(as_json(report, 1.0, NAMES.of))):
        assert "ada-lovelace" not in text
        assert NAMES.of("ada-lovelace") in text
    assert "ada-lovelace" in "\n".join(as_text(report, str))


def test_a_short_key_is_refused_without_showing_it() -> None:
    with pytest.raises(InvalidSetting, match=r"HEADRACE_LOG_PSEUDONYM_KEY='\*\*\*': use at least 16") as raised:
        load({"HEADRACE_LOG_PSEUDONYM_KEY": "tooshort"})
    assert "tooshort" not in str(raised.value)
