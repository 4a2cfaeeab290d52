"""Export causal language models as ONNX graphs that give log-likelihoods; needs the extra `export`.

`torch_run` gives PyTorch's own numbers, to compare with.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch  # type: ignore[import-not-found]  # installed with the extra `export` only
from numpy.typing import NDArray
from onnxruntime.quantization.matmul_nbits_quantizer import (  # type: ignore[import-untyped]  # the wheel ships no types
    DefaultWeightOnlyQuantConfig,
    MatMulNBitsQuantizer,
)
from optimum.exporters.onnx import onnx_export_from_model  # type: ignore[import-not-found]  # extra `export`
from transformers import (  # type: ignore[import-not-found]  # extra `export`
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
)

from models.export.graph import FLOAT, helper, numpy_helper, onnx
from models.inference.causal_model import OUTPUT, Run

OPSET = 20
WEIGHT_BITS, WORD_BITS, BLOCK = 8, 4, 64
# Inputs of products are rounded to 8 bits too, block by block.
ACCURACY_LEVEL = 4
LAST_AXIS, TOKEN_AXIS = -1, 1
FAR = np.iinfo(np.int64).max
VARIANTS = ("fp32", "w8")
START = "<|endoftext|>"


def unpack_gguf(file: Path, folder: Path) -> None:
    """Write the model and the tokenizer in a GGUF file as a Hugging Face folder, in full precision.

    Raises ValueError if the file does not hold the model that it names.
    """
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint  # type: ignore[import-not-found]  # above

    config = AutoConfig.from_pretrained(file.parent, gguf_file=file.name)
    model = AutoModelForCausalLM.from_config(config)
    tensors = load_gguf_checkpoint(file, return_tensors=True, model_to_load=model)["tensors"]
    missing, unknown = model.load_state_dict({name: each.float() for name, each in tensors.items()}, strict=False)
    if unknown or set(missing) - {"lm_head.weight"}:
        raise ValueError(f"{file.name} does not hold the model that it names: {[*missing, *unknown][:3]}")
    model.tie_weights()
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(folder)


def document_start(folder: Path) -> str:
    """Return the text that marks a new document for the model.

    That is `<|endoftext|>` if the tokenizer knows it, else the tokenizer's own mark, or an empty
    text.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if START in tokenizer.get_vocab():
        return START
    return tokenizer.bos_token or tokenizer.eos_token or ""


def export_causal(folder: Path, work: Path, variant: str) -> Path:
    """Export the model as a graph from token ids to log-likelihoods. Returns the file's path.

    Optimum makes the graph. The variant `w8` has 8-bit weights and 4-bit word vectors. They are
    widened row by row, so that no text depends on another.
    """
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").float().eval()
    with warnings.catch_warnings():
        # These are notes of torch's tracer on the library's own code; nobody can act on them here.
        warnings.simplefilter("ignore")
        onnx_export_from_model(model, work / "optimum", task="text-generation", opset=OPSET)
    graph = onnx.load(work / "optimum" / "model.onnx")
    add_log_likelihoods(graph)
    exact, small = work / "fp32.onnx", work / "w8.onnx"
    onnx.save(graph, exact)
    if variant == "fp32":
        return exact
    shrink(exact, small)
    return small


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
            accuracy_level=ACCURACY_LEVEL,
        )
        quantizer = MatMulNBitsQuantizer(model, algo_config=config)
        with np.errstate(invalid="ignore"):  # blocks of zeros, such as the padding's vector, become zeros
            quantizer.process()
        model = quantizer.model.model
    quantizer.model.save_model_to_file(str(target))


def add_log_likelihoods(model: Any) -> None:
    """Make the graph's output the log-likelihood of each token but the first.

    The output's shape is (batch, tokens - 1).
    """
    fixed = {"ll_first": [0], "ll_second": [1], "ll_before_last": [-1], "ll_far": [FAR], "ll_tokens": [TOKEN_AXIS]}
    nodes = [
        helper.make_node("Slice", ["logits", "ll_first", "ll_before_last", "ll_tokens"], ["ll_logits"]),
        helper.make_node("Slice", ["input_ids", "ll_second", "ll_far", "ll_tokens"], ["ll_next"]),
        helper.make_node("Unsqueeze", ["ll_next", "ll_before_last"], ["ll_index"]),
        helper.make_node("GatherElements", ["ll_logits", "ll_index"], ["ll_chosen"], axis=LAST_AXIS),
        helper.make_node("ReduceLogSumExp", ["ll_logits", "ll_before_last"], ["ll_all"], keepdims=1),
        helper.make_node("Sub", ["ll_chosen", "ll_all"], ["ll_each"]),
        helper.make_node("Squeeze", ["ll_each", "ll_before_last"], [OUTPUT]),
    ]
    model.graph.node.extend(nodes)
    for name, value in fixed.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array(value, np.int64), name))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(OUTPUT, FLOAT, ["batch_size", "tokens_after_the_first"]))


def torch_run(folder: Path) -> Run:
    """Return a function that runs the model in PyTorch itself."""
    model = AutoModelForCausalLM.from_pretrained(folder).float().eval()

    def run(ids: NDArray[np.int64]) -> NDArray[np.float32]:
        given = torch.from_numpy(ids)
        with torch.inference_mode():
            likely = model(given).logits[:, :-1].log_softmax(-1).gather(2, given[:, 1:, None])
        return np.asarray(likely[:, :, 0].numpy(), np.float32)

    return run
