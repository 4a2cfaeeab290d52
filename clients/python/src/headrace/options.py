"""What a look-up of a list may ask for besides the user."""

from dataclasses import dataclass

from headrace.rules import NO_RULES, Rules


@dataclass(frozen=True, slots=True)
class ListOptions:
    """How a list is wanted.

    `explain`: each item has its reason. `rules`: those of the settings, then those of the request.
    `page`: the mark of a page; None for a list without pages.
    """

    explain: bool = False
    rules: tuple[Rules, ...] = ()
    page: str | None = None

    @classmethod
    def of(cls, *rules: Rules, explain: bool = False, page: str | None = None) -> "ListOptions":
        """Return the options with those of the rules that say anything."""
        return cls(explain, tuple(each for each in rules if each != NO_RULES), page)

    @property
    def is_plain(self) -> bool:
        """Whether the stored list is wanted as it is."""
        return not self.rules and self.page is None


PLAIN = ListOptions()
EXPLAINED = ListOptions(explain=True)
