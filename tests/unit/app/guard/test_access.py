"""Who may ask for what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.concerns import HttpSettings
from app.errors import UnusableSetting
from app.guard.access import Access, bearer, check_reach, is_loopback
from app.settings import InvalidSetting, load, secret_values

OLD, NEW, SCRAPER = "old-token-0123456789", "new-token-0123456789", "scraper-0123456789"
ACCESS = Access.of(HttpSettings(tokens=f"{NEW}, {OLD}", metrics_tokens=SCRAPER))
DATA = ("/recommendations/u1", "/users", "/live", "/events/click", "/nowhere", "/metrics/", "//", "/healthz/")


@pytest.mark.parametrize("token", [OLD, NEW])
@pytest.mark.parametrize("path", [*DATA, "/metrics"])
def test_each_token_opens_everything(token: str, path: str) -> None:
    assert ACCESS.allows(path, f"Bearer {token}")
    assert ACCESS.allows(path, f"bearer  {token} ")


@pytest.mark.parametrize("path", DATA)
@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", f"Basic {NEW}", NEW, f"Bearer {NEW}x", f"Bearer {NEW[:-1]}", f"Bearer {SCRAPER}"]
)
def test_nothing_else_does(path: str, given: str) -> None:
    assert not ACCESS.allows(path, given)


def test_a_token_for_metrics_opens_metrics_alone() -> None:
    assert ACCESS.allows("/metrics", f"Bearer {SCRAPER}")
    assert not ACCESS.allows("/metrics", "Bearer another-token-0123456")
    assert not ACCESS.allows("/metrics", "")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/"])
def test_probes_and_the_empty_page_need_no_token(path: str) -> None:
    assert ACCESS.allows(path, "")


def test_without_tokens_everything_is_open() -> None:
    assert all(Access.of(HttpSettings()).allows(path, "") for path in (*DATA, "/metrics"))


def test_with_tokens_for_metrics_alone_the_rest_stays_open() -> None:
    access = Access.of(HttpSettings(metrics_tokens=SCRAPER))
    assert access.allows("/users", "")
    assert not access.allows("/metrics", "")


@given(st.text(max_size=40))
def test_no_header_but_a_token_opens_anything(header: str) -> None:
    assert not ACCESS.allows("/users", header)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_an_address_of_this_machine_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    check_reach(host, HttpSettings(), variable="HEADRACE_SERVE_HOST")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.7", "shop.example", "localhost.example"])
def test_an_address_that_others_reach_needs_a_token_or_a_word(host: str) -> None:
    with pytest.raises(UnusableSetting, match=r"HEADRACE_HTTP_TOKENS.*openssl rand.*HEADRACE_SERVE_HOST=127.0.0.1"):
        check_reach(host, HttpSettings(), variable="HEADRACE_SERVE_HOST")
    with pytest.raises(UnusableSetting):
        check_reach(host, HttpSettings(metrics_tokens=SCRAPER), variable="HEADRACE_SERVE_HOST")
    for enough in (HttpSettings(tokens=NEW), HttpSettings(allow_anyone=True)):
        check_reach(host, enough, variable="HEADRACE_SERVE_HOST")


def test_a_token_for_metrics_is_enough_for_a_process_that_has_nothing_else() -> None:
    check_reach("0.0.0.0", HttpSettings(metrics_tokens=SCRAPER), variable="HEADRACE_WORKER_HOST", only_metrics=True)


def test_our_own_processes_ask_with_the_first_token() -> None:
    assert bearer(HttpSettings(tokens=f"{NEW},{OLD}")) == {"Authorization": f"Bearer {NEW}"}
    assert bearer(HttpSettings()) == {}


@pytest.mark.parametrize("value", ["short", f"{NEW},short", f"{NEW} {OLD}", f"{NEW},", "ümlaut-0123456789-ümlaut"])
def test_a_token_that_could_be_guessed_or_sent_wrongly_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(InvalidSetting, match=r"HEADRACE_HTTP_TOKENS='\*\*\*': use tokens of at least 16") as raised:
        load({"HEADRACE_HTTP_TOKENS": value})
    assert value not in str(raised.value)


def test_tokens_are_in_no_repr_and_known_as_secrets() -> None:
    environ = {
        "HEADRACE_HTTP_TOKENS": f"{NEW},{OLD}",
        "HEADRACE_HTTP_METRICS_TOKENS": SCRAPER,
        "HEADRACE_SERVE_PORT": "1",
    }
    shown = repr(load(environ))
    assert not any(token in shown for token in (NEW, OLD, SCRAPER))
    assert secret_values(environ) == [f"{NEW},{OLD}", SCRAPER]
