"""The frame of every page: language, theme, scripts and styles, and what the page's scripts are to know at once."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from functools import cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagereward_core.plain import encodable

from .part import Texts
from .texts import LANGUAGES, in_language, read_texts, wanted_language

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.responses import Response

STATIC = Path(__file__).with_name("static")
_THEMES = ("dark", "light")


@cache
def shared_texts() -> Texts:
    """Texts that all pages have."""
    return read_texts(STATIC / "texts.json")


def page(
    headers: Headers,
    *,
    title: str,
    scripts: Sequence[str] = (),
    modules: Sequence[str] = (),
    styles: Sequence[str] = (),
    texts: Sequence[Texts] = (),
    data: Mapping[str, Any] | None = None,
    body: str = "",
    status: int = 200,
) -> Response:
    """A page.

    Args:
        headers: Of the request: they say which language and theme are wanted.
        title: Key of a text.
        scripts: Addresses of classic scripts, run in their order before the modules.
        modules: Addresses of modules. They get texts and data from ``/static/shared/page.js``.
        styles: Addresses of style sheets, after ``/static/shared/page.css``.
        texts: Tables of texts beside the shared ones.
        data: What the modules are to know at once, as JSON.
        body: What stands in it at first, as HTML; ``[[key]]`` stands for a text.
        status: Of the answer.
    """
    from starlette.responses import HTMLResponse

    cookies = _cookies(headers)
    language, theme = wanted_language(headers, cookies), cookies.get("imagereward-theme", "")
    words = in_language((shared_texts(), *texts), language)
    shown = body
    for key, text in words.items():
        shown = shown.replace(f"[[{key}]]", html.escape(text))
    told = {"language": language, "languages": LANGUAGES, "texts": words, "data": dict(data or {})}
    links = "".join(f'<link rel="stylesheet" href="{each}">' for each in ("/static/shared/page.css", *styles))
    loads = "".join(f'<script defer src="{each}"></script>' for each in scripts)
    loads += "".join(f'<script type="module" src="{each}"></script>' for each in modules)
    return HTMLResponse(
        f'<!doctype html><html lang="{language}"{f" data-theme={theme}" if theme in _THEMES else ""}><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{html.escape(words[title])}</title>'
        f'<link rel="icon" href="/static/shared/icon.svg">{links}'
        f'<script type="application/json" id="told">{_harmless(told)}</script>{loads}</head><body>{shown}</body></html>',
        status,
    )


def entry(headers: Headers) -> Response:
    """The page for who comes without a token: it takes one from the link, or from a field."""
    return page(
        headers,
        title="enter_title",
        modules=["/static/shared/enter.js"],
        status=401,
        body='<main class="enter"><h1>[[enter_title]]</h1><p>[[enter_why]]</p><form id="enter"><label>[[enter_token]] '
        '<input id="token" type="password" autocomplete="current-password" required></label> <button>[[enter_go]]</button></form>'
        '<p id="problem" class="problem" role="alert" hidden></p></main>',
    )


def _harmless(value: Any) -> str:
    """JSON that may stand in a page: no text in it ends or begins an element."""
    text = json.dumps(encodable(value), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _cookies(headers: Headers) -> dict[str, str]:
    try:
        return {name: held.value for name, held in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}
