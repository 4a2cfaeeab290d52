"""A language model as second judge, from export to stream.

A small Llama of random weights, made in the export environment, judges texts of which the shipped
quality model is unsure.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from workers import environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.store.keys import Keys

ROOT = Path(__file__).resolve().parents[2]
EXPORT = ROOT / ".venv-export" / "bin"
HEADRACE = str(Path(sys.executable).with_name("headrace"))
ALL = {"HEADRACE_JUDGE_LOW": "0", "HEADRACE_JUDGE_HIGH": "1", "HEADRACE_MODEL_DIR": str(ROOT / "onnx")}

pytestmark = [
    pytest.mark.skipif(not (EXPORT / "headrace").exists(), reason="no .venv-export: make export-setup"),
    pytest.mark.skipif(not (ROOT / "onnx" / "manifest.json").exists(), reason="no quality model in onnx"),
    pytest.mark.timeout(600),
]

TINY = """
import sys, torch
from tokenizers import Tokenizer, models, pre_tokenizers, decoders
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
torch.manual_seed(3)
letters = sorted(pre_tokenizers.ByteLevel.alphabet())
words = {word: number for number, word in enumerate(["<|endoftext|>", *letters])}
tokenizer = Tokenizer(models.BPE(words, []))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|endoftext|>").save_pretrained(sys.argv[1])
sizes = dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=128)
config = LlamaConfig(vocab_size=len(words), max_position_embeddings=256, initializer_range=0.2, **sizes)
LlamaForCausalLM(config).save_pretrained(sys.argv[1])
"""
COLOURS = ("Red", "Blue", "Green", "Black", "White", "Yellow", "Grey", "Brown", "Purple", "Golden")
STUFFS = ("ceramic", "glass", "wooden", "steel", "cotton", "leather", "silver", "plastic")
THINGS = (
    "coffee mug",
    "tea pot",
    "picture frame",
    "table lamp",
    "shoulder bag",
    "wall clock",
    "soup bowl",
    "bed sheet",
)


def run(*command: str, cwd: Path, **more: str) -> str:
    environ = {"PATH": os.environ["PATH"], "HOME": str(cwd), "HF_HUB_OFFLINE": "1", "PYTHONSAFEPATH": "1", **more}
    process = subprocess.run(command, env=environ, cwd=cwd, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder of a second judge, and its entry in the manifest."""
    folder = tmp_path_factory.mktemp("judge")
    run(str(EXPORT / "python"), "-c", TINY, str(folder / "tiny"), cwd=folder)
    titles = [f"{colour} {stuff} {thing}" for colour in COLOURS for stuff in STUFFS for thing in THINGS]
    rows = [f"{number},{title},Home/{title.split()[-1]},9" for number, title in enumerate(titles)]
    (folder / "shop.csv").write_text("\n".join(["item_id,title,category,price", *rows]))
    command = (str(EXPORT / "headrace"), "models", "export-judge", "--items", "shop.csv", "--source", "./tiny")
    manifest = run(
        *command,
        "--licence",
        "MIT",
        "--examples",
        "200",
        "--variant",
        "fp32",
        "--dir",
        "out",
        "--json",
        cwd=folder,
        **ALL,
    )
    return folder / "out", json.loads(manifest)


def test_an_exported_judge_is_near_the_original_calibrated_and_verified_without_torch(
    judge: tuple[Path, dict[str, Any]],
) -> None:
    folder, artefact = judge
    assert artefact["task"] == "judge"
    assert artefact["prefix"] == "<|endoftext|>"
    assert artefact["parity"]["correlation"] > 0.98
    assert artefact["details"]["examples"]["fine"] + artefact["details"]["examples"]["spoilt"] == 200
    assert artefact["details"]["reports"]["test part"]["auroc_with_second_judge"] > 0.5
    verified = json.loads(run(HEADRACE, "models", "verify", "--dir", str(folder), "--json", cwd=folder))
    assert verified["ok"] is True


async def test_what_is_in_doubt_is_judged_in_the_background_and_its_assessment_names_both_judges(
    judge: tuple[Path, dict[str, Any]], kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    environ = environment(kafka, redis_settings, HEADRACE_JUDGE_DIR=str(judge[0]), **ALL)
    store = redis.Redis.from_url(redis_settings.url)
    titles = {"mug": "Red ceramic coffee mug", "note": "damaged, please check", "bag": "Leather bag, black"}
    with running_worker(environ, tmp_path / "worker.log") as worker:
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
            for key, title in titles.items():
                value = orjson.dumps({"item_id": key, "title": title})
                await producer.send_and_wait(kafka.topic_prefix + "items", value, key=key.encode())
        until(lambda: worker.metric("headrace_second_stage_judged_total") == len(titles), worker.log)
        until(lambda: worker.metric("headrace_second_stage_queue_items") == 0, worker.log)
    for key in titles:
        judged_by = store.hget(Keys(redis_settings.prefix).item(key), "judge")
        assert isinstance(judged_by, bytes)
        assert judged_by.decode().split("+")[1].startswith("tiny-fp32-")
    with running_worker(environ, tmp_path / "again.log") as worker:
        until(lambda: "judge model tiny-fp32" in worker.log.read_text(), worker.log)
        assert worker.metric("headrace_second_stage_judged_total") == 0


def test_a_folder_without_judge_is_refused_at_the_start_and_named_by_the_doctor(tmp_path: Path) -> None:
    environ = {**os.environ, **ALL, "HEADRACE_JUDGE_DIR": str(tmp_path)}
    process = subprocess.run(
        [HEADRACE, "doctor", "--json"], env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    findings = {each["check"]: each for each in json.loads(process.stdout)["findings"]}
    assert findings["judge model"]["status"] == "failed"
    assert "export-judge" in findings["judge model"]["advice"]
