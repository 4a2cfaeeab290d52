"""Models say nothing of items without a title, in an evaluation as in the worker."""

from pathlib import Path

import pytest

from app.evaluate.catalogue import items_in
from app.evaluate.prepared import Preparation
from app.settings import load
from models.ranker.judge import FORMULA

MODELS = Path(__file__).resolve().parents[2] / "onnx"


@pytest.mark.parametrize(
    ("rows", "with_vectors", "left_out"),
    [
        (("a,,pans", "b,,pans", "c,,mugs"), (), ["titles: no item of the catalogue has one"]),
        (("a,Frying pan,pans", "b,,pans", "c,Blue mug,mugs"), ("a", "c"), []),
    ],
)
def test_items_without_a_title_have_no_vector(
    tmp_path: Path, rows: tuple[str, ...], with_vectors: tuple[str, ...], left_out: list[str]
) -> None:
    (tmp_path / "items.csv").write_text("\n".join(["item_id,title,category", *rows]) + "\n")
    settings = load({"HEADRACE_MODEL_DIR": str(MODELS)})
    prepared = Preparation(settings, items_in(tmp_path), FORMULA, 1.0, None, with_models=True)

    recommender = prepared.lister(print).recommender

    numbers = recommender.items.numbers(["a", "b", "c"])
    held = recommender.meaning.vectors.held(numbers) if with_vectors else [False] * 3
    assert tuple(name for name, has in zip("abc", held, strict=True) if has) == with_vectors
    assert recommender.meaning.is_used == bool(with_vectors)
    assert list(prepared.left_out) == left_out
