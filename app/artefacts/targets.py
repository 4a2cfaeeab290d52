"""A figure that is measured against a bound."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """One figure, its bound, and whether a higher figure is better."""

    name: str
    value: float
    bound: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        """Return whether the figure keeps its bound."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound
