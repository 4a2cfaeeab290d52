"""The rules of the shop for all lists that `headrace serve` answers, as settings."""

from dataclasses import dataclass, fields, replace
from urllib.parse import unquote

from app.errors import UnusableSetting
from headrace.rules import NO_RULES, BadRule, Rules, read_rules
from models.setting import setting

MOST_VALUES = 10_000
SEVERAL = "several separated by commas, a comma in one as %2C"


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """Each setting is written as the query parameter of the same name.

    docs/reading-lists.md describes them.
    """

    category: str = setting("", f"list only items of these categories and those below; {SEVERAL}")
    brand: str = setting("", f"list only items of these brands; {SEVERAL}")
    price_from: str = setting("", "list only items that cost at least this; empty: any price")
    price_to: str = setting("", "list only items that cost at most this; empty: any price")
    block: str = setting("", f"ids of items that are never listed; {SEVERAL}")
    block_category: str = setting("", f"categories that are never listed, with those below; {SEVERAL}")
    block_brand: str = setting("", f"brands that are never listed; {SEVERAL}")
    boost: str = setting("", f"factors of scores, such as 2:brand:Acme or 0.5:category:Sale; {SEVERAL}")
    pin: str = setting("", f"items at fixed places, such as 1:ID; {SEVERAL}")
    diversity: str = setting("", "from 0, lists by score, to 1, categories as different as can be; empty: 0")


def rules_of(settings: RuleSettings) -> Rules:
    """Return the rules that the settings say. Raises UnusableSetting."""
    given = {each.name: _values(getattr(settings, each.name)) for each in fields(settings)}
    for name, values in given.items():
        try:
            read_rules({name: values}, MOST_VALUES)
        except BadRule as error:
            raise UnusableSetting(f"HEADRACE_RULES_{name.upper()} cannot be used: {error}") from None
    rules = read_rules(given, MOST_VALUES)
    if rules == NO_RULES:
        return NO_RULES
    # A long list of blocked items is asked for each item of each list.
    return replace(rules, blocked=frozenset(rules.blocked), blocked_brands=frozenset(rules.blocked_brands))


def _values(text: str) -> list[str]:
    """Return the values of a setting.

    >>> _values("Home/Kitchen, Books%2C used")
    ['Home/Kitchen', 'Books, used']
    """
    return [unquote(each.strip()) for each in text.split(",") if each.strip()]
