"""`headrace models export` from end to end, with a small encoder of random weights.

It runs in the export environment.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from onnx_reader import OnnxFile

from models.export.quantisation import reaches_too_far

ROOT = Path(__file__).resolve().parents[2]
EXPORT = ROOT / ".venv-export" / "bin"
HEADRACE = str(Path(sys.executable).with_name("headrace"))

pytestmark = [
    pytest.mark.skipif(not (EXPORT / "headrace").exists(), reason="no .venv-export: make export-setup"),
    pytest.mark.timeout(600),
]

TINY = """
import sys, torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
torch.manual_seed(3)
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "mug", "number", *map(str, range(10)), *(f"##{n}" for n in range(10))]
words += [f"word{n}" for n in range(1200 - len(words))]
tokenizer = Tokenizer(models.WordPiece({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
names = dict(pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]")
PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(sys.argv[1])
sizes = dict(hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96)
config = BertConfig(vocab_size=1200, max_position_embeddings=64, initializer_range=0.2, **sizes)
BertModel(config, add_pooling_layer=False).save_pretrained(sys.argv[1])
"""


def run(*command: str, cwd: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "HF_HUB_OFFLINE": "1", "PYTHONSAFEPATH": "1"}
    process = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small encoder in `tiny`, and titles in `items.txt`."""
    folder = tmp_path_factory.mktemp("export")
    run(str(EXPORT / "python"), "-c", TINY, str(folder / "tiny"), cwd=folder)
    (folder / "items.txt").write_text("".join(f"Mug number {number} word{number}\n" for number in range(900)))
    return folder


def export(folder: Path, variant: str, *arguments: str) -> dict[str, Any]:
    where = ("--source", "./tiny", "--items", "items.txt", "--dir", f"onnx-{variant}", "--licence", "MIT")
    command = (str(EXPORT / "headrace"), "models", "export", *where, "--variant", variant, "--json", *arguments)
    found: dict[str, Any] = json.loads(run(*command, cwd=folder))
    return found


@pytest.mark.parametrize(("variant", "pooling"), [("int8", "mean"), ("fp32", "cls"), ("fp16", "mean")])
def test_an_exported_model_is_near_the_original_and_verified_without_torch(
    tiny: Path, variant: str, pooling: str
) -> None:
    artefact = export(tiny, variant, "--pooling", pooling, "--prefix", "mug ", "--work", f"work-{variant}")
    assert (artefact["dimension"], artefact["max_tokens"], artefact["pooling"]) == (48, 64, pooling)
    assert artefact["prefix"] == "mug "
    assert artefact["parity"]["cosine_min"] > 0.99
    assert artefact["parity"]["batch_cosine_min"] >= 0.9999
    assert set(artefact["details"]["variants"]) == {"fp32", "fp16", "int8"}
    verified = json.loads(run(HEADRACE, "models", "verify", "--dir", f"onnx-{variant}", "--json", cwd=tiny))
    assert verified["ok"] is True


def test_no_product_of_an_exported_model_saturates(tiny: Path) -> None:
    artefact = export(tiny, "int8")
    file = OnnxFile((tiny / "onnx-int8" / artefact["model"]["file"]).read_bytes())
    products = [file.bytes_of(node.inputs[1]) for node in file.nodes if node.operator == "MatMulIntegerToFloat"]
    assert len(products) == 2 * 6
    assert not any(map(reaches_too_far, products))


def test_bench_compares_all_contenders_in_one_run(tiny: Path) -> None:
    export(tiny, "int8")
    where = ("--dir", "onnx-int8", "--items", "items.txt", "--texts", "300", "--rounds", "2")
    result = json.loads(run(str(EXPORT / "headrace"), "models", "bench", *where, "--json", cwd=tiny))
    others = {"onnx_fp32", "onnx_fp32_sorted", "onnx_fp16_sorted", "torch", "torch_sorted"}
    assert set(result["texts_per_second"]) == {"chosen", *others}
    assert min(result["texts_per_second"].values()) > 0
    assert result["ratio_to_torch"] > 0
    assert result["batch_cosine_min"] >= 0.9999


def test_a_model_without_licence_is_refused(tiny: Path) -> None:
    command = [str(EXPORT / "headrace"), "models", "export", "--source", "./tiny", "--items", "items.txt"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tiny)}
    process = subprocess.run(command, env=environment, cwd=tiny, capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert "say which it is under with --licence" in process.stderr
