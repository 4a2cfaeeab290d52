"""ONNX graphs rewritten: pooling and normalisation put inside, linear layers and word tables made integer.

Needs the package `onnx` of the extra `export`; nothing that runs in a worker imports this file.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.quantisation import Floats, QuantisedLinear, fit_linear, quantise_rows

# By name, because type checkers take the folder `onnx/` of this repository for the package.
onnx: Any = import_module("onnx")
helper: Any = import_module("onnx.helper")
numpy_helper: Any = import_module("onnx.numpy_helper")
FLOAT = 1  # TensorProto.FLOAT

VECTOR = "embedding"
CONTRIB = "com.microsoft"
ELEMENTWISE = ("Gelu", "Relu", "Tanh", "Elu", "HardSwish")
# Lanes for channels that reach far. They cost next to nothing where the layer before can make them.
INNER_LANES, LANES = 64, 16
FAR_REACH = 4.0
LARGE_TABLE_ROWS = 1_000
SHORTEST = 1e-12

Sample = Callable[[str], Floats]


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
    """A model's graph, and what is asked of it most: who makes a tensor, who reads it, what is fixed."""

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

    def _linear(self, node: Any) -> Linear:
        weights = numpy_helper.to_array(self.fixed[node.input[1]])
        readers = self.readers.get(node.output[0], [])
        if len(readers) == 1 and readers[0].op_type == "Add":
            others = [name for name in readers[0].input if name != node.output[0]]
            if others and others[0] in self.fixed:
                return Linear(node, readers[0], weights, numpy_helper.to_array(self.fixed[others[0]]))
        return Linear(node, None, weights, np.zeros(weights.shape[1], np.float32))


def add_pooling(model: Any, pooling: str) -> None:
    """Make the graph's output one unit vector a text, `embedding` (batch, dim), from its token vectors.

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


def with_outputs(model: Any, names: Iterable[str]) -> Any:
    """A copy of the model that also gives the named tensors inside it."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    copy.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return copy


