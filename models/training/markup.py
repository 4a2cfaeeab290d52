"""Corrupt titles with markup: tags, attributes, entities, page code, placeholders, notations.

Every function takes a text and a seeded generator. As `corruptions` wraps them, the result always
differs from the text, also from an empty one.
"""

from models.training.garble import Corrupt, Rng, pick, words_of
from models.training.patterns import VARIABLES, around, fill, some

TAGS = (
    "b",
    "p",
    "span",
    "div",
    "strong",
    "font",
    "em",
    "h1",
    "h2",
    "li",
    "td",
    "a",
    "i",
    "u",
    "small",
    "title",
    "center",
)
ATTRIBUTES = (
    'class="{w}"', 'id="{w}-{n}"', 'style="color:#{h};font-size:{n}px"', 'href="/{w}/{n}.html"',
    'data-id="{n}"', "align=center", 'color="red"', 'onclick="return {w}()"', 'title="{w}"',
    'itemprop="name"', 'rel="nofollow"',
)  # fmt: skip
CODE = (
    ".{w}{{color:#{h};font-size:{n}px}}", "#{w} {{ display:none; }}", "function(){{return {w};}}",
    "var {w} = {n};", 'document.getElementById("{w}")', "$('.{w}').hide();", "@media (max-width:{n}px)",
    "font-family:Arial,sans-serif;", "window.location='/{w}'", "if ({w} == null) {{",
    "margin:0 auto; padding:{n}px", "<script>{w}({n})</script>", "console.log('{w}')",
    "border:{n}px solid #{h};", "<style>.{w}{{}}</style>", "<?php echo ${w}; ?>",
    '<iframe src="/{w}"></iframe>', "javascript:void(0)", "onerror=alert({n})",
)  # fmt: skip
PLACEHOLDERS = (
    "{{{{ {w}.{v} }}}}", "${{{w}.{v}}}", "{{% {v} {w} %}}", "<%= {w}.{v} %>", "[[{v}]]", "%{v}%",
    "{{{v}}}", "@Model.{v}", "#{v}#", "{{0}} {{1}}", "%s %s", "<{v}>", "${v}", "{{{{{v}}}}}", "[{v}]",
    "%({v})s", "*|{v}|*", "{{$ {v} $}}", "__{v}__",
)  # fmt: skip
ENTITIES = (
    "&amp;",
    "&nbsp;",
    "&quot;",
    "&#39;",
    "&lt;",
    "&gt;",
    "&reg;",
    "&#8217;",
    "&rsquo;",
    "&eacute;",
    "&ndash;",
    "&#x2F;",
)
IMAGES = (
    '<img src="{u}.jpg">', '<img src="{u}.png" alt="{w}" width="{n}"/>', "{u}.jpg", "![{w}]({u}.png)",
    "{u}", "[img]{u}.gif[/img]", '<a href="{u}">', "url({u}.png)", '<img class="{w}" border=0',
)  # fmt: skip


def wrapped_in_tags(text: str, rng: Rng) -> str:
    """Put the title between tags, with attributes by chance; a tag may stay open."""
    out = text
    for _ in range(int(rng.integers(1, 4))):
        tag = pick(rng, TAGS)
        attributes = "".join(" " + fill(each, rng) for each in some(rng, ATTRIBUTES, 0, 3))
        out = f"<{tag}{attributes}>{out}" + (f"</{tag}>" if rng.random() < 0.75 else "")
    return out.upper() if rng.random() < 0.1 else out


def stray_tags(text: str, rng: Rng) -> str:
    """Put single tags between the words, such as <br/> or </span>."""
    words = words_of(text)
    for _ in range(int(rng.integers(1, 4))):
        tag = pick(rng, (*TAGS, "br", "br/", "hr", "/b", "/span", "/div", "/p", "br /", "/td", "wbr"))
        spot = int(rng.integers(len(words) + 1))
        words.insert(spot, f"<{tag}>")
    return pick(rng, (" ", " ", "")).join(words) if rng.random() < 0.3 else " ".join(words)


def stray_attributes(text: str, rng: Rng) -> str:
    """Add attributes without their tag."""
    extra = " ".join(fill(each, rng) for each in some(rng, ATTRIBUTES, 1, 4))
    return around(text, extra + pick(rng, ("", ">", "/>")), rng)


def whole_entities(text: str, rng: Rng) -> str:
    """Put HTML entities where a character should be."""
    words = words_of(text)
    glue = [pick(rng, (" ", pick(rng, ENTITIES), f" {pick(rng, ENTITIES)} ")) for _ in words[1:]]
    joined = "".join(word + joint for word, joint in zip(words, [*glue, ""], strict=True))
    return f"{joined}{pick(rng, ENTITIES)}" if joined == text else joined


def escaped_tags(text: str, rng: Rng) -> str:
    """Put the title between tags whose angle brackets are escaped."""
    return wrapped_in_tags(text, rng).replace("<", "&lt;").replace(">", "&gt;")


def page_code(text: str, rng: Rng) -> str:
    """Put pieces of CSS and JavaScript around or in place of the title."""
    extra = " ".join(fill(each, rng) for each in some(rng, CODE, 1, 4))
    return extra if rng.random() < 0.25 else around(text, extra, rng)


def template_placeholder(text: str, rng: Rng) -> str:
    """Insert a template's variable that was not filled in."""
    extra = fill(pick(rng, PLACEHOLDERS), rng)
    if rng.random() < 0.4:
        return extra
    words = words_of(text)
    words.insert(int(rng.integers(len(words) + 1)), extra)
    return " ".join(words)


def text_markup(text: str, rng: Rng) -> str:
    """Put Markdown, BBCode or wiki marks around the title."""
    url = fill("{u}", rng)
    forms = (
        "**{x}**", "# {x}", "## {x}", "[{x}]({u})", "__{x}__", "`{x}`", "~~{x}~~", "* [ ] {x}",
        "[b]{x}[/b]", "[url={u}]{x}[/url]", "'''{x}'''", "== {x} ==", "[[{x}|{u}]]", "***{x}***",
        "[color=red]{x}[/color]", "> **{x}**", "| {x} | |", "[size=4]{x}[/size]",
    )  # fmt: skip
    return pick(rng, forms).format(x=text, u=url)


def data_notation(text: str, rng: Rng) -> str:
    """Leave the title in its JSON, XML or CSV notation."""
    key = pick(rng, VARIABLES)
    forms = (
        '{{"{k}": "{x}"}}', '"{k}":"{x}",', "<![CDATA[{x}]]>", "<{k}>{x}</{k}>", "<!-- {x} -->",
        '{{"{k}":"{x}","id":{n}}}', "['{x}']", '<?xml version="1.0"?><{k}>{x}',
        "{{'{k}': '{x}', 'lang': 'en'}}", "{k}={x}&id={n}", '<meta name="{k}" content="{x}">',
        "[object Object]", "<!DOCTYPE html><html>{x}",
    )  # fmt: skip
    return pick(rng, forms).format(k=key, x=text, n=int(rng.integers(1, 9999)))


def image_or_address(text: str, rng: Rng) -> str:
    """Put an image tag or an address beside or in place of the title."""
    extra = fill(pick(rng, IMAGES), rng)
    return extra if rng.random() < 0.25 else around(text, extra, rng)


MARKUP: dict[str, Corrupt] = {
    each.__name__: each
    for each in (
        wrapped_in_tags, stray_tags, stray_attributes, whole_entities, escaped_tags, page_code, template_placeholder,
        text_markup, data_notation, image_or_address,
    )
}  # fmt: skip
