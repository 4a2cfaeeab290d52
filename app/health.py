"""What the worker's probes answer: which dependencies are away, and whether it is still starting."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Health:
    """The worker's state as its parts report it."""

    away: dict[str, str] = field(default_factory=dict)
    starting: str = "the index is being rebuilt from the log"

    @property
    def ready(self) -> bool:
        """True while events lead to lists without delay."""
        return not self.starting and not self.away

    @property
    def detail(self) -> str:
        """Why the worker is not ready, in words; empty when it is."""
        reasons = [self.starting] if self.starting else []
        reasons += [f"{name} is away: {error}" for name, error in self.away.items()]
        return "; ".join(reasons)
