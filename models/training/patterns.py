"""Make up the names, numbers and addresses that fill the patterns of spam and markup."""

from models.training.garble import Rng, pick

VARIABLES = (
    "title",
    "name",
    "product_name",
    "item.title",
    "PRODUCT",
    "brand",
    "description",
    "TITLE",
    "label",
    "sku",
)
NAMES = (
    "product",
    "item",
    "main",
    "header",
    "price",
    "details",
    "box",
    "content",
    "shop",
    "goods",
    "card",
    "row",
    "offer",
)


def fill(pattern: str, rng: Rng) -> str:
    """Fill the pattern with a made-up word {w}, number {n}, colour {h}, address {u} and variable
    {v}.
    """
    word = pick(rng, NAMES)
    number = str(int(rng.integers(1, 999)))
    host = pick(rng, ("http://www.", "https://", "//cdn."))
    url = f"{host}{word}{number}.{pick(rng, ('com', 'net', 'co.uk'))}/{pick(rng, NAMES)}/{number}"
    shade = f"{int(rng.integers(0x1000)):03x}"
    return pattern.format(w=word, n=number, h=shade, u=url, v=pick(rng, VARIABLES))


def some(rng: Rng, options: tuple[str, ...], low: int, high: int) -> list[str]:
    """Return from `low` to `high - 1` of the options, some perhaps twice."""
    return [pick(rng, options) for _ in range(int(rng.integers(low, high)))]


def around(text: str, extra: str, rng: Rng) -> str:
    """Put the extra before, after or on both sides of the text."""
    where = rng.random()
    if where < 0.35:
        return f"{extra} {text}".strip()
    return f"{text} {extra}".strip() if where < 0.8 else f"{extra} {text} {extra}"
