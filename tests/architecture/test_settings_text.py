"""Check that `.env.example` and the chart's schema repeat all settings with their defaults."""

import re
from pathlib import Path

from made_pages import assert_up_to_date

from app.settings import load, variables

ROOT = Path(__file__).resolve().parents[2]


def assignments() -> dict[str, str]:
    """Return what `.env.example` would set if every line were uncommented."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^#(HEADRACE_[A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_env_example_lists_exactly_the_settings_with_their_defaults() -> None:
    assert assignments() == {variable.name: variable.default for variable in variables()}


def test_uncommenting_everything_changes_nothing() -> None:
    assert load(assignments()) == load({})


def test_every_setting_says_what_it_means() -> None:
    assert [variable.name for variable in variables() if len(variable.help.split()) < 2] == []


def test_what_repeats_the_settings_is_up_to_date() -> None:
    assert_up_to_date("env_example.py")
