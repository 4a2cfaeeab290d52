"""The quality network as a small ONNX file whose verdicts do not depend on the batch.

Weights are stored in few bits and widened row by row (`MatMulNBits` with 8 bits, `GatherBlockQuantized` with 4 for the
word vectors). Dynamic int8 would be as small, but it scales each batch by its largest value, so that a text's verdict
would change with its neighbours.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch  # type: ignore[import-not-found]  # installed with the extra `export` only
from onnxruntime.quantization.matmul_nbits_quantizer import (  # type: ignore[import-untyped]  # the wheel ships no types
    DefaultWeightOnlyQuantConfig,
    MatMulNBitsQuantizer,
)

from models.training.quality_network import BLOCK, WEIGHT_BITS, WORD_BITS, QualityNetwork

# torch's exporter knows opsets up to 20; four-bit weights need 21, to which the quantiser raises it.
EXPORTED_OPSET, OPSET = 20, 21
INPUTS = ("input_ids", "attention_mask", "features")
OUTPUT = "logits"
LEVEL = 4


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


def shrink(source: Path, target: Path) -> None:
    """Write the model at `source` with its weights in few bits to `target`."""
    model: Any = str(source)
    for bits, operator, axes in (
        (WEIGHT_BITS, "MatMul", (("MatMul", 0),)),
        (WORD_BITS, "Gather", (("Gather", 1),)),
    ):
        config = DefaultWeightOnlyQuantConfig(
            block_size=BLOCK,
            is_symmetric=True,
            bits=bits,
            op_types_to_quantize=(operator,),
            quant_axes=axes,
            accuracy_level=LEVEL,
        )
        quantizer = MatMulNBitsQuantizer(model, algo_config=config)
        with np.errstate(invalid="ignore"):  # blocks of zeros, such as the padding's vector, become zeros
            quantizer.process()
        model = quantizer.model.model
    quantizer.model.save_model_to_file(str(target))
