"""Describes what look-ups of lists may ask for: how many items, reasons, rules and pages."""

from typing import Any

from app.web.requests import K_DEFAULT
from app.web.route import count, flag, in_query
from headrace import pages, rules

Schema = dict[str, Any]


def _several(pattern: str = "") -> Schema:
    one: Schema = {"type": "string", "minLength": 1, "maxLength": rules.LONGEST_VALUE} | (
        {"pattern": f"^{pattern}$"} if pattern else {}
    )
    return {"type": "array", "items": one, "maxItems": rules.MOST_VALUES}


PRICE: Schema = {"type": "number", "minimum": 0, "maximum": rules.HIGHEST_PRICE}
K = (count("k", K_DEFAULT), flag("explain", "whether each item has its reason"))
RULES = (
    in_query("category", _several(), "only items of these categories and those below"),
    in_query("brand", _several(), "only items of these brands"),
    in_query("price_from", PRICE, "only items that cost at least this"),
    in_query("price_to", PRICE, "only items that cost at most this"),
    in_query("block", _several(), "items that are not listed"),
    in_query("block_category", _several(), "categories that are not listed, with those below"),
    in_query("block_brand", _several(), "brands that are not listed"),
    in_query("boost", _several(rules.BOOST), "multiplies scores: 2:brand:Acme, 0.5:category:Sale, 3:item:50"),
    in_query("pin", _several(rules.PIN), "puts an item at a place: 1:50; no effect on similar items"),
    in_query(
        "diversity",
        {"type": "number", "minimum": 0, "maximum": 1},
        "0: by score, 1: categories as different as can be",
    ),
)
PAGE = in_query(
    "page",
    {"type": "string", "pattern": f"^{pages.MARK}$"},
    "for pages without repeats: first, then what the answer before has in next",
)
