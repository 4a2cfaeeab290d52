"""The one way in which Headrace compiles a function with numba, so that every kernel is cached and typed alike."""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile `function` at its first call, keep the machine code on disk, and run without the interpreter's lock.

    Numba sees a change only in the file of the function itself, so a kernel calls kernels of its own file only.
    """
    return cast(F, njit(cache=True, nogil=True, error_model="numpy")(function))
