"""Fit the quality network.

Batches have texts of similar length, the rate warms up and then falls linearly. The CPU computes in
bf16, unless `half_precision` is False.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch  # type: ignore[import-not-found]  # installed with the extra `export` only
from numpy.typing import NDArray
from tokenizers import Tokenizer  # type: ignore[import-untyped]  # the wheel ships no types

from models.inference.encoder import pad_batch
from models.quality.defect import ItemText
from models.quality.features import lexical_features
from models.quality.text import encoder_input
from models.training.quality_examples import Example
from models.training.quality_network import QualityNetwork, masked_loss

Progress = Callable[[int, float], None]
BUCKET = 16


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Holds how long and how fast to learn."""

    steps: int = 2000
    batch: int = 48
    rate: float = 1.5e-4
    head_rate: float = 1e-3
    warm_up: float = 0.06
    half_precision: bool = True


@dataclass(frozen=True, slots=True)
class Inputs:
    """Holds the network's inputs as arrays of n rows, and the labels that it should give."""

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    features: NDArray[np.float32]
    labels: NDArray[np.float32]


def inputs_of(tokenizer: Tokenizer, examples: list[Example]) -> Inputs:
    """Return the examples as padded arrays."""
    items = [each.item for each in examples]
    ids, mask = tokens_of(tokenizer, items)
    return Inputs(ids, mask, lexical_features(items), np.array([each.labels for each in examples], np.float32))


def tokens_of(tokenizer: Tokenizer, items: list[ItemText]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return token ids and mask, both of shape (n, tokens)."""
    encoded = tokenizer.encode_batch([encoder_input(item) for item in items])
    feeds = pad_batch([np.array(each.ids, np.int64) for each in encoded])
    return feeds["input_ids"], feeds["attention_mask"]


def batches(tokenizer: Tokenizer, stream: Iterator[Example], size: int) -> Iterator[Inputs]:
    """Yield batches of texts of similar length.

    A pool of sixteen batches is sorted and cut, then read in a mixed order.
    """
    shuffle = np.random.default_rng(size)
    while True:
        pool = list(islice(stream, BUCKET * size))
        pool.sort(key=lambda each: len(encoder_input(each.item)))
        for start in shuffle.permutation(BUCKET):
            yield inputs_of(tokenizer, pool[start * size : (start + 1) * size])


def fit(network: QualityNetwork, source: Iterator[Inputs], settings: FitSettings, progress: Progress) -> None:
    """Train the network in place; `progress` receives each step's number and loss."""
    optimiser = torch.optim.AdamW(_groups(network, settings), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _slope(step, settings))
    network.train()
    for step, batch in enumerate(islice(source, settings.steps), start=1):
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.half_precision):
            logits = network(*(torch.from_numpy(each) for each in (batch.ids, batch.mask, batch.features)))
        loss = masked_loss(logits.float(), torch.from_numpy(batch.labels))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p in network.parameters() if p.requires_grad], 1.0)
        optimiser.step()
        schedule.step()
        progress(step, float(loss.detach()))
    network.eval()


def _groups(network: QualityNetwork, settings: FitSettings) -> list[dict[str, object]]:
    encoder = [p for p in network.encoder.parameters() if p.requires_grad]
    head = [*network.hidden.parameters(), *network.out.parameters()]
    return [{"params": encoder, "lr": settings.rate}, {"params": head, "lr": settings.head_rate}]


def _slope(step: int, settings: FitSettings) -> float:
    rise = max(1, int(settings.warm_up * settings.steps))
    return min((step + 1) / rise, max(0.02, (settings.steps - step) / max(1, settings.steps - rise)))
