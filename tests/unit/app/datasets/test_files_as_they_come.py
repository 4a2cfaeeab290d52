"""The same rows are read from any file that shops write them to."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.datasets.encoding import checked
from app.datasets.folder import open_dataset
from app.datasets.mapping import FileMapping, load_mapping
from app.datasets.record import Record
from app.errors import HeadraceError

ROWS = [
    {"event_id": "1", "ts": 1700000000, "user_id": "Zoë", "item_id": 'café, 12" ☕', "kind": "view", "price": 2.5},
    {"event_id": "2", "ts": 1700000060, "user_id": "jon", "item_id": "b;c\td|e", "kind": "order", "price": 9},
]
WESTERN = [{**row, "item_id": str(row["item_id"]).replace("☕", "€")} for row in ROWS]


def as_csv(rows: list[dict[str, object]], separator: str = ",", quote: str = '"', doubled: bool = True) -> str:
    def cell(value: object) -> str:
        text = str(value).replace(quote, quote * 2 if doubled else "\\" + quote)
        return f"{quote}{text}{quote}"

    cells: list[list[object]] = [list(rows[0]), *(list(row.values()) for row in rows)]
    return "".join(separator.join([cell(each) for each in row]) + "\n" for row in cells)


def zstandard(content: bytes) -> bytes:
    packer = pytest.importorskip("zstandard", reason="zstandard is not installed").ZstdCompressor()
    half = len(content) // 2
    packed: bytes = packer.compress(content[:half]) + packer.compress(content[half:])  # two frames, as pzstd writes
    return packed


def parquet(rows: list[dict[str, object]]) -> bytes:
    pyarrow = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    tables = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    tables.write_table(pyarrow.Table.from_pylist(rows), file)
    return file.getvalue()


def in_bytes(row: dict[str, object]) -> dict[str, object]:
    """Return the row as writers leave it that do not say which bytes are text."""
    return {name: value.encode() if isinstance(value, str) else value for name, value in row.items()}


FILES: dict[str, Callable[[], bytes]] = {
    "commas.csv": lambda: as_csv(ROWS).encode(),
    "semicolons.csv": lambda: as_csv(ROWS, ";").encode(),
    "tabs.tsv": lambda: as_csv(ROWS, "\t").encode(),
    "bars.txt": lambda: as_csv(ROWS, "|").encode(),
    "single-quotes.csv": lambda: as_csv(ROWS, quote="'").encode(),
    "escaped.csv": lambda: as_csv(ROWS, doubled=False).encode(),
    "windows-lines.csv": lambda: as_csv(ROWS).replace("\n", "\r\n").encode(),
    "marked.csv": lambda: as_csv(ROWS).encode("utf-8-sig"),
    "utf-16.csv": lambda: as_csv(ROWS, "\t").encode("utf-16"),
    "utf-16-le.csv": lambda: as_csv(ROWS).encode("utf-16-le"),
    "spare.csv": lambda: as_csv(ROWS).replace("\n", ",,\n").encode(),
    "packed.csv.gz": lambda: gzip.compress(as_csv(ROWS).encode()),
    "packed-without-saying-so.csv": lambda: gzip.compress(as_csv(ROWS).encode()),
    "packed.csv.zst": lambda: zstandard(as_csv(ROWS).encode()),
    "lines.jsonl": lambda: b"".join(orjson.dumps(row) + b"\n" for row in ROWS),
    "lines.csv": lambda: b"".join(orjson.dumps(row) + b"\n" for row in ROWS),
    "lines.ndjson.gz": lambda: gzip.compress(b"".join(orjson.dumps(row) + b"\n" for row in ROWS)),
    "lines.jsonl.zst": lambda: zstandard(b"".join(orjson.dumps(row) + b"\n" for row in ROWS)),
    "array.json": lambda: orjson.dumps(ROWS),
    "array-in-lines.jsonl": lambda: b"[\n" + b",\n".join(map(orjson.dumps, ROWS)) + b"\n]\n",
    "array-indented.json": lambda: json.dumps(ROWS, indent=4).encode(),
    "wrapped.json": lambda: orjson.dumps({"data": ROWS}, option=orjson.OPT_INDENT_2),
    "columns.parquet": lambda: parquet(ROWS),
    "columns-of-bytes.parquet": lambda: parquet([in_bytes(row) for row in ROWS]),
    "one-long-line.json": lambda: orjson.dumps({"note": "x" * 400_000, "data": ROWS}),
}  # fmt: skip


def read(path: Path, mapping: FileMapping | None = None) -> list[Record]:
    return list(open_dataset(path, mapping or FileMapping()).events())


def events(records: list[Record]) -> list[dict[str, Any]]:
    return [orjson.loads(record.value or b"") for record in records]


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_whatever_it_is_written_in(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name]())
    records = read(path)
    assert [record.topic for record in records] == ["views", "orders"]
    for event, row in zip(events(records), ROWS, strict=True):
        assert event.items() <= row.items()
        assert row.keys() - event.keys() <= {"kind"}


@pytest.mark.parametrize("encoding", ["cp1252", "iso8859-15"])
def test_an_old_encoding_of_western_europe_is_recognised_or_named(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(as_csv(WESTERN).encode(encoding))
    named = FileMapping(encoding=encoding)
    for event, row in zip(events(read(path, named if encoding != "cp1252" else None)), WESTERN, strict=True):
        assert event.items() <= row.items()


def test_another_encoding_is_not_guessed_but_taken_when_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes("event_id,ts,user_id,item_id,kind\n1,1700000000,u,кружка,view\n".encode("cp1251"))
    [record] = read(path)
    assert dict(record.headers)["reason"] == b"invalid_utf8"
    [event] = events(read(path, FileMapping(encoding="cp1251")))
    assert event["item_id"] == "кружка"


def test_one_broken_row_does_not_change_how_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    head = "event_id,ts,user_id,item_id,kind\n1,1700000000,Zoë,a,view\n".encode()
    path.write_bytes(head + b"2,1700000000,Zo\xeb,a,view\n")
    good, bad = read(path)
    assert events([good])[0]["user_id"] == "Zoë"
    assert (bad.topic, bad.value) == ("quarantine", b"2,1700000000,Zo\xeb,a,view")


def test_a_row_of_another_encoding_is_quarantined_with_its_own_bytes(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    rows = "event_id,ts,user_id,item_id,kind\n1,1700000000,u,a,poke\n"
    path.write_bytes(rows.encode("utf-16"))
    [record] = read(path)
    assert record.value == "1,1700000000,u,a,poke".encode("utf-16-le")


def test_a_cut_off_utf_16_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(as_csv(ROWS).encode("utf-16")[:-1])
    with pytest.raises(HeadraceError, match="is not utf-16 to its end"):
        read(path)


@pytest.mark.parametrize("encoding", ["rot13", "hex", "undefined", "klingon"])
def test_what_is_no_encoding_of_text_is_refused(encoding: str) -> None:
    with pytest.raises(HeadraceError, match="no encoding that Python knows"):
        checked(encoding)


def test_a_cut_off_zstandard_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "events.csv.zst"
    rows = "".join(f"{n},17000{n % 99999:05},u{n * 7919 % 10007},i,view\n" for n in range(50_000))
    path.write_bytes(zstandard(("event_id,ts,user_id,item_id,kind\n" + rows).encode())[:-2000])
    with pytest.raises(HeadraceError, match="damaged or cut off"):
        read(path)


def test_an_array_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(orjson.dumps(ROWS)[:-10])
    with pytest.raises(HeadraceError, match="is one JSON array or object that is not complete"):
        read(path)


def test_columns_and_words_of_ones_own_are_mapped(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("when;who;what;sku;paid\n14.11.2023 23:13;mira;bought;lamp-1;1.249,00\n;x;poke;y;\n")
    mapping = FileMapping(
        columns={"ts": "when", "user_id": "who", "kind": "what", "item_id": "sku", "price": "paid"},
        kinds={"bought": "order", "poke": "skip"},
        time_zone="Europe/Berlin",
        time_format="%d.%m.%Y %H:%M",
        decimal=",",
    )
    [event] = events(read(path, mapping))
    assert event.pop("event_id")
    assert event == {"ts": 1_699_999_980.0, "user_id": "mira", "item_id": "lamp-1", "price": 1249}
    file = tmp_path / "mine.toml"
    file.write_text(mapping.saved())
    assert load_mapping(file) == mapping


def test_a_field_inside_an_object_is_mapped_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"at":1700000000000,"user":{"id":7},"product":{"sku":"a"}}\n')
    columns = {"ts": "at", "user_id": "user.id", "item_id": "product.sku"}
    [record] = read(path, FileMapping(columns=columns, kind="cart", time_unit="ms"))
    assert record.topic == "carts"
    event = events([record])[0]
    assert event.pop("event_id")
    assert event == {"ts": 1_700_000_000, "user_id": "7", "item_id": "a"}


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (FileMapping(format="excel"), "format 'excel' is none of auto, headrace"),
        (FileMapping(columns={"colour": "x"}), "field of --map 'colour' is none of event_id"),
        (FileMapping(kinds={"a": "buy"}), "kind 'buy' is none of view, click, cart, order"),
        (FileMapping(time_zone="Mars/North"), "'Mars/North' is no time zone"),
        (FileMapping(encoding="klingon"), "'klingon' is no encoding"),
        (FileMapping(columns={"ts": "nowhere"}), "has no column nowhere, which was named for ts"),
    ],
)
def test_what_makes_no_sense_is_named(mapping: FileMapping, message: str, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("ts,user_id,item_id,kind\n")
    with pytest.raises(HeadraceError, match=message):
        open_dataset(path, mapping)


@pytest.mark.parametrize(
    ("text", "message"),
    [("colour = 1", "entry of .* 'colour' is none of"), ("kinds = 'x'", "kinds has to be a table"), ("=", "TOML")],
)
def test_a_mapping_file_with_a_mistake_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(HeadraceError, match=message):
        load_mapping(path)


def test_likely_columns_are_proposed_for_those_that_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("Timestamp,Customer ID,sku,event_type\n")
    with pytest.raises(HeadraceError) as error:
        read(path)
    ways = "--map ts=Timestamp --map item_id=sku --map kind=event_type --map 'user_id=Customer ID'"
    assert str(error.value).endswith(f"; try {ways}")


def test_ratings_are_a_kind_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text("user_id,item_id,rating,timestamp\n1,31,2.5,1260759144\n1,1029,5.0,1260759179\n")
    with pytest.raises(HeadraceError, match=r"try --map ts=timestamp --kind rating$"):
        read(path)
    rated = read(path, FileMapping(columns={"ts": "timestamp"}, kind="rating"))
    assert [record.topic for record in rated] == ["views", "orders"]


def test_a_file_that_is_no_text_is_refused_as_such(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(bytes(range(1, 256)) * 9)
    with pytest.raises(HeadraceError, match="is no text, or in another encoding"):
        read(path)


def test_a_file_that_is_no_archive_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "events.csv.gz"
    path.write_bytes(as_csv(ROWS).encode())
    with pytest.raises(HeadraceError, match="damaged or cut off"):
        read(path)


@pytest.mark.parametrize("start", [b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0"])
def test_a_binary_file_is_told_to_be_no_text(start: bytes, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(start * 40)
    with pytest.raises(HeadraceError, match="is no text"):
        open_dataset(path)
