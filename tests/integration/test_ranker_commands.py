"""`headrace ranker` on a real broker: versions are shown, pinned, rolled back to and exported."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.artefacts.verify import verify_models
from app.concerns import KafkaSettings
from app.kafka.ranker_log import publish, read_published
from app.kafka.topics import create_topics
from app.main import main
from models.inference.manifest import read_manifest
from models.inference.onnx_session import OnnxSession
from models.inference.settings import InferenceSettings
from models.ranker.arrays import MOST
from models.ranker.features import COUNT, FEATURES
from models.ranker.judge import RANKERS, RankerJudge
from models.ranker.network import Learner, Lesson, StepSizes, make_learner
from models.ranker.network_kernel import learn_lists, score_candidates
from models.ranker.weights import KEY, decode_weights, encode_weights, kept_key

Headrace = Callable[..., tuple[int, str, str]]


@pytest.fixture
def headrace(kafka: KafkaSettings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Headrace:
    """Runs `headrace ranker` on a topic without records; gives status, output and errors."""
    asyncio.run(create_topics(kafka))
    monkeypatch.setenv("HEADRACE_KAFKA_BOOTSTRAP", kafka.bootstrap)
    monkeypatch.setenv("HEADRACE_KAFKA_TOPIC_PREFIX", kafka.topic_prefix)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["ranker", *arguments])
        return status, *capsys.readouterr()

    return run


def taught(lists: int) -> Learner:
    """A learner of `lists` lists whose second feature tells what comes next."""
    learner, random = make_learner(COUNT, MOST, seed=4), np.random.default_rng(lists)
    features = random.normal(3.0, 2.0, (lists, COUNT, MOST)).astype(np.float32)
    targets = features[:, 1].argmax(axis=1).astype(np.int32)
    items = np.tile(np.arange(MOST, dtype=np.int32), (lists, 1))
    sizes, none = np.full(lists, MOST, np.int32), np.full(lists, -1, np.int32)
    lesson = Lesson(items, sizes, features, targets, none, np.ones(lists, np.float32))
    assert learn_lists(learner, StepSizes(0.02, 0.02, True), lesson, np.zeros((lists, len(RANKERS)), np.int32))
    return learner


def published(version: int, **changed: object) -> bytes:
    said = {"trainer": "a", "lists": 100 * version, "leader": "formula", "better": "hidden", "stopped": False}
    return encode_weights(taught(20 * version), RankerJudge(), version=version, **said | changed)


def publish_versions(kafka: KafkaSettings, versions: int) -> None:
    for version in range(1, versions + 1):
        value = published(version)
        publish(kafka, KEY, value)
        publish(kafka, kept_key(version), value)


def test_without_weights_the_advice_is_to_let_workers_learn(headrace: Headrace) -> None:
    for verb in (["show"], ["pin", "1"], ["rollback"]):
        status, said, error = headrace(*verb)
        assert (status, said) == (1, "")
        assert "HEADRACE_RANKER_MODE=auto or learned" in error


def test_a_version_is_pinned_and_released(headrace: Headrace, kafka: KafkaSettings) -> None:
    publish_versions(kafka, 4)
    status, said, _ = headrace("show", "--json")
    shown = json.loads(said)
    assert (status, shown["version"], shown["pinned"], shown["rankers"]["linear"]["loss"] > 0) == (0, 4, False, True)
    assert [each["version"] for each in shown["versions"]] == [1, 2, 3, 4]

    status, said, _ = headrace("pin", "2", "--json")
    assert (status, json.loads(said)) == (0, {"pinned": 2, "newest": 4, "ranker": "hidden"})
    assert "weights 2, learned from 200 lists; pinned, so hidden ranks" in headrace("show")[1]
    pinned = read_published(kafka, print).pinned
    assert pinned is not None
    assert pinned.arrays == read_published(kafka, print).versions[2].arrays

    assert headrace("pin", "--release")[0] == 0
    assert read_published(kafka, print).pinned is None
    status, _, error = headrace("pin", "--release")
    assert (status, "no weights are pinned" in error) == (1, True)


def test_what_cannot_rank_is_not_pinned(headrace: Headrace, kafka: KafkaSettings) -> None:
    publish(kafka, KEY, published(1))
    publish(kafka, KEY, published(2, stopped=True))
    publish(kafka, KEY, b"{}")
    status, _, error = headrace("pin", "7")
    assert (status, "version 7 is not kept; there are 1, 2" in error) == (1, True)
    status, _, error = headrace("pin", "2")
    assert (status, "learning had stopped at version 2" in error) == (1, True)
    with pytest.raises(SystemExit) as refused:
        headrace("pin", "none")
    assert refused.value.code == 2


def test_an_earlier_version_takes_the_place_of_the_newest(headrace: Headrace, kafka: KafkaSettings) -> None:
    publish_versions(kafka, 3)
    status, said, _ = headrace("rollback", "--json")
    assert (status, json.loads(said)) == (0, {"from": 3, "to": 2, "version": 4, "pinned": None})
    publish(kafka, KEY, published(4))  # a worker that had not read of it yet
    newest = read_published(kafka, print).newest
    assert newest is not None
    assert (newest.version, newest.generation, newest.lists) == (4, 1, 200)

    assert headrace("rollback", "1")[0] == 0
    newest = read_published(kafka, print).newest
    assert newest is not None
    assert (newest.version, newest.generation, newest.lists) == (5, 2, 100)
    status, _, error = headrace("rollback", "5")
    assert (status, "nothing to roll back" in error) == (1, True)


def test_onnxruntime_scores_an_export_as_headrace_does(
    headrace: Headrace, kafka: KafkaSettings, tmp_path: Path
) -> None:
    publish_versions(kafka, 3)
    folder = tmp_path / "ranker"
    assert headrace("export", str(folder), "--version", "2")[0] == 0
    status, said, _ = headrace("export", str(folder), "--json")
    assert (status, json.loads(said)["version"]) == (0, 3)

    [artefact] = read_manifest(folder).models
    assert artefact.details["features"] == [each.name for each in FEATURES]
    assert [each.problem for each in verify_models(folder, InferenceSettings(provider="cpu"))] == [None]
    session = OnnxSession(folder / artefact.model.file, InferenceSettings(provider="cpu"))
    features = np.random.default_rng(7).normal(3.0, 9.0, (MOST, COUNT)).astype(np.float32)
    scores, linear, hidden = session.run({"features": features})
    learner = decode_weights(published(3)).learner
    score_candidates(learner, np.ascontiguousarray(features.T), MOST)
    np.testing.assert_allclose(linear, learner.work.scores[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(hidden, learner.work.scores[1], rtol=1e-4, atol=1e-4)
    assert np.array_equal(scores, hidden)
    assert np.argsort(scores).tolist() == np.argsort(learner.work.scores[1]).tolist()
    assert scores.std() > 0.1


def test_an_artefact_that_scores_otherwise_is_found_out(
    headrace: Headrace, kafka: KafkaSettings, tmp_path: Path
) -> None:
    publish_versions(kafka, 2)
    assert headrace("export", str(tmp_path))[0] == 0
    other = tmp_path / "other"
    assert headrace("export", str(other), "--version", "1")[0] == 0
    [mine], [theirs] = read_manifest(tmp_path).models, read_manifest(other).models
    text = (tmp_path / "manifest.json").read_text()
    (tmp_path / theirs.model.file).write_bytes((other / theirs.model.file).read_bytes())
    text = text.replace(mine.model.file, theirs.model.file).replace(mine.model.sha256, theirs.model.sha256)
    (tmp_path / "manifest.json").write_text(text)
    [check] = verify_models(tmp_path, InferenceSettings(provider="cpu"))
    assert check.problem is not None
    assert "Export it again: headrace ranker export" in check.problem
