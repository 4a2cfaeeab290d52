"""Each rule by which a CSV row becomes an event."""

import gzip
from pathlib import Path

import orjson
import pytest

from app.datasets.folder import open_dataset
from app.datasets.record import Record
from app.errors import HeadraceError

HEADER = b"event_id,ts,user_id,session_id,item_id,kind,price,quantity,rating,country\n"


def read(folder: Path, *rows: bytes, header: bytes = HEADER) -> list[Record]:
    path = folder / "events.csv"
    path.write_bytes(header + b"\n".join(rows))
    return list(open_dataset(path).events())


def only(folder: Path, row: bytes, header: bytes = HEADER) -> Record:
    [record] = read(folder, row, header=header)
    return record


def reason_of(record: Record) -> str:
    return dict(record.headers)["reason"].decode()


def test_a_row_becomes_an_event_of_the_contract(tmp_path: Path) -> None:
    record = only(tmp_path, b"7,1291191960,u1,s1,85123A,order,2.55,6,,United Kingdom")
    assert record.topic == "orders"
    assert record.key == b"u1"
    assert record.ts == 1291191960.0
    assert record.value is not None
    assert orjson.loads(record.value) == {
        "event_id": "7",
        "ts": 1291191960,
        "user_id": "u1",
        "session_id": "s1",
        "item_id": "85123A",
        "price": 2.55,
        "quantity": 6,
    }


def test_an_empty_cell_is_an_absent_field(tmp_path: Path) -> None:
    record = only(tmp_path, b",1,u1,,i1,view,,,,")
    assert record.value == b'{"user_id":"u1","item_id":"i1","ts":1}'


def test_a_short_row_lacks_its_last_fields(tmp_path: Path) -> None:
    record = only(tmp_path, b"1,1,u1,s1,i1,view")
    assert record.value == b'{"event_id":"1","user_id":"u1","session_id":"s1","item_id":"i1","ts":1}'


def test_a_guest_is_keyed_by_the_session(tmp_path: Path) -> None:
    record = only(tmp_path, b"1,1,,s9,i1,view,,,,")
    assert record.key == b"session:s9"
    assert record.value is not None
    assert "user_id" not in orjson.loads(record.value)


def test_an_event_of_nobody_has_no_key(tmp_path: Path) -> None:
    assert only(tmp_path, b"1,1,,,i1,view,,,,").key is None


@pytest.mark.parametrize(
    ("kind", "rating", "topic"),
    [
        ("view", "", "views"),
        ("click", "", "clicks"),
        ("order", "", "orders"),
        ("cart", "", "carts"),
        ("fav", "", "clicks"),
        ("rating", "4", "orders"),
        ("rating", "4.0", "orders"),
        ("rating", "5", "orders"),
        ("rating", "3.9", "views"),
        ("rating", "1", "views"),
    ],
)
def test_the_kind_chooses_the_topic(tmp_path: Path, kind: str, rating: str, topic: str) -> None:
    assert only(tmp_path, f"1,1,u1,,i1,{kind},,,{rating},".encode()).topic == topic


def test_an_unknown_kind_goes_to_quarantine_with_its_bytes(tmp_path: Path) -> None:
    odd = b'3,1,u1,,"a ""b"", c",wishlist,2.55,6,,France'
    _, record, after = read(tmp_path, b"1,1,u1,,i1,view,,,,", odd, b"2,1,u1,,i1,view,,,,")
    assert record.topic == "quarantine"
    assert record.value == odd
    assert dict(record.headers) == {
        "reason": b"unknown_kind",
        "detail": b"kind 'wishlist' is none of view, click, cart, order, fav, rating",
        "source-topic": b"events.csv",
        "source-partition": b"0",
        "source-offset": b"2",
    }
    assert after.topic == "views"


def test_a_quarantined_row_of_several_lines_is_kept_whole(tmp_path: Path) -> None:
    record, after = read(tmp_path, b'1,1,u1,,"i\r\n1",poke,,,,\r', b"2,1,u1,,i1,view,,,,")
    assert record.value == b'1,1,u1,,"i\r\n1",poke,,,,'
    assert after.topic == "views"


@pytest.mark.parametrize("rating", ["", "good", "nan"])
def test_a_rating_without_a_number_goes_to_quarantine(tmp_path: Path, rating: str) -> None:
    assert reason_of(only(tmp_path, f"1,1,u1,,i1,rating,,,{rating},".encode())) == "invalid_value"


@pytest.mark.parametrize("cell", ["1,250.00", "inf", "1_000", "free", "²"])
def test_a_price_that_is_no_number_is_passed_on_as_it_is(tmp_path: Path, cell: str) -> None:
    record = only(tmp_path, f'1,1,u1,,i1,order,"{cell}",1,,'.encode())
    assert record.value is not None
    assert orjson.loads(record.value)["price"] == cell


