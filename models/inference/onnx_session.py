"""The one wrapper of onnxruntime: a model opened on the best provider, and which one that turned out to be.

onnxruntime falls back in silence, even from a CUDA that its wheel lists and the machine lacks; here that is
a value.
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
    """An input or output of a graph; an axis of variable length is a name, one of fixed length a number."""

    name: str
    type: str
    shape: tuple[str | int, ...]


class OnnxSession:
    """An open model.

    `provider` is the execution provider in force, as the session itself reports it; `fallback` says in words
    what was wanted and is not in force, or is None (the caller logs it as a warning).
    """

    def __init__(self, model: Path | bytes, settings: InferenceSettings | None = None) -> None:
        """Open a model file, or its content; raises what onnxruntime raises for a file that is missing or no model."""
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
        """The graph's outputs, in the order of `outputs`. Safe to call from several threads at once."""
        return self._session.run(None, dict(feeds))  # type: ignore[no-any-return]  # onnxruntime has no types


def choose_providers(choice: str, available: Sequence[str]) -> list[str]:
    """The providers to ask for, best first: CUDA when listed and not declined, and always the CPU last."""
    cuda = choice in ("auto", "cuda") and CUDA in available
    return [CUDA, CPU] if cuda else [CPU]


def describe_fallback(choice: str, available: Sequence[str], in_force: str) -> str | None:
    """What was wanted and is not in force, with advice; None when the choice was met."""
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
