"""Serves the console page."""

import base64
import hashlib
import re
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from aiohttp import web

from app.web.route import Route, in_text

FILE = re.compile(
    r'<link rel="stylesheet" href="(?P<style>[a-z]+\.css)">|<script src="(?P<script>[a-z]+\.js)"></script>'
)
INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)
NOTHING = "'none'"
CLICKS = 'data-accepts-events="{}"'
PICTURES = 'data-pictures-from="{}"'


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """The page's text and its content security policy."""

    html: str
    policy: str

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [Route("GET", "/", self.show, "The console page", in_text("text/html", "the page"))]

    async def show(self, request: web.Request) -> web.Response:
        """Return the page."""
        return html_response(self.html, self.policy)


def load_page(*, accept_events: bool, pictures_from: str = "") -> ConsolePage:
    """Return the page of this package, with its scripts and style in it.

    It offers clicks only when the server accepts them, and shows pictures from these origins only.
    """
    folder = files("app.web").joinpath("console")

    def inline(found: re.Match[str]) -> str:
        kind = found.lastgroup
        return f"<{kind}>{folder.joinpath(found[kind or '']).read_text(encoding='utf-8')}</{kind}>"

    html = FILE.sub(inline, folder.joinpath("page.html").read_text(encoding="utf-8"))
    html = html.replace(CLICKS.format("false"), CLICKS.format(str(accept_events).lower()))
    html = html.replace(PICTURES.format(""), PICTURES.format(escape(pictures_from)))
    return ConsolePage(html, content_security_policy(html, pictures_from))


def html_response(html: str, policy: str = "") -> web.Response:
    """Return a page. Without a policy, one is made that allows what is in the page."""
    headers = {"Content-Security-Policy": policy or content_security_policy(html), "Cache-Control": "no-cache"}
    return web.Response(text=html, content_type="text/html", charset="utf-8", headers=headers)


def content_security_policy(html: str, pictures_from: str = "") -> str:
    """Return a policy that allows only the page's own inline script and style, by their hashes, and
    pictures from these origins.
    """
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, content in INLINE.findall(html):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(hashes['script']) or NOTHING}",
            f"style-src {' '.join(hashes['style'])}",
            "connect-src 'self'",
            " ".join(["img-src", "data:", *pictures_from.split()]),
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
