"""The quality network as a small ONNX file whose verdicts do not depend on the batch.

Word vectors are stored in four bits and widened row by row (`GatherBlockQuantized`); the linear
layers compute in 8-bit integers with scales fixed on typical texts (`models.export.integer_graph`).
Dynamic int8 scales a batch by its largest value, so that a text's verdict would change with its
neighbours.
"""

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch  # type: ignore[import-not-found]  # installed with the extra `export` only
from onnxruntime.quantization.matmul_nbits_quantizer import (  # type: ignore[import-untyped]  # the wheel ships no types
    DefaultWeightOnlyQuantConfig,
    MatMulNBitsQuantizer,
)

from models.export.graph import Graph, fix_reshapes, onnx, up_to
from models.export.integer_graph import PRODUCT, bound_pairs, quantise
from models.export.tensor_sample import TensorSample
from models.inference.encoder import Tokens
from models.training.quality_network import BLOCK, WORD_BITS, QualityNetwork

# torch's exporter knows opsets up to 20; four-bit words need 21, to which the quantiser raises it.
EXPORTED_OPSET, OPSET = 20, 21
INPUTS = ("input_ids", "attention_mask", "features")
OUTPUT = "logits"
WORDS = "word_embeddings"


def export_network(network: QualityNetwork, features: int, path: Path) -> None:
    """Write the network in full precision to `path`."""
    network.eval()
    sample = (
        torch.ones(2, 7, dtype=torch.int64),
        torch.ones(2, 7, dtype=torch.int64),
        torch.zeros(2, features),
    )
    axes = {
        "input_ids": {0: "batch", 1: "tokens"},
        "attention_mask": {0: "batch", 1: "tokens"},
        "features": {0: "batch"},
    }
    with warnings.catch_warnings():
        # Deprecation notes of torch's own exporter, which nobody here can act on.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, sample, path, input_names=list(INPUTS), output_names=[OUTPUT], dynamic_axes={**axes, OUTPUT: {0: (
                "batch"
            )}},
            opset_version=EXPORTED_OPSET, dynamo=False,
        )  # fmt: skip


def shrink(source: Path, target: Path, tokens: Sequence[Tokens], threads: int) -> None:
    """Write the model at `source` with its weights in few bits to `target`; `tokens` are those of
    typical texts.
    """
    with tempfile.TemporaryDirectory() as scratch:
        narrow, encoder = Path(scratch) / "narrow.onnx", Path(scratch) / "encoder.onnx"
        model = _with_narrow_words(source)
        fix_reshapes(model)
        onnx.save(model, narrow)
        onnx.save(_encoder_of(model, Graph(model).linears()[-1].output), encoder)
        quantise(model, TensorSample(encoder, tokens, threads))
        onnx.save(model, target)


def bound(path: Path, tokens: Sequence[Tokens], threads: int) -> int:
    """Round weights of the model at `path` again that processors without VNNI would get wrong; how
    many products.

    For models of before weights had such a limit; `tokens` are those of typical texts.
    """
    model = onnx.load(path)
    products = [node for node in model.graph.node if node.op_type == PRODUCT]
    with tempfile.TemporaryDirectory() as scratch:
        encoder = Path(scratch) / "encoder.onnx"
        onnx.save(_encoder_of(model, products[-1].output[0]), encoder)
        changed = bound_pairs(model, TensorSample(encoder, tokens, threads))
    if changed:
        onnx.save(model, path)
    return changed


def _with_narrow_words(source: Path) -> Any:
    """The model with its word vectors in few bits; the other tables are small."""
    tables = [node.name for node in onnx.load(source).graph.node if node.op_type == "Gather"]
    config = DefaultWeightOnlyQuantConfig(
        block_size=BLOCK,
        is_symmetric=True,
        bits=WORD_BITS,
        op_types_to_quantize=("Gather",),
        quant_axes=(("Gather", 1),),
    )
    quantizer = MatMulNBitsQuantizer(
        str(source), algo_config=config, nodes_to_exclude=[name for name in tables if WORDS not in name]
    )
    with np.errstate(invalid="ignore"):  # blocks of zeros, such as the padding's vector, become zeros
        quantizer.process()
    return quantizer.model.model


def _encoder_of(model: Any, output: str) -> Any:
    """A copy up to the encoder's `output`, without what was counted in the text and the head that
    reads it.
    """
    copy = up_to(model, output)
    for each in [each for each in copy.graph.input if each.name == INPUTS[-1]]:
        copy.graph.input.remove(each)
    return copy
