"""Compile functions with numba, with common options for the cache, the lock and errors."""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile `function` at its first call; it runs without the interpreter's lock.

    The machine code is kept on disk. Numba's cache sees changes in the file of the function only,
    so a kernel may call only kernels of its own file. The cache loads the types of the arguments
    before it checks whether the file changed, and names the cached file by the function's line. So
    when a tuple type that kernels take is renamed, move the kernels by at least one line; otherwise
    a worker that still has the old cache fails at its start.
    """
    return cast(F, njit(cache=True, nogil=True, error_model="numpy")(function))


def summing_kernel(function: F) -> F:
    """Compile `function` as `kernel` does, and let its sums be taken in any order.

    So they run on whole vector registers. The order is fixed when the function is compiled: equal
    arguments give equal results on one machine.
    """
    return cast(F, njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})(function))
