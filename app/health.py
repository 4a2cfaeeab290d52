"""What the worker's probes answer: which dependencies are away, and whether it is still starting."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Health:
    """The worker's state as its parts report it.

    A dependency has many callers. It is away while any of them fails: what works for one tells nothing of the others.
    """

    starting: str = "the index is being rebuilt from the log"
    also: Callable[[], str] = lambda: ""  # what else is in the way now; empty when nothing is
    _failing: dict[str, dict[object, str]] = field(default_factory=dict)

    def fails(self, name: str, caller: object, error: str) -> bool:
        """This caller gets nothing from the dependency; True when it is the first one."""
        is_first = name not in self._failing
        self._failing.setdefault(name, {})[caller] = error
        return is_first

    def works(self, name: str, caller: object) -> bool:
        """This caller got its answer; True when it was the last one that had none."""
        failing = self._failing.get(name, {})
        if failing.pop(caller, None) is None or failing:
            return False
        del self._failing[name]
        return True

    @property
    def away(self) -> dict[str, str]:
        """What each dependency that is away said last."""
        return {name: list(errors.values())[-1] for name, errors in self._failing.items()}

    @property
    def ready(self) -> bool:
        """True while events lead to lists without delay."""
        return not self._reasons()

    @property
    def detail(self) -> str:
        """Why the worker is not ready, in words; empty when it is."""
        return "; ".join(self._reasons())

    def _reasons(self) -> list[str]:
        reasons = [self.starting, self.also(), *(f"{name} is away: {error}" for name, error in self.away.items())]
        return [reason for reason in reasons if reason]
