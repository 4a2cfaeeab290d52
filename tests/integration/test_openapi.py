"""What `GET /openapi.json` says holds for what the HTTP process answers."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types
from prometheus_client import CollectorRegistry
from shops import NOW, Http, Shop, client_of

from app.concerns import RedisSettings


async def said(http: Http) -> dict[str, Any]:
    body: dict[str, Any] = await (await http.get("/openapi.json")).json()
    return body


def answers(body: dict[str, Any], path: str, status: str = "200") -> Draft202012Validator:
    """Return a validator of the answer's schema; references lead into the whole description."""
    [content] = body["paths"][path]["get"]["responses"][status]["content"].values()
    return Draft202012Validator({**content["schema"], "components": body["components"]})


@pytest.fixture
def filled(shop: Shop) -> Shop:
    shop.listed("u1", "kettle", "cup")
    shop.item("kettle", title="Kettle", price="19.5", url="https://a.example/k", image_url="https://a.example/k.jpg")
    shop.item("cup", title="Cup", quality="0.75", reasons='["spam"]', recommendable="1", deleted="0")
    shop.hide("cup", "kettle")
    shop.redis.hset(shop.keys.allowed(), "cup", str(NOW))
    shop.similar("kettle", "cup")
    shop.history("u1", ("kettle", NOW, "view"))
    shop.worker("w1", accepted=3)
    return shop


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/recommendations/{user_id}", "/recommendations/u1"),
        ("/recommendations/{user_id}", "/recommendations/nobody"),
        ("/recommendations", "/recommendations?user_id=u1"),
        ("/recommendations", "/recommendations?user_id=u1&user_id=nobody"),
        ("/similar/{item_id}", "/similar/kettle"),
        ("/items/{item_id}", "/items/kettle"),
        ("/items", "/items?item_id=cup"),
        ("/catalogue", "/catalogue"),
        ("/items", "/items?hidden=true"),
        ("/items", "/items?allowed=true"),
        ("/catalogue/summary", "/catalogue/summary"),
        ("/catalogue/map", "/catalogue/map"),
        ("/users/{user_id}", "/users/u1"),
        ("/users", "/users"),
        ("/users", "/users?user_id=u1"),
        ("/live", "/live"),
        ("/live/history", "/live/history?since=0"),
        ("/healthz", "/healthz"),
    ],
)
@pytest.mark.usefixtures("filled")
async def test_an_answer_is_as_described(http: Http, path: str, asked: str) -> None:
    response = await http.get(asked)
    assert response.status == 200
    answers(await said(http), path).validate(await response.json())


@pytest.mark.parametrize("asked", ["/recommendations", "/items/unknown", "/similar/unknown", "/recommendations/u?k=0"])
async def test_a_failure_is_as_described(http: Http, asked: str) -> None:
    response = await http.get(asked)
    body = await said(http)
    answers(body, "/items", str(response.status)).validate(await response.json(content_type=None))


async def test_every_path_that_is_served_is_described(http: Http) -> None:
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in http.app.router.routes()
        if route.method != "HEAD" and route.resource is not None
    }
    paths = (await said(http))["paths"]
    assert {(method, path) for path, operations in paths.items() for method in operations} == served


async def test_the_description_asks_for_a_token_where_the_server_has_one(
    redis_settings: RedisSettings, http: Http
) -> None:
    assert (await said(http))["security"] == []
    token = "token-for-tests-0123456789"
    async with client_of(redis_settings, CollectorRegistry(), tokens=token) as guarded:
        response = await guarded.get("/openapi.json", headers={"Authorization": f"Bearer {token}"})
        body = await response.json()
    assert body["security"] == [{"token": []}]
    free = {path for path, each in body["paths"].items() if each.get("get", {}).get("security") == []}
    assert free == {"/", "/api", "/healthz", "/readyz"}


async def test_the_page_shows_every_operation_and_needs_nothing_from_elsewhere(http: Http) -> None:
    response = await http.get("/api")
    html = await response.text()
    body = await said(http)
    for path, operations in body["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}" in html
    for name in body["components"]["schemas"]:
        assert f'id="{name}"' in html
    assert "script-src 'none'" in response.headers["Content-Security-Policy"]
    assert all(where in ("/", "/openapi.json") or where[0] == "#" for where in re.findall(r'href="([^"]*)"', html))
    assert not re.search(r"src=|url\(|@import", html)


async def test_the_description_s_references_lead_somewhere(http: Http) -> None:
    body = await said(http)
    text = str(body)
    named = {part.split("'")[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= body["components"]["schemas"].keys()
    for schema in body["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
