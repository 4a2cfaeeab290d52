"""Holds what the worker's probes answer: which dependencies are away, whether it is starting."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Health:
    """The worker's state, as its parts report it.

    A dependency has many callers. It is away while any of them fails: one caller's success says
    nothing about the others.
    """

    starting: str = "the index is being rebuilt from the log"
    # another reason why the worker is not ready; empty when there is none
    also: Callable[[], str] = lambda: ""
    _failing: dict[str, dict[object, str]] = field(default_factory=dict)

    def fails(self, name: str, caller: object, error: str) -> bool:
        """Note that a call of this caller failed. Returns True when no other caller was failing."""
        is_first = name not in self._failing
        self._failing.setdefault(name, {})[caller] = error
        return is_first

    def works(self, name: str, caller: object) -> bool:
        """Note that this caller got its answer.

        Returns True when it was the last one that was failing.
        """
        failing = self._failing.get(name, {})
        if failing.pop(caller, None) is None or failing:
            return False
        del self._failing[name]
        return True

    @property
    def away(self) -> dict[str, str]:
        """Return the newest error of each dependency that is away."""
        return {name: list(errors.values())[-1] for name, errors in self._failing.items()}

    @property
    def ready(self) -> bool:
        """Return True while events lead to lists without delay."""
        return not self._reasons()

    @property
    def detail(self) -> str:
        """Return why the worker is not ready; an empty text when it is ready."""
        return "; ".join(self._reasons())

    def _reasons(self) -> list[str]:
        reasons = [self.starting, self.also(), *(f"{name} is away: {error}" for name, error in self.away.items())]
        return [reason for reason in reasons if reason]
