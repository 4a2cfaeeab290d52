"""Declare the settings of inference.

They are apart from the code that runs models, because settings are read also where onnxruntime is
not installed.
"""

from dataclasses import dataclass

from models.setting import setting


@dataclass(frozen=True, slots=True)
class InferenceSettings:
    """Holds the settings with which models are run."""

    provider: str = setting("auto", "where models run; auto takes CUDA if it works", choices=("auto", "cpu", "cuda"))
    threads: int = setting(2, "CPU threads that run models", low=1, high=256)
    batch_tokens: int = setting(192, "tokens that one model run takes together", low=1, high=1_000_000)
    batch_texts: int = setting(512, "texts that are prepared together", low=1, high=100_000)
    latency_budget_seconds: float = setting(0.005, "how long a text may wait for others to join it", low=0, high=60)
    queue_requests: int = setting(64, "requests that may wait; more hold their sender back", low=1, high=100_000)
    cache_texts: int = setting(100_000, "vectors of texts kept in memory", low=0, high=100_000_000)
