"""The learned rankers as one ONNX graph, for others to serve.

Needs the package `onnx` (extra `onnx`); nothing that runs in a worker imports this file.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.ranker.features import COUNT
from models.ranker.judge import HIDDEN, LINEAR
from models.ranker.network import Learner
from models.ranker.network_kernel import CLIP, LEAK

# By name, because type checkers take the folder `onnx/` of this repository for the package.
onnx: Any = import_module("onnx")
helper: Any = import_module("onnx.helper")
numpy_helper: Any = import_module("onnx.numpy_helper")

OPSET = 17
IR_VERSION = 8
FLOAT = 1  # TensorProto.FLOAT
INPUT, SCORES = "features", "scores"
OUTPUTS = (SCORES, LINEAR, HIDDEN)
ROWS = "candidates"


def ranker_graph(learner: Learner, better: str, said: Mapping[str, str]) -> bytes:
    """The content of an ONNX file.

    Input: `features` (candidates, COUNT), as `models.ranker.features` declares them. Outputs:
    scores (candidates,) by each ranker under its name, and as `scores` those of `better`. `said`
    goes into the file's metadata.
    """
    network = learner.network
    fixed: dict[str, NDArray[Any]] = {
        "mean": learner.scale.mean,
        "factor": learner.scale.factor,
        "low": np.array(-CLIP, np.float32),
        "high": np.array(CLIP, np.float32),
        "linear_weights": network.linear[:, None],
        "skip": network.skip[:, None],
        "into": network.into.T,
        "bias": network.bias,
        "out": network.out[:, None],
        "columns": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("Sub", [INPUT, "mean"], ["centred"]),
        helper.make_node("Mul", ["centred", "factor"], ["standardised"]),
        helper.make_node("Clip", ["standardised", "low", "high"], ["x"]),
        helper.make_node("MatMul", ["x", "linear_weights"], ["linear_column"]),
        helper.make_node("Squeeze", ["linear_column", "columns"], [LINEAR]),
        helper.make_node("MatMul", ["x", "into"], ["sums"]),
        helper.make_node("Add", ["sums", "bias"], ["before"]),
        helper.make_node("LeakyRelu", ["before"], ["units"], alpha=float(LEAK)),
        helper.make_node("MatMul", ["units", "out"], ["of_units"]),
        helper.make_node("MatMul", ["x", "skip"], ["of_skip"]),
        helper.make_node("Add", ["of_units", "of_skip"], ["hidden_column"]),
        helper.make_node("Squeeze", ["hidden_column", "columns"], [HIDDEN]),
        helper.make_node("Identity", [better], [SCORES]),
    ]
    graph = helper.make_graph(
        nodes,
        "headrace-ranker",
        [helper.make_tensor_value_info(INPUT, FLOAT, [ROWS, COUNT])],
        [helper.make_tensor_value_info(name, FLOAT, [ROWS]) for name in OUTPUTS],
        [_fixed(name, value) for name, value in fixed.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    helper.set_model_props(model, dict(said))
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


def _fixed(name: str, value: NDArray[Any]) -> Any:
    return numpy_helper.from_array(np.ascontiguousarray(value), name)
