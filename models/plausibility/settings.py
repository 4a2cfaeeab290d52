"""What is done about events that are well-formed and can hardly be true."""

from dataclasses import dataclass

from models.setting import setting

ACCEPT, DOWN_WEIGHT, QUARANTINE = "accept", "down_weight", "quarantine"
OUTCOMES = (ACCEPT, DOWN_WEIGHT, QUARANTINE)
_IS = "accept (only count it), down_weight (it counts in the user's profile and is not learned), or quarantine"


@dataclass(frozen=True, slots=True)
class PlausibilitySettings:
    """The outcome of each doubt, and when there is one."""

    robots: str = setting(DOWN_WEIGHT, f"what becomes of a robot's views and clicks: {_IS}", choices=OUTCOMES)
    prices: str = setting(
        ACCEPT, "what becomes of an order whose price is far from the item's: likewise", choices=OUTCOMES
    )
    quantities: str = setting(
        QUARANTINE, "what becomes of an order whose quantity is far from the item's: likewise", choices=OUTCOMES
    )
    non_products: str = setting(
        QUARANTINE, "what becomes of an event on postage, a fee or a discount: likewise", choices=OUTCOMES
    )
    robot_rate: float = setting(
        60.0, "views and clicks a minute above which a user is a robot, over half a minute", low=1
    )
    price_factor: float = setting(
        8.0, "a price within this factor of the item's usual one is plausible in any case", low=1.1
    )
    quantity_factor: float = setting(
        500.0, "a quantity within this factor of the item's usual one is plausible in any case", low=1.1
    )
    robot_memory: int = setting(131_072, "users whose rhythm is remembered; 48 bytes each", low=1_024, high=67_108_864)