def drop_unread(model: Any) -> None:
    """Remove the fixed tensors that nothing reads any more."""
    read = {name for node in model.graph.node for name in node.input}
    kept = [each for each in model.graph.initializer if each.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


def quantise(model: Any, sample: Sample) -> None:
    """Turn every linear layer and every large table of the graph into 8-bit integers with fixed scales.

    `sample(name)` gives the values of a tensor inside the graph for typical texts, shape (tokens, channels).
    """
    graph = Graph(model)
    rewriter = Rewriter(model)
    pairs = _inner_pairs(graph)
    inner = {second.output: fit_linear(sample(second.input), second.weights, INNER_LANES) for second in pairs.values()}
    for name, linears in _by_input(graph.linears()).items():
        if linears[0].output in inner:
            fit = inner[linears[0].output]
            ready = name
        else:
            fit = _fit(sample(name), linears)
            ready = rewriter.lanes(name, fit, linears[0].node)
        integers = rewriter.integers(ready, fit, linears[0].node)
        start = 0
        for linear in linears:
            columns = np.arange(start, start + len(linear.bias))
            start += len(linear.bias)
            # The layer before makes the lanes of the layer after: some of its outputs are simply given twice.
            made = inner[pairs[linear.output].output].sources if linear.output in pairs else np.arange(len(columns))
            rewriter.replace(
                linear,
                rewriter.product(integers, fit.columns(columns[made]), linear.bias[made], linear.output),
            )
    _quantise_tables(graph, rewriter)
    rewriter.finish()


def _fit(x: Floats, linears: Sequence[Linear]) -> QuantisedLinear:
    reach = np.abs(x).max(0)
    lanes = LANES if reach.max() > FAR_REACH * np.median(reach) else 0
    return fit_linear(x, np.concatenate([linear.weights for linear in linears], axis=1), lanes)


class Rewriter:
    """Collects new nodes in the place of old ones, and writes them into the model at the end."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._before: dict[int, list[Any]] = {}
        self._instead: dict[int, list[Any]] = {}
        self._count = 0

    def keep(self, value: NDArray[Any]) -> str:
        """Store a fixed tensor; its new name."""
        self._count += 1
        name = f"fixed_{self._count}"
        self._model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def replace(self, linear: Linear, node: Any) -> None:
        """Put a node in the place of a linear layer and its bias."""
        self.put(linear.node, [node])
        if linear.bias_node is not None:
            self.put(linear.bias_node, [])

    def put(self, node: Any, nodes: Sequence[Any]) -> None:
        """Put nodes, or nothing, in the place of one node."""
        self._instead[id(node)] = list(nodes)

    def lanes(self, name: str, fit: QuantisedLinear, before: Any) -> str:
        """The tensor with the lanes of `fit` behind its own channels; its name."""
        inputs = int(fit.sources.max()) + 1
        if len(fit.sources) == inputs:
            return name
        added, all_lanes = f"{name}_added", f"{name}_lanes"
        self._insert(helper.make_node("Gather", [name, self.keep(fit.sources[inputs:])], [added], axis=-1), before)
        self._insert(helper.make_node("Concat", [name, added], [all_lanes], axis=-1), before)
        return all_lanes

    def integers(self, name: str, fit: QuantisedLinear, before: Any) -> str:
        """The lanes as unsigned 8-bit integers in the scales of `fit`; the integers' name."""
        smooth, quantised = f"{name}_smooth", f"{name}_integers"
        scale, zero = self._scale(fit), self.keep(np.array(fit.zero_point, np.uint8))
        if np.ptp(fit.input_scales) > 0:
            self._insert(helper.make_node("Mul", [name, self.keep(1 / fit.input_scales)], [smooth]), before)
            name = smooth
        self._insert(helper.make_node("QuantizeLinear", [name, scale, zero], [quantised]), before)
        return quantised

    def _insert(self, node: Any, before: Any) -> None:
        self._before.setdefault(id(before), []).append(node)

    def _scale(self, fit: QuantisedLinear) -> str:
        uniform = np.ptp(fit.input_scales) == 0
        return self.keep(fit.input_scales[0] if uniform else np.array(1, np.float32))

    def product(self, integers: str, fit: QuantisedLinear, bias: Floats, output: str) -> Any:
        """The node that multiplies integers by the weights of `fit` and gives floats again, `bias` added."""
        inputs = [
            integers,
            self.keep(fit.weights),
            self._scale(fit),
            self.keep(fit.weight_scales),
            self.keep(np.array(fit.zero_point, np.uint8)),
            self.keep(np.zeros(len(fit.bias), np.int8)),
            self.keep(fit.bias + bias),
        ]
        return helper.make_node("MatMulIntegerToFloat", inputs, [output], domain=CONTRIB)

    def finish(self) -> None:
        """Write the new nodes into the model, and drop what is no longer read."""
        nodes: list[Any] = []
        for node in self._model.graph.node:
            nodes += self._before.get(id(node), [])
            nodes += self._instead.get(id(node), [node])
        copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
        del self._model.graph.node[:]
        self._model.graph.node.extend(copies)
        if all(each.domain != CONTRIB for each in self._model.opset_import):
            self._model.opset_import.append(helper.make_opsetid(CONTRIB, 1))
        drop_unread(self._model)


def _inner_pairs(graph: Graph) -> dict[str, Linear]:
    """By the output of a linear layer: the layer after it, if only an elementwise function lies between."""
    outputs = {linear.output for linear in graph.linears()}
    pairs = {}
    for linear in graph.linears():
        between = graph.makers.get(linear.input)
        if between is None or between.op_type not in ELEMENTWISE or between.input[0] not in outputs:
            continue
        if len(graph.readers[linear.input]) == len(graph.readers[between.input[0]]) == 1:
            pairs[str(between.input[0])] = linear
    return pairs


def _by_input(linears: Sequence[Linear]) -> dict[str, list[Linear]]:
    shared: dict[str, list[Linear]] = {}
    for linear in linears:
        shared.setdefault(linear.input, []).append(linear)
    return shared


def _quantise_tables(graph: Graph, rewriter: Rewriter) -> None:
    for node in graph.model.graph.node:
        if node.op_type != "Gather" or node.input[0] not in graph.fixed:
            continue
        table = numpy_helper.to_array(graph.fixed[node.input[0]])
        if table.dtype != np.float32 or table.ndim != 2 or len(table) < LARGE_TABLE_ROWS:
            continue
        integers, scales = quantise_rows(table)
        rows, steps, sizes = (f"{node.output[0]}_{word}" for word in ("rows", "steps", "sizes"))
        rewriter.put(
            node,
            [
                helper.make_node("Gather", [rewriter.keep(integers), node.input[1]], [rows]),
                helper.make_node("Gather", [rewriter.keep(scales), node.input[1]], [sizes]),
                helper.make_node("Cast", [rows], [steps], to=FLOAT),
                helper.make_node("Mul", [steps, sizes], [node.output[0]]),
            ],
        )


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
