"""How well a fault is found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detection:
    """How a fault was found: `found` of the `injected` ones had its outcome, as had `others` that
    do not have this fault.
    """

    injected: int
    found: int
    others: int

    @property
    def recall(self) -> float:
        """Return the share of the faulty ones that was found."""
        return self.found / max(self.injected, 1)

    @property
    def precision(self) -> float:
        """Return the share of the faulty ones among all that had the outcome."""
        return self.found / max(self.found + self.others, 1)
