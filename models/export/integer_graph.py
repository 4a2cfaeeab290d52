"""The linear layers and word tables of an ONNX graph turned into 8-bit integers with fixed
scales.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export.graph import FLOAT, Graph, Linear, drop_unread, helper, numpy_helper, onnx
from models.export.quantisation import (
    Floats,
    QuantisedLinear,
    fit_linear,
    in_pairs,
    quantise_rows,
    reaches_too_far,
    round_again,
)

CONTRIB = "com.microsoft"
PRODUCT = "MatMulIntegerToFloat"
ELEMENTWISE = ("Gelu", "Relu", "Tanh", "Elu", "HardSwish")
# Lanes for channels that reach far. They cost next to nothing where the layer before can make them.
INNER_LANES = 32
LANES = 16
FAR_REACH = 6.0
LARGE_TABLE_ROWS = 1_000

Sample = Callable[[str], Floats]


def quantise(model: Any, sample: Sample) -> None:
    """Turn every linear layer and every large table of the graph into 8-bit integers with fixed
    scales.

    `sample(name)` gives the values of a tensor inside the graph for typical texts, shape (tokens,
    channels).
    """
    graph = Graph(model)
    groups = _by_input(graph.linears())
    pairs, values = _inner_pairs(graph), _value_layers(graph)
    inner = {linear.input for linear in pairs.values()}
    fits = {name: _fit(sample(name), linears, name in inner) for name, linears in groups.items()}
    rewriter = Rewriter(model)
    for name, linears in groups.items():
        integers = _integers(rewriter, name, fits[name], linears[0].node, name in inner, name in values.values())
        start = 0
        for linear in linears:
            columns = np.arange(start, start + len(linear.bias))
            start += len(linear.bias)
            fit, bias = fits[name].columns(columns), linear.bias
            if linear.output in pairs:
                # This layer makes the lanes of the one after it: some of its outputs are simply
                # given twice.
                made = fits[pairs[linear.output].input].sources
                fit, bias = fit.columns(made), bias[made]
            if linear.output in values:
                # This layer gives values that attention only averages, so it can give them in the
                # scales wanted there.
                scales = fits[values[linear.output]].input_scales
                fit, bias = fit.divided(scales), bias / scales
            rewriter.replace(linear, rewriter.product(integers, fit, bias, linear.output))
    _quantise_tables(graph, rewriter)
    rewriter.finish()


def bound_pairs(model: Any, sample: Sample) -> int:
    """Round the weights of every integer product again that processors without VNNI would get
    wrong; how many.

    For models made before pairs of weights had a limit. `sample(name)` gives the integers that go
    into a product for typical texts, shape (tokens, k).
    """
    graph = Graph(model)
    wrong = [
        node for node in model.graph.node if node.op_type == PRODUCT and reaches_too_far(graph.value(node.input[1]))
    ]
    for node in wrong:
        _, weights, _, scales, zero_point, _, bias = node.input
        steps = sample(node.input[0]).astype(np.float32) - graph.value(zero_point)
        rounded, new_scales, added = round_again(steps, graph.value(weights), graph.value(scales))
        for name, value in ((weights, rounded), (scales, new_scales), (bias, graph.value(bias) + added)):
            graph.fixed[name].CopyFrom(numpy_helper.from_array(value, name))
    return len(wrong)


def _fit(x: Floats, linears: Sequence[Linear], is_inner: bool) -> QuantisedLinear:
    reach = np.abs(x).max(0)
    lanes = LANES if reach.max() > FAR_REACH * np.median(reach) else 0
    weights = np.concatenate([linear.weights for linear in linears], axis=1)
    # Lanes that the layer before makes cost nothing in any order; others would have to be gathered
    # one by one.
    return fit_linear(x, weights, INNER_LANES, in_pairs) if is_inner else fit_linear(x, weights, lanes)


def _integers(
    rewriter: "Rewriter", name: str, fit: QuantisedLinear, before: Any, has_lanes: bool, is_smooth: bool
) -> str:
    ready = name if has_lanes else rewriter.lanes(name, fit, before)
    return rewriter.integers(ready if is_smooth else rewriter.smooth(ready, fit, before), fit, before)


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

    def smooth(self, name: str, fit: QuantisedLinear, before: Any) -> str:
        """The lanes divided by the scales of `fit`; their name."""
        divided = f"{name}_smooth"
        self._insert(helper.make_node("Mul", [name, self.keep(1 / fit.input_scales)], [divided]), before)
        return divided

    def integers(self, name: str, fit: QuantisedLinear, before: Any) -> str:
        """Divided lanes as unsigned 8-bit integers; the integers' name."""
        quantised = f"{name}_integers"
        one, zero = self.keep(np.array(1, np.float32)), self.keep(np.array(fit.zero_point, np.uint8))
        self._insert(helper.make_node("QuantizeLinear", [name, one, zero], [quantised]), before)
        return quantised

    def _insert(self, node: Any, before: Any) -> None:
        self._before.setdefault(id(before), []).append(node)

    def product(self, integers: str, fit: QuantisedLinear, bias: Floats, output: str) -> Any:
        """The node that multiplies integers by the weights of `fit` and gives floats again, `bias`
        added.
        """
        inputs = [
            integers,
            self.keep(fit.weights),
            self.keep(np.array(1, np.float32)),
            self.keep(fit.weight_scales),
            self.keep(np.array(fit.zero_point, np.uint8)),
            self.keep(np.zeros(len(fit.bias), np.int8)),
            self.keep(fit.bias + bias),
        ]
        return helper.make_node(PRODUCT, inputs, [output], domain=CONTRIB)

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
    """By the output of a linear layer: the layer after it, if only an elementwise function lies
    between.
    """
    outputs = {linear.output for linear in graph.linears()}
    pairs = {}
    for linear in graph.linears():
        between = graph.makers.get(linear.input)
        if between is None or between.op_type not in ELEMENTWISE or between.input[0] not in outputs:
            continue
        if len(graph.readers[linear.input]) == len(graph.readers[between.input[0]]) == 1:
            pairs[str(between.input[0])] = linear
    return pairs


def _value_layers(graph: Graph) -> dict[str, str]:
    """By the output of a layer that makes attention's values: the tensor of their averages, all
    heads side by side.

    Each channel of that tensor is an average of the same channel of the values, over tokens.
    """
    outputs = {linear.output for linear in graph.linears()}
    found = {}
    for linear in graph.linears():
        averages = _maker(graph, _before(graph, linear.input, ("Reshape", "Transpose")), "MatMul")
        if averages is None or averages.input[1] in graph.fixed:
            continue
        made = _before(graph, averages.input[1], ("Transpose", "Reshape"))
        if made in outputs and len(graph.readers[made]) == len(graph.readers[linear.input]) == 1:
            found[str(made)] = linear.input
    return found


def _before(graph: Graph, name: str, op_types: Sequence[str]) -> str:
    """The tensor before a chain of operators, the last one first; empty if the chain is another
    one.
    """
    for op_type in op_types:
        maker = _maker(graph, name, op_type)
        if maker is None or len(graph.readers[maker.output[0]]) != 1:
            return ""
        name = maker.input[0]
    return name


def _maker(graph: Graph, name: str, op_type: str) -> Any | None:
    maker = graph.makers.get(name)
    return maker if maker is not None and maker.op_type == op_type else None


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
