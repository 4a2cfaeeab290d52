"""Wrap onnxruntime: open a model on the best provider, and tell which one it runs on.

onnxruntime falls back to the CPU without an error, even if its wheel lists CUDA and the machine has
none; `OnnxSession.fallback` tells of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]  # the wheel ships no types
from numpy.typing import NDArray

from models.inference.settings import InferenceSettings

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
ERRORS_ONLY = 3


@dataclass(frozen=True, slots=True)
class Tensor:
    """Describes an input or output of a graph; a name in `shape` is an axis of variable length."""

    name: str
    type: str
    shape: tuple[str | int, ...]


class OnnxSession:
    """Holds an open model and runs it.

    `provider` is the execution provider in force, as the session itself reports it. `fallback` says
    in words which wish was not met, or is None; the caller logs it as a warning.
    """

    def __init__(self, model: Path | bytes, settings: InferenceSettings | None = None) -> None:
        """Open a model file, or its content.

        Raises what onnxruntime raises for a file that is missing or not a model.
        """
        settings = settings or InferenceSettings()
        onnxruntime.disable_telemetry_events()
        available = onnxruntime.get_available_providers()
        wanted = choose_providers(settings.provider, available)
        self._session = onnxruntime.InferenceSession(model, _options(settings), providers=wanted)
        self.provider: str = self._session.get_providers()[0]
        self.fallback = describe_fallback(settings.provider, available, self.provider)
        self.inputs = tuple(_tensor(each) for each in self._session.get_inputs())
        self.outputs = tuple(_tensor(each) for each in self._session.get_outputs())

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Return the graph's outputs, in the order of `outputs`.

        Safe to call from several threads at once.
        """
        return self._session.run(None, dict(feeds))  # type: ignore[no-any-return]  # onnxruntime has no types


def choose_providers(choice: str, available: Sequence[str]) -> list[str]:
    """Return the providers to ask for, best first.

    CUDA is asked for if it is listed and not declined; the CPU is always last.
    """
    cuda = choice in ("auto", "cuda") and CUDA in available
    return [CUDA, CPU] if cuda else [CPU]


def describe_fallback(choice: str, available: Sequence[str], in_force: str) -> str | None:
    """Return a message, with advice, if the provider in force is not the wanted one; else None."""
    if in_force == CUDA or choice == "cpu":
        return None
    if CUDA in available:
        return (
            f"CUDA is listed by onnxruntime but could not be started, so models run on {in_force}: "
            "check the driver, CUDA 13 and cuDNN 9"
        )
    if choice == "cuda":
        return (
            f"CUDA was asked for but this onnxruntime has none, so models run on {in_force}: "
            "install the extra `gpu` in place of `cpu`"
        )
    return None


def _options(settings: InferenceSettings) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    return options


def _tensor(node: Any) -> Tensor:
    return Tensor(node.name, node.type, tuple("?" if axis is None else axis for axis in node.shape))
