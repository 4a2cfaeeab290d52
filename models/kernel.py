"""The one way in which Headrace compiles a function with numba, so that all are cached alike."""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile `function` at its first call, keep its machine code on disk, run it without the interpreter's
    lock.

    Numba's cache sees changes in the file of the function only, so a kernel calls kernels of its own file
    only. It loads the types of the arguments before it looks whether the file changed, and names the cached
    file by the function's line: where a tuple that kernels take gets another name, move the kernels by a
    line, or the cache that a worker has from before ends it.
    """
    return cast(F, njit(cache=True, nogil=True, error_model="numpy")(function))


def summing_kernel(function: F) -> F:
    """A kernel whose sums may be taken in any order, so that they run on whole vector registers.

    The order is fixed when the function is compiled: equal arguments give equal results on one machine.
    """
    return cast(F, njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})(function))
