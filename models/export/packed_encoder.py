"""Read a BERT encoder packed in 4-bit blocks.

One multilingual model can be had in this form without a model hub. The form (magic `E5S1`) is
little-endian: sizes, a tokenizer, then a directory of named tensors. A packed matrix is a sequence
of blocks of 32 numbers: a float16 scale, then 16 bytes whose low halves are the first 16 numbers
and whose high halves are the others, each less 8 (Q4_0).
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MAGIC = b"E5S1"
SIZES = struct.Struct("<4sI7ifi5iQ")
ENTRY = struct.Struct("<BIQQ")
BLOCK_VALUES = 32
BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])
ZERO = 8

NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
PARTS = {"w": "weight", "b": "bias"}


@dataclass(frozen=True, slots=True)
class PackedEncoder:
    """Holds an encoder's sizes and weights.

    Sizes have their names in a BertConfig, weights those in a BertModel.
    """

    config: dict[str, float]
    weights: dict[str, Floats]


def read_packed_encoder(content: bytes) -> PackedEncoder:
    """Return the encoder in `content`. Raises ValueError if it is not one."""
    if content[:4] != MAGIC:
        raise ValueError(f"a packed encoder starts with {MAGIC!r}, not with {content[:4]!r}")
    fields = SIZES.unpack_from(content)
    hidden, layers, heads, inner, vocabulary, positions, types, epsilon = fields[2:10]
    config = {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "vocab_size": vocabulary,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "layer_norm_eps": epsilon,
    }
    rows = {
        "embeddings.word_embeddings.weight": vocabulary,
        "embeddings.position_embeddings.weight": positions,
        "embeddings.token_type_embeddings.weight": types,
    }
    pieces, blob = fields[11], fields[16]
    at = SIZES.size + 4 * (pieces + 1) + 4 * pieces + blob
    (mapped,) = struct.unpack_from("<4xI", content, at)
    weights = {}
    for name, (packed, count, offset) in _directory(content, at + 8 + mapped).items():
        numbers = _unpack(content, offset, count) if packed else np.frombuffer(content, "<f4", count, offset)
        full = _full_name(name)
        height = rows.get(full) or (inner if full.endswith("intermediate.dense.weight") else hidden)
        vector = full.endswith("bias") or "LayerNorm" in full
        weights[full] = numbers.astype(np.float32).reshape(-1 if vector else (height, -1))
    return PackedEncoder(config, weights)


def _directory(content: bytes, at: int) -> dict[str, tuple[int, int, int]]:
    """Return by tensor name whether it is packed, how many numbers it has, and its start."""
    (entries,) = struct.unpack_from("<i", content, at)
    at += 4
    found = {}
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode()
        packed, count, offset, _bytes = ENTRY.unpack_from(content, at + 2 + length)
        found[name] = (packed, count, offset)
        at += 2 + length + ENTRY.size
    return found


def _unpack(content: bytes, offset: int, count: int) -> Floats:
    blocks = np.frombuffer(content, BLOCK, count // BLOCK_VALUES, offset)
    halves = np.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], axis=1).astype(np.float32) - ZERO
    numbers: Floats = halves * blocks["scale"].astype(np.float32)[:, None]
    return numbers.reshape(-1)


def _full_name(name: str) -> str:
    if name in EMBEDDINGS:
        return EMBEDDINGS[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{NAMES[part]}.{PARTS[kind]}"