@pytest.mark.parametrize(("cell", "value"), [("0", 0), ("-3", -3), ("2.50", 2.5), ("1e3", 1000), ("9" * 30, 1e30)])
def test_a_price_that_is_a_number_is_sent_as_one(tmp_path: Path, cell: str, value: float) -> None:
    record = only(tmp_path, f"1,1,u1,,i1,order,{cell},1,,".encode())
    assert record.value is not None
    assert orjson.loads(record.value)["price"] == value


def test_a_time_with_a_zone_is_passed_on_and_understood(tmp_path: Path) -> None:
    record = only(tmp_path, b"1,2020-06-01T00:00:00Z,u1,,i1,view,,,,")
    assert record.ts == 1590969600.0
    assert record.value is not None
    assert orjson.loads(record.value)["ts"] == "2020-06-01T00:00:00Z"


@pytest.mark.parametrize("ts", ["", "yesterday", "2020-06-01T00:00:00"])
def test_an_unreadable_time_is_nobodys_time(tmp_path: Path, ts: str) -> None:
    assert only(tmp_path, f"1,{ts},u1,,i1,view,,,,".encode()).ts is None


def test_what_the_user_reacted_to_is_kept(tmp_path: Path) -> None:
    header = b"event_id,ts,user_id,item_id,kind,request_id,position,surface,currency,split\n"
    record = only(tmp_path, b"1,1,u1,i1,click,r1,3,home,EUR,train", header=header)
    assert record.value is not None
    event = orjson.loads(record.value)
    assert (event["request_id"], event["position"], event["surface"], event["currency"]) == ("r1", 3, "home", "EUR")
    assert not {"split", "kind"} & event.keys()


def test_bytes_that_are_not_utf8_go_to_quarantine_untouched(tmp_path: Path) -> None:
    row = b"1,1,u\xff1,,i1,view,,,,"
    record = only(tmp_path, row)
    assert reason_of(record) == "invalid_utf8"
    assert record.value == row


def test_a_quote_out_of_place_costs_one_row(tmp_path: Path) -> None:
    bad, good = read(tmp_path, b'1,1,u1,,"i"1,view,,,,', b"2,1,u1,,i1,view,,,,")
    assert reason_of(bad) == "invalid_value"
    assert bad.value == b'1,1,u1,,"i"1,view,,,,'
    assert good.topic == "views"


def test_an_open_quote_swallows_nothing_silently(tmp_path: Path) -> None:
    good, bad, last = read(tmp_path, b"1,1,u1,,i1,view,,,,", b'2,1,u1,,i1,view,,,,"France', b"3,1,u1,,i1,view,,,,")
    assert (good.topic, last.topic) == ("views", "views")
    assert reason_of(bad) == "invalid_value"
    assert bad.value == b'2,1,u1,,i1,view,,,,"France'


def test_a_stray_quote_costs_one_row_of_a_long_file(tmp_path: Path) -> None:
    rows = [b"%d,1,u1,,i1,view,,,," % n for n in range(1000)]
    strays = {5: b'5,1,u1,,"12 inch pan,view,,,,', 60: b'60,1,u1,,"14 inch,view,,,,', 998: b'"'}
    records = read(tmp_path, *(strays.get(n, row) for n, row in enumerate(rows)))
    assert {n: record.value for n, record in enumerate(records) if record.topic == "quarantine"} == strays
    assert len(records) == 1000


def test_a_row_of_a_hundred_lines_is_one_row(tmp_path: Path) -> None:
    row = b'1,1,u1,,"i' + b"\n" * 99 + b'1",view,,,,'
    first, after = read(tmp_path, row, b"2,1,u1,,i1,view,,,,")
    assert first.value is not None
    assert orjson.loads(first.value)["item_id"].count("\n") == 99
    assert after.topic == "views"


def test_a_field_of_two_megabytes_is_read(tmp_path: Path) -> None:
    record = only(tmp_path, b"1,1,u1,," + b"x" * 2_000_000 + b",view,,,,")
    assert record.value is not None
    assert len(record.value) > 2_000_000


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    assert len(read(tmp_path, b"", b"1,1,u1,,i1,view,,,,", b"", b"")) == 1


def test_a_byte_order_mark_belongs_to_no_column(tmp_path: Path) -> None:
    record = only(tmp_path, b"1,1,u1,,i1,view,,,,", header=b"\xef\xbb\xbf" + HEADER)
    assert record.value is not None
    assert orjson.loads(record.value)["event_id"] == "1"


SMALL = b"event_id,ts,user_id,item_id,kind,price\n"


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (SMALL, b"1,1,u1,i1,order,9,50"),
        (SMALL, b"1,1,u1,i1,order,1249,00,"),
        (SMALL, b"1,1,u1,desk lamp, brass,order,9.50"),
        (SMALL.replace(b"price", b"price,,"), b"1,1,u1,i1,order,9,50,"),
    ],
)
def test_a_row_with_more_filled_cells_than_named_columns_is_quarantined_whole(
    tmp_path: Path, header: bytes, row: bytes
) -> None:
    bad, good = read(tmp_path, row, b'2,1,u1,i1,order,"9.50"', header=header)
    assert (reason_of(bad), bad.value) == ("invalid_value", row)
    assert dict(bad.headers)["detail"].startswith(b"7 cells where 6 columns have a name: put quotes around")
    assert good.value is not None
    assert orjson.loads(good.value)["price"] == 9.5


