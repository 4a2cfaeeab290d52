"""ONNX graphs rewritten: pooling and normalisation put inside, what is the same in every run taken
out.

Needs the package `onnx` of the extra `export`; nothing that runs in a worker imports this file.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export.quantisation import Floats

# By name, because type checkers take the folder `onnx/` of this repository for the package.
onnx: Any = import_module("onnx")
helper: Any = import_module("onnx.helper")
numpy_helper: Any = import_module("onnx.numpy_helper")
FLOAT = 1  # TensorProto.FLOAT

VECTOR = "embedding"
BATCH_AND_LENGTH = 2
SHORTEST = 1e-12


@dataclass(frozen=True, slots=True)
class Linear:
    """A matrix product with fixed weights (k, n), and the bias added to it where there is one."""

    node: Any
    bias_node: Any | None
    weights: Floats
    bias: Floats

    @property
    def input(self) -> str:
        """The tensor that is multiplied."""
        return str(self.node.input[0])

    @property
    def output(self) -> str:
        """The tensor after the bias."""
        return str((self.bias_node or self.node).output[0])


class Graph:
    """A model's graph, and what is asked of it most: who makes a tensor, who reads it, what is
    fixed.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.fixed = {each.name: each for each in model.graph.initializer}
        self.makers = {output: node for node in model.graph.node for output in node.output}
        self.readers: dict[str, list[Any]] = {}
        for node in model.graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)

    def linears(self) -> list[Linear]:
        """Every matrix product with fixed weights, in the order of computation."""
        products = (node for node in self.model.graph.node if node.op_type == "MatMul" and node.input[1] in self.fixed)
        return [self._linear(node) for node in products]

    def value(self, name: str) -> NDArray[Any]:
        """The value of a fixed tensor."""
        return np.asarray(numpy_helper.to_array(self.fixed[name]))

    def constant(self, name: str) -> NDArray[Any] | None:
        """The value of a tensor that is fixed or made by a Constant node, else None."""
        if name in self.fixed:
            return self.value(name)
        maker = self.makers.get(name)
        if maker is None or maker.op_type != "Constant":
            return None
        return np.asarray(numpy_helper.to_array(maker.attribute[0].t))

    def _linear(self, node: Any) -> Linear:
        weights = numpy_helper.to_array(self.fixed[node.input[1]])
        readers = self.readers.get(node.output[0], [])
        if len(readers) == 1 and readers[0].op_type == "Add":
            others = [name for name in readers[0].input if name != node.output[0]]
            if others and others[0] in self.fixed:
                return Linear(node, readers[0], weights, numpy_helper.to_array(self.fixed[others[0]]))
        return Linear(node, None, weights, np.zeros(weights.shape[1], np.float32))


def add_pooling(model: Any, pooling: str) -> None:
    """Make the graph's output one unit vector a text, `embedding` (batch, dim), from its token
    vectors.

    `pooling` is "mean" (over the tokens that the mask keeps) or "cls" (the first token).
    """
    tokens = model.graph.output[0]
    dimension = tokens.type.tensor_type.shape.dim[2].dim_value
    nodes, fixed = (_mean if pooling == "mean" else _first)(tokens.name)
    nodes += [
        helper.make_node("ReduceL2", ["pool_vector", "pool_last"], ["pool_length"], keepdims=1),
        helper.make_node("Max", ["pool_length", "pool_shortest"], ["pool_divisor"]),
        helper.make_node("Div", ["pool_vector", "pool_divisor"], [VECTOR]),
    ]
    fixed |= {"pool_last": np.array([-1]), "pool_shortest": np.array(SHORTEST, np.float32)}
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in fixed.items())
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(VECTOR, FLOAT, ["batch_size", dimension]))


def drop_token_types(model: Any) -> None:
    """Take the input `token_type_ids` away, which is 0 for every token of a single text."""
    readers = Graph(model).readers.get("token_type_ids", [])
    if len(readers) != 1 or readers[0].op_type != "Gather":
        return
    table = numpy_helper.to_array(Graph(model).fixed[readers[0].input[0]])
    model.graph.initializer.append(numpy_helper.from_array(table[0].copy(), readers[0].output[0]))
    model.graph.node.remove(readers[0])
    kept = [each for each in model.graph.input if each.name != "token_type_ids"]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    drop_unread(model)


def fix_reshapes(model: Any) -> None:
    """Spare the graph from computing, in every run, shapes that only repeat batch and length.

    Where a shape is joined from pieces and only the first are computed, a 0 says the same: as long
    as the input.
    """
    graph = Graph(model)
    for node in model.graph.node:
        joined = graph.makers.get(node.input[1]) if node.op_type == "Reshape" else None
        if joined is None or joined.op_type != "Concat":
            continue
        pieces = [graph.constant(name) for name in joined.input]
        leading = next((at for at, piece in enumerate(pieces) if piece is not None), 0)
        given = [np.ravel(piece) for piece in pieces[leading:] if piece is not None]
        if 0 < leading <= BATCH_AND_LENGTH and len(given) == len(pieces) - leading:
            shape = np.concatenate([np.zeros(leading, np.int64), *given])
            name = f"{node.output[0]}_shape"
            model.graph.initializer.append(numpy_helper.from_array(shape.astype(np.int64), name))
            node.input[1] = name
    drop_unread(model)


def up_to(model: Any, name: str) -> Any:
    """A copy of the model that gives the named tensor inside it, and computes nothing beyond it."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    copy.graph.output.append(onnx.ValueInfoProto(name=name))
    drop_unread(copy)
    return copy


def drop_unread(model: Any) -> None:
    """Remove the nodes and the fixed tensors that nothing reads any more."""
    wanted = {each.name for each in model.graph.output}
    kept_nodes = []
    for node in reversed(model.graph.node):  # a node comes before those that read it
        if wanted & set(node.output):
            wanted.update(node.input)
            kept_nodes.append(node)
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in reversed(kept_nodes)]
    del model.graph.node[:]
    model.graph.node.extend(copies)
    read = {name for node in model.graph.node for name in node.input}
    kept = [each for each in model.graph.initializer if each.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


def _mean(tokens: str) -> tuple[list[Any], dict[str, NDArray[Any]]]:
    return [
        helper.make_node("Unsqueeze", ["attention_mask", "pool_end"], ["pool_mask"]),
        helper.make_node("Cast", ["pool_mask"], ["pool_weights"], to=FLOAT),
        helper.make_node("Mul", [tokens, "pool_weights"], ["pool_kept"]),
        helper.make_node("ReduceSum", ["pool_kept", "pool_axis"], ["pool_sum"], keepdims=0),
        helper.make_node("ReduceSum", ["pool_weights", "pool_axis"], ["pool_count"], keepdims=0),
        helper.make_node("Div", ["pool_sum", "pool_count"], ["pool_vector"]),
    ], {"pool_end": np.array([-1]), "pool_axis": np.array([1])}


def _first(tokens: str) -> tuple[list[Any], dict[str, NDArray[Any]]]:
    return [helper.make_node("Gather", [tokens, "pool_first"], ["pool_vector"], axis=1)], {"pool_first": np.array(0)}
