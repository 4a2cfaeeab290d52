"""The artefact in `onnx/` computes correctly here, for any text and any batch."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.inference.canonical import TEXTS, compare, read_canonical
from models.inference.encoder import Encoder, open_encoder, plan_batches
from models.inference.manifest import Artefact, read_manifest
from models.inference.onnx_session import CPU
from models.inference.parity import batch_independence, cosines
from models.inference.settings import InferenceSettings

FOLDER = Path(__file__).resolve().parents[2] / "onnx"
SAME = 0.9999
MIB = 1 << 20

ODD_TEXTS = {
    "empty": "",
    "blank": " \t\n",
    "NUL": "red\0mug",
    "only NUL": "\0\0",
    "emoji": "🎁" * 40,
    "joined emoji": "👩‍👩‍👧‍👦 mug",
    "half a surrogate pair": "mug \ud83c",
    "right to left": "\u202eقدح أحمر",
    "combining marks": "e\u0301" * 300,
    "one long word": "x" * 5_000,
    "2 MiB of words": "wool " * (2 * MIB // 5),
    "2 MiB of blanks": " " * (2 * MIB),
}


@pytest.fixture(scope="module")
def artefact() -> Artefact:
    return read_manifest(FOLDER).find("embedding")


@pytest.fixture(scope="module")
def encoder(artefact: Artefact) -> Iterator[Encoder]:
    found = open_encoder(FOLDER, artefact, InferenceSettings(provider="cpu"))
    yield found
    found.close()


def test_it_gives_the_canonical_vectors(artefact: Artefact, encoder: Encoder) -> None:
    canonical = read_canonical(FOLDER / artefact.canonical.file)
    assert canonical.texts == TEXTS
    comparison = compare(canonical, encoder.encode)
    assert comparison.passed, comparison


def test_its_vectors_are_unit_vectors_of_the_listed_dimension(artefact: Artefact, encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), artefact.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-4)


def test_meaning_is_nearer_than_letters(encoder: Encoder) -> None:
    asked, near, far = encoder.encode(["sofa for the living room", "two-seat couch", "soda for the living"])
    assert asked @ near > asked @ far


@settings(max_examples=30)
@given(st.lists(st.text(max_size=60) | st.sampled_from(TEXTS), min_size=1, max_size=24))
def test_a_vector_does_not_depend_on_the_batch_or_its_order(encoder: Encoder, texts: list[str]) -> None:
    order = np.random.default_rng(len(texts)).permutation(len(texts))
    together = encoder.encode(texts)
    shuffled = encoder.encode([texts[row] for row in order])
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert cosines(together, alone).min() >= SAME
    assert cosines(together[order], shuffled).min() >= SAME


def test_it_does_not_depend_on_the_batch_for_real_titles_either(encoder: Encoder, shop_data: Path) -> None:
    from app.artefacts.titles import read_titles

    titles = read_titles([shop_data / "product_listings", shop_data / "uci_online_retail"])[:150]
    assert batch_independence(encoder.encode, titles) >= SAME


def test_the_size_of_batches_and_the_number_of_threads_change_nothing(artefact: Artefact, encoder: Encoder) -> None:
    other = open_encoder(FOLDER, artefact, InferenceSettings(provider="cpu", threads=1, batch_tokens=1))
    try:
        assert cosines(encoder.encode(TEXTS), other.encode(TEXTS)).min() >= SAME
    finally:
        other.close()


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS.keys())
def test_any_text_has_a_vector(encoder: Encoder, text: str) -> None:
    vectors = encoder.encode(["red mug", text])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-4)
    assert cosines(vectors[:1], encoder.encode(["red mug"])).min() >= SAME


def test_what_follows_the_longest_text_changes_nothing(artefact: Artefact, encoder: Encoder) -> None:
    long = "wool " * artefact.max_tokens
    one, other = encoder.encode([long + "blanket", long + "aeroplane"])
    assert one @ other == pytest.approx(1.0, abs=1e-5)


def test_no_texts_give_no_vectors(artefact: Artefact, encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, artefact.dimension)


def test_the_provider_in_force_is_known(encoder: Encoder) -> None:
    assert encoder.session.provider == CPU
    assert encoder.session.fallback is None


@given(st.lists(st.integers(0, 300), max_size=200), st.integers(1, 600))
def test_batches_hold_every_row_once_and_few_tokens(lengths: list[int], batch_tokens: int) -> None:
    batches = plan_batches(lengths, batch_tokens)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= batch_tokens
