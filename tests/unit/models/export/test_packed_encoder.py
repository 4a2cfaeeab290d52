"""Read a packed encoder back: sizes, names, shapes and the numbers of 4-bit blocks."""

import struct

import numpy as np
import pytest

from models.export.packed_encoder import MAGIC, read_packed_encoder

HIDDEN, INNER, VOCABULARY = 32, 64, 3


def block(scale: float, numbers: list[int]) -> bytes:
    """Return 32 numbers from -8 to 7 and their scale as one block."""
    halves = [number + 8 for number in numbers]
    joined = bytes(low | high << 4 for low, high in zip(halves[:16], halves[16:], strict=True))
    return struct.pack("<e", scale) + joined


def packed(*tensors: tuple[str, int, int, bytes]) -> bytes:
    """Return a file with a tokenizer of two pieces, which the reader skips, and these tensors.

    A tensor is (name, packed, count, bytes).
    """
    head = struct.pack("<4sI7ifi", MAGIC, 1, HIDDEN, 1, 4, INNER, VOCABULARY, 8, 2, 1e-12, 32)
    tokenizer = struct.pack("<5iQ", 2, 0, 2, 1, 3, 5) + struct.pack("<3I2f", 0, 2, 5, -1, -2) + b"abcde"
    normalisation = struct.pack("<iI", 1, 9) + b"\1" * 9
    size = sum(2 + len(name) + 21 for name, *_ in tensors)
    at = len(head) + len(tokenizer) + len(normalisation) + 4 + size
    directory, data = struct.pack("<i", len(tensors)), b""
    for name, kind, count, content in tensors:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, count, at + len(data), len(content))
        data += content
    return head + tokenizer + normalisation + directory + data


def test_blocks_are_unpacked_low_halves_first() -> None:
    numbers = [[(row + column) % 16 - 8 for column in range(32)] for row in range(VOCABULARY)]
    content = b"".join(block(0.5 * (row + 1), row_numbers) for row, row_numbers in enumerate(numbers))
    weights = read_packed_encoder(packed(("emb.word", 1, VOCABULARY * 32, content))).weights
    table = weights["embeddings.word_embeddings.weight"]
    assert table.tolist() == [[0.5 * (row + 1) * value for value in numbers[row]] for row in range(VOCABULARY)]
    assert table.dtype == np.float32


def test_layers_have_the_names_and_shapes_of_a_bert_model() -> None:
    wide, bias = block(1, [1] * 32) * INNER, np.arange(INNER, dtype="<f4").tobytes()
    encoder = read_packed_encoder(
        packed(
            ("l0.fi.w", 1, INNER * HIDDEN, wide),
            ("l0.fo.w", 1, INNER * HIDDEN, wide),
            ("l0.fi.b", 0, INNER, bias),
            ("l0.aln.w", 0, HIDDEN, bias[: 4 * HIDDEN]),
        )
    )
    assert {name: weights.shape for name, weights in encoder.weights.items()} == {
        "encoder.layer.0.intermediate.dense.weight": (INNER, HIDDEN),
        "encoder.layer.0.output.dense.weight": (HIDDEN, INNER),
        "encoder.layer.0.intermediate.dense.bias": (INNER,),
        "encoder.layer.0.attention.output.LayerNorm.weight": (HIDDEN,),
    }
    assert encoder.weights["encoder.layer.0.intermediate.dense.bias"].tolist() == list(range(INNER))


def test_sizes_have_the_names_of_a_bert_config() -> None:
    config = read_packed_encoder(packed()).config
    assert (config["hidden_size"], config["intermediate_size"], config["vocab_size"]) == (HIDDEN, INNER, VOCABULARY)
    assert (config["num_hidden_layers"], config["num_attention_heads"], config["type_vocab_size"]) == (1, 4, 2)
    assert config["layer_norm_eps"] == pytest.approx(1e-12)


def test_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match="starts with"):
        read_packed_encoder(b"GGUF0000")
