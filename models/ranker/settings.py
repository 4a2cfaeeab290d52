"""What of the learned ranker can be chosen; each value was chosen by `scripts/tune_ranker.py`."""

from dataclasses import dataclass

from models.setting import setting

AUTO, BY_FORMULA, LEARNED = "auto", "formula", "learned"


@dataclass(frozen=True, slots=True)
class RankerSettings:
    """How the ranker learns; equal settings and events give an equal ranker.

    - `half_life_days`: time in which what items have to do with one another loses half its weight;
    - `rate`: step of AdaGrad; the hidden layer's is `hidden_share` of it;
    - `running_scale`: whether features are scaled by all lists so far, or by the first ones only;
    - `by_brand`, `beside`: most candidates of the last item's brand, and most on either side of it
      in the order of prices; 0 leaves the source out;
    - `like`: most candidates that are near to the last item in meaning, at most 20;
    - `user_share`: share of what was learned of late that one user can have, above 0 to 1;
    - `sample`: share of the events that are predicted and learned from, chosen by a hash, above 0
      to 1;
    - `seed`: of the first weights;
    - `least`: lists before a learned ranker may lead.
    """

    half_life_days: float = 90.0
    rate: float = 0.02
    hidden_share: float = 1.0
    running_scale: bool = True
    by_brand: int = 10
    beside: int = 10
    like: int = 20
    user_share: float = 0.01
    sample: float = 1.0
    seed: int = 0
    least: int = 50


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """Who ranks the lists of a worker, and how much time learning to rank may take."""

    mode: str = setting(
        BY_FORMULA,
        "who ranks lists: formula; learned, as soon as it has learned; or auto: the formula until the learned ranker "
        "predicts better",
        choices=(AUTO, BY_FORMULA, LEARNED),
    )
    share: float = setting(
        0.15, "share of the time of the worker that learns to rank which learning may take", low=0.001, high=0.9
    )
