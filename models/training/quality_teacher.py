"""Use a sentence encoder as teacher of which categories could hold a title.

It is for catalogues that have no categories.
"""

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch  # type: ignore[import-not-found]  # installed with the extra `export` only
from numpy.typing import NDArray
from tokenizers import Tokenizer  # type: ignore[import-untyped]  # the wheel ships no types
from transformers import BertModel  # type: ignore[import-not-found]  # as above

from models.inference.encoder import pad_batch
from models.quality.text import PATH, SPACE
from models.training.quality_catalogue import TeachersView, TrainingCatalogue

BATCH = 64
# More titles teach little more, and each five thousand take a minute.
MOST_TITLES = 4_000


def teachers_view(
    folder: Path,
    tokenizer: Tokenizer,
    catalogues: list[TrainingCatalogue],
    categories: list[str],
    progress: Callable[[int, int], None],
) -> TeachersView | None:
    """Return cosines between the titles without category and all categories.

    Returns None if there is nothing to compare.
    """
    found = {item.title for each in catalogues for item in each.items if not item.category}
    titles = sorted(found, key=lambda title: (zlib.crc32(title.encode()), title))[:MOST_TITLES]
    distinct = sorted(set(categories))
    if not titles or not distinct:
        return None
    encoder = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    total = len(titles) + len(distinct)
    done = [0]

    def embed(texts: list[str]) -> NDArray[np.float32]:
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        out = np.zeros((len(texts), encoder.config.hidden_size), np.float32)
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            out[rows] = _vectors(encoder, tokenizer, [texts[i] for i in rows])
            done[0] += len(rows)
            progress(done[0], total)
        return out

    words = [SPACE.sub(" ", " ".join(PATH.split(category))) for category in distinct]
    similarity = embed(titles) @ embed(words).T
    return TeachersView(
        similarity, {title: i for i, title in enumerate(titles)}, {name: i for i, name in enumerate(distinct)}
    )


def _vectors(encoder: BertModel, tokenizer: Tokenizer, texts: list[str]) -> NDArray[np.float32]:
    feeds = pad_batch([np.array(each.ids, np.int64) for each in tokenizer.encode_batch(texts)])
    ids, mask = (torch.from_numpy(feeds[name]) for name in ("input_ids", "attention_mask"))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        hidden = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    weight = mask.unsqueeze(-1).float()
    pooled = (hidden.float() * weight).sum(1) / weight.sum(1)
    unit: NDArray[np.float32] = torch.nn.functional.normalize(pooled, dim=1).numpy()
    return unit
