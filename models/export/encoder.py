"""Hugging Face encoders to ONNX files, and what PyTorch itself gives for texts; needs the extra
`export`.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch  # type: ignore[import-not-found]  # installed with the extra `export` only
from onnxruntime.transformers.float16 import convert_float_to_float16  # type: ignore[import-untyped]  # no types
from onnxruntime.transformers.onnx_model import OnnxModel  # type: ignore[import-untyped]  # no types
from optimum.exporters.onnx import onnx_export_from_model  # type: ignore[import-not-found]  # extra `export`
from transformers import AutoModel, AutoTokenizer  # type: ignore[import-not-found]  # extra `export`

from models.export.graph import add_pooling, drop_token_types, fix_reshapes, onnx
from models.export.integer_graph import Sample, quantise
from models.export.quantisation import Floats

# The first opset with Gelu as one operator, which int8 needs to see as one.
OPSET = 20
TORCH_BATCH = 32
MOST_TOKENS = 512


@dataclass(frozen=True, slots=True)
class Description:
    """What a model's folder says about its use."""

    pooling: str
    max_tokens: int
    licence: str | None


def describe(folder: Path) -> Description:
    """Pooling, longest input and licence as a sentence-transformers or plain Hugging Face folder
    states them.
    """
    pooling = _read(folder / "1_Pooling" / "config.json")
    config, limits = _read(folder / "config.json"), _read(folder / "sentence_bert_config.json")
    positions = min(MOST_TOKENS, int(config.get("max_position_embeddings", MOST_TOKENS)))
    readme = folder / "README.md"
    stated = re.search(r"^license:\s*(\S+)", readme.read_text(encoding="utf-8"), re.M) if readme.exists() else None
    return Description(
        pooling="cls" if pooling.get("pooling_mode_cls_token") else "mean",
        max_tokens=min(positions, int(limits.get("max_seq_length", positions))),
        licence=stated.group(1) if stated else None,
    )


def export_fp32(folder: Path, work: Path, pooling: str) -> Path:
    """The model as an ONNX graph from token ids to one unit vector a text, made by Optimum; the
    file's path.
    """
    # Eager attention scales the few scores; the fused form scales queries and keys, which takes
    # longer on a CPU.
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    onnx_export_from_model(model, work / "optimum", task="feature-extraction", opset=OPSET)
    graph = onnx.load(work / "optimum" / "model.onnx")
    add_pooling(graph, pooling)
    drop_token_types(graph)
    fix_reshapes(graph)
    return _save(graph, work / "fp32.onnx")


def export_fp16(fp32: Path, work: Path) -> Path:
    """The same graph in half precision, for CUDA; inputs and outputs keep their types."""
    halved = OnnxModel(convert_float_to_float16(onnx.load(fp32), keep_io_types=True))
    halved.topological_sort()
    return _save(halved.model, work / "fp16.onnx")


def export_int8(fp32: Path, work: Path, sample: Sample) -> Path:
    """Make integer linear layers with scales fixed by `sample` (see
    `models.export.integer_graph`).
    """
    graph = onnx.load(fp32)
    quantise(graph, sample)
    return _save(graph, work / "int8.onnx")


def write_tokenizer(folder: Path, path: Path) -> None:
    """The model's tokenizer as one JSON file, without padding and truncation, which are the
    encoder's.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True).backend_tokenizer
    tokenizer.no_padding()
    tokenizer.no_truncation()
    path.write_text(tokenizer.to_str(), encoding="utf-8")


def torch_vectors(folder: Path, texts: Sequence[str], pooling: str, max_tokens: int) -> Floats:
    """What PyTorch gives for the texts: unit vectors, shape (n, dim)."""
    tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True)
    model = AutoModel.from_pretrained(folder).eval()
    order = np.argsort([len(text) for text in texts], kind="stable")
    vectors = np.empty((len(texts), model.config.hidden_size), np.float32)
    for start in range(0, len(texts), TORCH_BATCH):
        rows = order[start : start + TORCH_BATCH]
        given = tokenizer(
            [texts[row] for row in rows], padding=True, truncation=True, max_length=max_tokens, return_tensors="pt"
        )
        with torch.inference_mode():
            tokens = model(**given).last_hidden_state
        mask = given["attention_mask"].unsqueeze(-1)
        pooled = tokens[:, 0] if pooling == "cls" else (tokens * mask).sum(1) / mask.sum(1)
        vectors[rows] = torch.nn.functional.normalize(pooled, dim=1).numpy()
    return vectors


def _save(graph: object, path: Path) -> Path:
    onnx.checker.check_model(graph)
    onnx.save(graph, path)
    return path


def _read(path: Path) -> dict[str, int]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
