"""The shipped models give the same on processors that add two 8-bit products in 16 bits, read from
their files.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx_reader import OnnxFile
from saturation import SHORT, exact_product, furthest_sums, saturating_product

from models.inference.canonical import TEXTS
from models.inference.encoder import open_tokenizer, pad_batch
from models.inference.manifest import read_manifest
from models.inference.onnx_session import OnnxSession
from models.quality.features import FEATURE_NAMES

FOLDER = Path(__file__).resolve().parents[2] / "onnx"
PRODUCT = "MatMulIntegerToFloat"
# What may read integers of at most 8 bits: the product, tables looked up by row, and the zero point
# of rounding.
READERS = {PRODUCT, "Gather", "GatherBlockQuantized", "QuantizeLinear"}
PRODUCTS = {"embedding": 36, "quality": 18}
ROWS, MOST_TOKENS = 64, 64


@pytest.fixture(params=PRODUCTS)
def task(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def file(task: str) -> OnnxFile:
    return OnnxFile(bytearray((FOLDER / read_manifest(FOLDER).find(task).model.file).read_bytes()))


def products(file: OnnxFile) -> list[tuple[str, NDArray[np.int8]]]:
    """The integers that go into each product, by their name in the graph, and the weights (k,
    n).
    """
    return [(each.inputs[0], file.bytes_of(each.inputs[1])) for each in file.nodes if each.operator == PRODUCT]


def too_far(file: OnnxFile) -> list[str]:
    """The products in which some steps would make a sum of two that 16 bits do not hold."""
    reached = {steps: furthest_sums(weights) for steps, weights in products(file)}
    return [steps for steps, (below, above) in reached.items() if below < SHORT.min or above > SHORT.max]


def steps_of_real_texts(file: OnnxFile, task: str) -> Mapping[str, NDArray[np.uint8]]:
    """What goes into each product for the canonical texts, by its name in the graph, at most ROWS
    rows of it.
    """
    names = sorted({steps for steps, _ in products(file)})
    session = OnnxSession(file.with_outputs(names))
    tokenizer = open_tokenizer(FOLDER / read_manifest(FOLDER).find(task).tokenizer_file)
    tokens = [np.array(each.ids[:MOST_TOKENS], np.int64) for each in tokenizer.encode_batch(list(TEXTS))]
    feeds: dict[str, NDArray[Any]] = dict(pad_batch(tokens))
    feeds["features"] = np.zeros((len(TEXTS), len(FEATURE_NAMES)), np.float32)
    wanted = {each.name: feeds[each.name] for each in session.inputs}
    found = dict(zip([each.name for each in session.outputs], session.run(wanted), strict=True))
    kept = feeds["attention_mask"] > 0
    rows = np.random.default_rng(1).permutation(int(kept.sum()))[:ROWS]
    return {name: found[name][kept][rows].astype(np.uint8) for name in names}


def test_no_steps_can_make_a_pair_saturate(file: OnnxFile, task: str) -> None:
    assert len(products(file)) == PRODUCTS[task]
    assert too_far(file) == []


def test_a_pair_that_reaches_too_far_is_found(file: OnnxFile) -> None:
    steps, weights = products(file)[5]
    weights[6:8, 3] = 65, 64
    assert too_far(file) == [steps]
    weights[6:8, 3] = -64, -65
    assert too_far(file) == [steps]
    weights[6:8, 3] = 64, 64
    assert too_far(file) == []


def test_real_texts_get_the_exact_products_from_a_saturating_kernel(file: OnnxFile, task: str) -> None:
    steps = steps_of_real_texts(file, task)
    for name, weights in products(file):
        assert np.array_equal(saturating_product(steps[name], weights), exact_product(steps[name], weights)), name


def test_a_saturating_kernel_would_show(file: OnnxFile, task: str) -> None:
    """Weights twice as large, as before the bound was kept, give other products for the same
    texts.
    """
    steps = steps_of_real_texts(file, task)
    name, weights = max(products(file), key=lambda each: int(steps[each[0]].max()))
    double = (weights.astype(np.int16) * 2).clip(-127, 127).astype(np.int8)
    assert not np.array_equal(saturating_product(steps[name], double), exact_product(steps[name], double))


def test_other_integers_are_looked_up_and_never_multiplied(file: OnnxFile) -> None:
    readers = {node.operator for node in file.nodes if any(map(file.is_narrow, node.inputs))}
    assert readers <= READERS
    assert PRODUCT in readers