@pytest.mark.parametrize("spare", [b",", b",,,", b", ,", b',""'])
def test_empty_spare_cells_are_no_fault(tmp_path: Path, spare: bytes) -> None:
    record = only(tmp_path, b"1,1,u1,i1,order,9.50" + spare, header=SMALL)
    assert record.value is not None
    assert orjson.loads(record.value)["price"] == 9.5


@pytest.mark.parametrize("row", [b"1,1,u1,i1,order,,,9.50", b"1,1,u1,i1,order,note,,9.50", b"1,1,u1,i1,order,,,9.50,"])
def test_columns_without_a_name_are_passed_over(tmp_path: Path, row: bytes) -> None:
    record = only(tmp_path, row, header=b"event_id,ts,user_id,item_id,kind,,,price\n")
    assert record.value is not None
    assert orjson.loads(record.value)["price"] == 9.5


@pytest.mark.parametrize("row", [b"1,1,u1,i1,view", b"1,1,u1,i1,view,", b"1,1,u1,i1,view,,"])
def test_a_row_may_end_before_the_columns_do(tmp_path: Path, row: bytes) -> None:
    record = only(tmp_path, row, header=b"event_id,ts,user_id,item_id,kind,,,price\n")
    assert record.topic == "views"
    assert record.value == b'{"event_id":"1","user_id":"u1","item_id":"i1","ts":1}'


def test_a_row_that_ends_before_its_kind_goes_to_quarantine(tmp_path: Path) -> None:
    record = only(tmp_path, b"1,1,u1", header=SMALL)
    assert (reason_of(record), record.value) == ("invalid_value", b"1,1,u1")
    assert dict(record.headers)["detail"].startswith(b"3 cells where 6 columns have a name: write empty cells too")


@pytest.mark.parametrize("row", [b"1,1,u1,view,9.50", b"1,1,i1,order,9.50", b"1,1,u1,i1,order,2,EUR"])
def test_a_row_that_lacks_a_cell_in_its_middle_is_quarantined_whole(tmp_path: Path, row: bytes) -> None:
    header = SMALL if row.count(b",") == 4 else SMALL.strip() + b",quantity,currency\n"
    record = only(tmp_path, row, header=header)
    assert (record.topic, record.value) == ("quarantine", row)


def test_a_column_that_is_read_must_not_occur_twice(tmp_path: Path) -> None:
    with pytest.raises(HeadraceError, match="has more than one column price; rename the others"):
        read(tmp_path, header=SMALL.strip() + b", price\n")
    assert len(read(tmp_path, b"1,1,u1,i1,view,,,", header=SMALL.strip() + b",note,note\n")) == 1


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        (b"id,user", "ts nor item_id nor kind nor user_id or session_id"),
        (b"event_id,timestamp,user_id,item_id,kind", "ts"),
        (b"event_id,ts,user_id,product,kind", "item_id"),
        (b"event_id,ts,session_id,item_id", "kind"),
        (b"event_id,ts,customer,item_id,kind", "user_id or session_id"),
    ],
)
def test_missing_columns_are_named_with_those_that_are_there(tmp_path: Path, header: bytes, missing: str) -> None:
    found = header.decode().replace(",", ", ")
    with pytest.raises(HeadraceError, match=f"has no column {missing}: its first line names {found}"):
        read(tmp_path, header=header + b"\n")


@pytest.mark.parametrize("rest", [b"1,1,u1,i1,view\n", b"1,1,u1,i1,view\n" * 200, b'1,1,u1,i1,"view"\n', b""])
def test_an_open_quote_in_the_header_is_an_error(tmp_path: Path, rest: bytes) -> None:
    with pytest.raises(HeadraceError, match=r"events\.csv begins with a line that is not CSV: .*quote"):
        read(tmp_path, rest, header=b'event_id,ts,user_id,"item_id,kind\n')


def test_an_empty_file_is_reported_as_empty(tmp_path: Path) -> None:
    with pytest.raises(HeadraceError, match="it is empty"):
        read(tmp_path, header=b"")


def test_a_cut_off_archive_is_an_error_after_its_last_row(tmp_path: Path) -> None:
    path = tmp_path / "events.csv.gz"
    rows = b"".join(b"%d,1,u1,,i%d,view,,,,\n" % (n, n * 7919 % 10007) for n in range(50_000))
    path.write_bytes(gzip.compress(HEADER + rows)[:-2000])
    with pytest.raises(HeadraceError, match="damaged or cut off"):
        list(open_dataset(path).events())
