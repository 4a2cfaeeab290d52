"""The shipped quality model accepts ordinary titles, also of kinds that no catalogue here has."""

from pathlib import Path

import numpy as np
import pytest

from models.quality.defect import Defect, ItemText
from models.quality.judge import QualityModel, open_quality_model
from models.quality.text import QualitySettings, TextVerdict, weight_of

ARTEFACTS = Path(__file__).parents[2] / "onnx"
SETTINGS = QualitySettings()
MOST_FALSE_ALARMS = 0.03

GOODS = (
    "Red pen; T-Shirt; Sony WH-1000XM5; iPhone 15 Pro Max 256GB; Kettle; Mug; Blue mug; Garden hose 20m; Yoga mat; "
    "Monopoly; Hammer; Cordless drill 18V; Light bulb E27; Milk 1L; Bread; Bananas; Eggs 12; Red wine Merlot 2019; "
    'Jeans slim fit; Socks 5 pack; Notebook A5; Router AX3000; RAM 16GB DDR5; Monitor 27" 4K; Smart TV 55"; Bicycle; '
    "Gift card $50; Rug 160x230; Vitamin D3; First aid kit; Batteries AA 8 pack; Chocolate bar; Umbrella; Desk lamp; "
    "HDMI Cable; USB-C cable 2m; Nike Air Max 90; LEGO 10497; Dog food 12kg; Motor oil 5W-30; Piano; Teapot"
)
PARTS = (
    "10k resistor 0603 1%; 100nF capacitor 0402 X7R 16V; BC547 NPN transistor; LM317 voltage regulator; NE555 timer; "
    "M3x10 hex bolt; 16 MHz crystal; Relay 5V SPDT; RJ45 CAT6 patch cable 0.5m; 6206-2RS bearing; LED red 5mm; "
    'Copper wire 1.5mm2; Raspberry Pi 4 Model B 8GB; Arduino Uno R3; PVC pipe 32mm 3m; Ball valve 1/2" brass'
)
BARE = "; ".join(
    [f"Item {n}" for n in range(1, 25)]
    + [f"Product {letter}" for letter in "ABCDEFGH"]
    + [f"Title {letter}" for letter in "abcdefgh"]
    + ["Widget", "Gadget", "Plain title", "A kettle", "Thing 3", "item-7"]
)
MEDIA = (
    "Dune; Emma; Pride and Prejudice; The Hobbit; Where the Wild Things Are; Abbey Road; Nevermind; Se7en; Alien; "
    "The Graduate; Graduate, The; Postino, Il; Bohemian Rhapsody; Don't Look Back; Nothing Compares 2 U; Amélie; "
    "Who Framed Roger Rabbit; Let It Be; Crime and Punishment; Stand by Me; Great Expectations; Toy Story; Heat; "
    "Smells Like Teen Spirit; Never Gonna Give You Up; Are You Lonesome Tonight?; Twelve Monkeys; It's a Wonderful Life"
)
OTHER_LANGUAGES = (
    "Kaffeemaschine mit Mahlwerk; Herrenjacke aus Baumwolle; Schreibtischlampe schwarz; Kinderfahrrad 16 Zoll; "
    "Bettwäsche 135x200; Tasse en porcelaine; Veste imperméable pour homme; Huile d'olive vierge; Lampe de chevet; "
    "Sac à main en cuir; 不锈钢保温杯; 男士运动鞋; 巧克力礼盒; 儿童书包; 无线蓝牙耳机"
)


@pytest.fixture(scope="module")
def model() -> QualityModel:
    return open_quality_model(ARTEFACTS)


def judged(model: QualityModel, titles: str, category: str = "") -> dict[str, TextVerdict]:
    split = titles.split("; ")
    return dict(zip(split, model.judge([ItemText(title, category) for title in split]), strict=True))


def hidden(verdicts: dict[str, TextVerdict]) -> list[str]:
    return [title for title, verdict in verdicts.items() if not verdict.acceptable(SETTINGS)]


@pytest.mark.parametrize(
    ("titles", "category"),
    [
        (GOODS, ""),
        (GOODS.upper(), ""),
        (PARTS, "Components"),
        (BARE, ""),
        (BARE, "cat1"),
        (MEDIA, "Drama"),
        (MEDIA, ""),
    ],
    ids=["goods", "goods in capitals", "parts", "bare words", "bare words with a category", "media", "media alone"],
)
def test_ordinary_titles_are_neither_hidden_nor_called_defective(
    model: QualityModel, titles: str, category: str
) -> None:
    verdicts = judged(model, titles, category)
    named = {title: verdict.defects(SETTINGS) for title, verdict in verdicts.items() if verdict.defects(SETTINGS)}

    assert len(hidden(verdicts)) <= MOST_FALSE_ALARMS * len(verdicts), hidden(verdicts)
    assert len(named) <= MOST_FALSE_ALARMS * len(verdicts), named


def test_a_shop_in_another_language_keeps_its_items(model: QualityModel) -> None:
    assert hidden(judged(model, OTHER_LANGUAGES)) == []


def test_good_titles_weigh_the_same(model: QualityModel) -> None:
    weights = [weight_of(each.score, SETTINGS) for text in (GOODS, MEDIA) for each in judged(model, text).values()]

    assert np.quantile(weights, 0.1) == 1.0


@pytest.mark.parametrize("note", ["check", "?", "damaged", "missing", "n/a", "test", "mug?", "wrongly coded"])
def test_a_remark_in_place_of_a_title_is_named_and_hidden(model: QualityModel, note: str) -> None:
    for category in ("", "Kitchen > Mugs"):
        verdict = model.judge([ItemText(note, category)])[0]
        assert Defect.REMARK in verdict.defects(SETTINGS)
        assert not verdict.acceptable(SETTINGS)
