"""A password stands in no message, log line or traceback."""

import logging
import sys
from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.concerns import LogSettings, RedisSettings
from app.errors import HeadraceError, UnusableSetting, in_words
from app.logs import configure_logs
from app.settings import InvalidSetting, Settings, load
from app.store.secrecy import passwords_in, scrub_for, scrub_tracebacks, scrubber
from headrace.address import addresses, check_address, host_of, shown_address
from headrace.sentinel_address import read_sentinel


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://localhost", "redis://localhost"),
        ("redis://", "redis://"),
        ("redis://:6379/", "redis://:6379/"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ("redis://:sesame@h:1/0", "redis://:***@h:1/0"),
        ("rediss://shop:sesame@h", "rediss://shop:***@h"),
        ("redis://sesame@h:1/0", "redis://***@h:1/0"),
        ("redis://:ses%23ame%2F@h:1/0\n", "redis://:***@h:1/0"),
        ("redis://:ses@me@h:1/0", "redis://:***@h:1/0"),
        ("redis://:ses ame 100%@h:1/0", "redis://:***@h:1/0"),
        ("redis://h:1/0?db=2&password=ses%40me&protocol=3", "redis://h:1/0?db=2&password=***&protocol=3"),
        ("redis://h:1/0?password=ses@me", "redis://h:1/0?password=***"),
        ("rediss://h?ssl_cert_reqs=none", "rediss://h?ssl_cert_reqs=none"),
        ("unix:///run/redis.sock?db=1", "unix:///run/redis.sock?db=1"),
        ("unix://:sesame@/run/redis.sock", "unix://:***@/run/redis.sock"),
        ("redis+sentinel://a:26379,b/shop", "redis+sentinel://a:26379,b/shop"),
        ("rediss+sentinel://u:ses%23ame@[::1]:1,b/my.shop-1/2", "rediss+sentinel://u:***@[::1]:1,b/my.shop-1/2"),
        (
            "redis+sentinel://:sesame@a/shop/0?sentinel_password=ses%40me&sentinel_username=u&ssl_ca_certs=ca.pem",
            "redis+sentinel://:***@a/shop/0?sentinel_password=***&sentinel_username=***&ssl_ca_certs=ca.pem",
        ),
    ],
)
def test_an_address_that_can_be_used_is_shown_without_its_password(url: str, shown: str) -> None:
    check_address(url)
    assert shown_address(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "redis://:SesA#me@h:6379/0",
        "redis://:SesA/me@h:6379/0",
        "redis://:SesA?me@h:6379/0",
        "redis://:SesA?me=1@h:6379/0",
        "redis://:SesA?db=1@h:6379/0",
        "redis://SesA#me@h:6379/0",
        "redis://SesA/me@h:6379/0",
        "redis://shop:5354#SesA@h:6379/0",
        "redis://:5354/SesA@h:6379/0",
        "redis://:5354?SesA@h:6379/0",
        "redis://:5354?client_name=SesA@h:6379/0",
        "redis://:SesA[me@h:6379/0",
        "redis://:SesA\u2105me@h:6379/0",
        "redis://:SesA\udcffme@h:6379/0",
        "redis://h:SesA",
        "redis://h:66000/0?password=SesA",
        "redis://h/SesA",
        "unix://:SesA/me@/run/redis.sock",
        "unix://:SesA#me@/run/redis.sock",
        "unix://SesA/run/redis.sock",
        "redis+sentinel://h:26379",
        "redis+sentinel://h:26379/",
        "redis+sentinel://h:SesA/shop/0",
        "redis+sentinel://h/shop/SesA",
        "redis+sentinel://h/shop/0?sentinel_passwort=SesA",
        "redis+sentinel://:SesA#me@h:26379/shop/0",
        "redis+sentinel://:SesA/me@h:26379/shop/0",
        "redis+sentinel://:SesA?me@h:26379/shop/0",
        "redis+sentinel://u:5354/SesA@h:26379/shop/0",
        "http://:SesA@h:6379/0",
        "redis:SesA@h",
        "redis//:SesA@h:6379/0",
        "SesA@h:6379",
        "localhost:6379",
        "",
    ],
)
def test_the_error_for_an_address_shows_no_part_of_it_and_the_way_out(url: str) -> None:
    with pytest.raises(HeadraceError, match="percent-encode user and password: %23 for #") as raised:
        check_address(url)
    for text in (str(raised.value), shown_address(url)):
        assert "SesA" not in text
        assert "5354" not in text
    assert raised.value.__cause__ is None


# Marked by letters that no message of ours has, so that any part of it is found.
passwords = st.lists(st.sampled_from([*"ĸþđ", *"#/?@%:&=[]+ \\\"'"]), min_size=4, max_size=12).map("".join)


