"""Define the quality network: layers of a sentence encoder, counted features, and one head.

tokens -> first encoder layers -> mean, maximum and first vector ─┐
counted features -> standardised and clipped ─────────────────────┴-> hidden layer -> logits
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch  # type: ignore[import-not-found]  # installed with the extra `export` only
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import BertConfig, BertModel  # type: ignore[import-not-found]  # as above

CLIP = 5.0
# How the export stores words: bits of a number in a word's vector, numbers that share a scale.
WORD_BITS, BLOCK = 4, 64
MASKED = -1e4


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """Holds how large the network is."""

    layers: int = 3
    positions: int = 64
    hidden: int = 256
    dropout: float = 0.1


class QualityNetwork(nn.Module):  # type: ignore[misc]  # torch may be absent when this is checked
    """Computes logits, shape (n, defects), from token ids and counted features."""

    def __init__(self, encoder: BertModel, scaling: NDArray[np.float32], outputs: int, shape: NetworkShape) -> None:
        """Build the layers above the encoder.

        `scaling` holds mean and standard deviation of each counted feature, shape (2, features).
        """
        super().__init__()
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.register_buffer("mean", torch.from_numpy(scaling[0]))
        self.register_buffer("spread", torch.from_numpy(np.maximum(scaling[1], 0.05)))
        self.hidden = nn.Linear(3 * width + scaling.shape[1], shape.hidden)
        self.dropout = nn.Dropout(shape.dropout)
        self.out = nn.Linear(shape.hidden, outputs)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, features: Tensor) -> Tensor:
        """Return logits, shape (n, defects).

        Ids and mask have the shape (n, tokens), features (n, features).
        """
        vectors = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(vectors.dtype)
        mean = (vectors * mask).sum(1) / mask.sum(1)
        highest = (vectors * mask + (1.0 - mask) * MASKED).max(1).values
        counted = ((features - self.mean) / self.spread).clamp(-CLIP, CLIP)
        joined = torch.cat([mean, highest, vectors[:, 0], counted], dim=1)
        logits: Tensor = self.out(self.dropout(nn.functional.gelu(self.hidden(joined))))
        return logits


def build_network(folder: Path, scaling: NDArray[np.float32], outputs: int, shape: NetworkShape) -> QualityNetwork:
    """Build the network on the first layers of the BERT model in `folder`.

    Its word vectors are frozen: so they keep what the encoder knows about words that the catalogues
    here never use. They are rounded as the export stores them, so that the trained model is the
    shipped one.
    """
    config = BertConfig.from_pretrained(folder)
    config.num_hidden_layers = shape.layers
    config._attn_implementation = "eager"
    encoder = BertModel.from_pretrained(folder, config=config, add_pooling_layer=False)
    embeddings = encoder.embeddings
    kept = embeddings.position_embeddings.weight.data[: shape.positions].clone()
    embeddings.position_embeddings = nn.Embedding.from_pretrained(kept, freeze=False)
    embeddings.position_ids = embeddings.position_ids[:, : shape.positions]
    embeddings.token_type_ids = embeddings.token_type_ids[:, : shape.positions]
    words = embeddings.word_embeddings.weight
    words.data = torch.from_numpy(rounded(words.data.numpy(), WORD_BITS, BLOCK))
    words.requires_grad_(False)
    return QualityNetwork(encoder, scaling, outputs, shape)


def rounded(weights: NDArray[np.float32], bits: int, block: int) -> NDArray[np.float32]:
    """Return the weights, shape (n, width), rounded to few bits in symmetric blocks.

    A number gets `bits` bits; a block has `block` numbers, which must divide the width. As in
    onnxruntime's quantiser, the largest value of a block by magnitude becomes the most negative
    step.
    """
    blocks = weights.reshape(len(weights), -1, block)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2, keepdims=True), axis=2)
    top = 1 << (bits - 1)
    scale = np.where(largest == 0, np.float32(1.0), largest / np.float32(-top))
    steps = np.clip(np.round(blocks / scale), -top, top - 1)
    return np.asarray(steps * scale, np.float32).reshape(weights.shape)


def masked_loss(logits: Tensor, labels: Tensor, smoothing: float = 0.01) -> Tensor:
    """Return the mean binary cross-entropy over the known labels; -1 is unknown.

    Both inputs have the shape (n, defects).
    """
    known = labels >= 0
    target = labels.clamp(min=0) * (1 - 2 * smoothing) + smoothing
    loss = nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1)
