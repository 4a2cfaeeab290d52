"""What spans the time of a stage for a tracer. By default nothing does."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

StageSpan = Callable[[str], AbstractContextManager[object]]

_NOTHING = nullcontext()


def no_span(stage: str) -> AbstractContextManager[object]:
    """Span nothing."""
    return _NOTHING