@given(
    passwords,
    st.sampled_from(["redis://:{}@h:6379/0", "rediss://u:{}@h", "unix://:{}@/run/s", "redis+sentinel://:{}@h/shop/0"]),
)
def test_whatever_the_password_no_part_of_it_is_shown(password: str, form: str) -> None:
    url = form.format(password)
    texts = [shown_address(url)]
    try:
        check_address(url)
    except HeadraceError as error:
        texts.append(str(error))
    assert not set("ĸþđ") & set("".join(texts))


def test_passwords_are_found_in_every_form() -> None:
    assert passwords_in("redis://u:a%23b:c@h:1/0?password=p%40w&db=1") == {"a%23b:c", "a#b:c", "p%40w", "p@w"}
    assert passwords_in("redis://:a#b@h:1/0") == {"a#b"}
    assert passwords_in("redis+sentinel://u:ab@h/shop?sentinel_password=c%40d") == {"ab", "c%40d", "c@d"}
    assert passwords_in("redis://h:6379/0") == passwords_in("") == set()


def test_a_text_is_scrubbed_of_the_whole_password_and_of_no_ordinary_word() -> None:
    scrub = scrub_for(["redis://:ses%23a'me@h:1/0"])
    assert scrub("AUTH ses#a'me, ses%23a'me, " + repr("ses#a\\'me")).count("***") >= 2
    assert scrub("no password here") == "no password here"
    assert scrubber(["a", "abc"])("abc a") == "abc a"
    assert scrubber([r"ses\ame"])(repr(r"ses\ame")) == "'***'"


@pytest.fixture
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.usefixtures("root_logger")
@pytest.mark.parametrize("form", ["text", "json"])
def test_logs_hide_the_password_in_messages_and_tracebacks(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogSettings(format=form), scrubber(["sesame"]))
    try:
        raise ValueError("AUTH sesame")
    except ValueError:
        logging.getLogger("redis").exception("cannot use %s", "redis://:sesame@h")
    line = capsys.readouterr().err
    assert "sesame" not in line
    assert "cannot use redis://:***@h" in line
    assert "ValueError: AUTH ***" in line
    assert form == "text" or orjson.loads(line)["message"] == "cannot use redis://:***@h"


def test_the_traceback_of_a_crash_hides_the_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    scrub_tracebacks(scrubber(["sesame"]))
    error = ValueError("redis://:sesame@h")
    sys.excepthook(ValueError, error, None)
    assert capsys.readouterr().err == "ValueError: redis://:***@h\n"


def test_what_redis_repeats_of_a_command_is_cut_off() -> None:
    error = ValueError("unknown command `HELLO`, with args beginning with: `3` `AUTH` `default` `sesame` ")
    assert in_words(error) == "unknown command `HELLO`"
    assert in_words(ValueError()) == "ValueError"


def test_settings_print_no_address_of_redis() -> None:
    assert "sesame" not in repr(Settings(redis=RedisSettings(url="redis://:sesame@h")))


@pytest.mark.parametrize("value", ["sasl://shop:sesame@kafka:9092", "shop:ses/ame@kafka:9092", "x://a:sesame://b@c"])
def test_a_setting_that_is_refused_is_shown_without_a_password(value: str) -> None:
    with pytest.raises(InvalidSetting, match=r"HEADRACE_KAFKA_BOOTSTRAP='.*\*\*\*@") as raised:
        load({"HEADRACE_KAFKA_BOOTSTRAP": value})
    assert "ses" not in str(raised.value)


def test_several_hosts_are_shown_without_the_password_and_checked_each() -> None:
    url = "rediss://shop:ses%23ame@a:7000,b,[::1]:7002/0?ssl_ca_certs=ca.pem"
    assert shown_address(url) == "rediss://shop:***@a:7000,b,[::1]:7002/0?ssl_ca_certs=ca.pem"
    assert [host_of(each) for each in addresses(url)] == [("a", 7000), ("b", 6379), ("::1", 7002)]
    check_address(url)
    with pytest.raises(UnusableSetting, match="host or port"):
        check_address("redis://:sesame@a:7000,b:x/0")
    assert shown_address("redis://:sesame@a:7000,b:x/0") == "redis://***"


@pytest.mark.parametrize("url", ["redis://:a,b@store/0", "redis://store/0", "unix:///run/a,b.sock"])
def test_one_host_stays_one(url: str) -> None:
    assert addresses(url) == [url]


def test_the_text_of_a_sentinel_address_shows_no_login() -> None:
    found = read_sentinel("redis+sentinel://u:SesA@h/shop/0?sentinel_password=SesB")
    assert found is not None
    assert "SesA" in found.server
    assert "Ses" not in repr(found)
