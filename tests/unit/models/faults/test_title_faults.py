"""Faults of titles are found, and repaired to the title that was true."""

import numpy as np

from models.contract.events import Item
from models.faults.titles import TITLE_FAULTS, find_title_faults
from models.quality.repair import repair_text

NAMES = ("RED MUG", "Glass jar with lid", "Wooden spoon", "Blue tea towel", "Garden lantern", "Cotton bag")
ITEMS = [Item(f"i{n}", f"{NAMES[n % len(NAMES)]} No {n}") for n in range(180)]


def test_each_fault_of_titles_is_found_and_what_can_be_restored_is() -> None:
    found = find_title_faults(ITEMS, 0.5, np.random.default_rng(2))

    assert set(found) == set(TITLE_FAULTS)
    for name, each in found.items():
        assert (each.injected, each.found, each.others) == (10, 10, 0), name
        assert each.restored == 10 or not each.is_repaired, name


def test_a_sound_title_in_which_a_rule_has_a_say_is_a_false_alarm() -> None:
    contacts = [Item(f"c{n}", f"{NAMES[n % 6]} {n}") for n in range(90)]

    found = find_title_faults([*contacts, Item("x", "Spoon  with spaces")], 0.1, np.random.default_rng(2))

    # the spaces are repaired before anything is injected
    assert {each.others for each in found.values()} == {0}


def test_a_misread_trade_mark_after_a_capital_letter_is_repaired() -> None:
    assert repair_text("title", "FAN BLACK FRAMEâ„¢")[0] == "FAN BLACK FRAME\u2122"
