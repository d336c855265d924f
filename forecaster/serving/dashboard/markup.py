"""Small pieces of HTML, and the frame of a page. Whatever comes from data passes through `text`."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from forecaster.serving.dashboard.words import distance

__all__ = ["Html", "chip", "key_list", "link", "moment", "page", "section", "table", "text"]


@dataclass(frozen=True)
class Html:
    """Text that is HTML already; `text` leaves it as it is."""

    code: str


Cell = object


def text(value: Cell) -> str:
    """Escapes text for an element or a quoted attribute.

    Example:
        >>> text('<b> & "c"'), text(Html("<b>"))
        ('&lt;b&gt; &amp; &quot;c&quot;', '<b>')
    """
    return value.code if isinstance(value, Html) else html.escape(str(value), quote=True)


def chip(words: str, look: str) -> Html:
    """A word with a colour and a sign of its own, so that colour is not all that tells."""
    return Html(f'<span class="chip {text(look)}">{text(words)}</span>')


def link(address: str, words: Cell) -> Html:
    """A link within the dashboard."""
    return Html(f'<a href="{text(address)}">{text(words)}</a>')


def moment(when: datetime | None, now: datetime, absent: str = "\N{EN DASH}") -> Html:
    """A moment in UTC, with its distance from now."""
    if when is None:
        return Html(text(absent))
    utc = when.astimezone(UTC)
    return Html(
        f'<time datetime="{utc.isoformat(timespec="seconds")}">{utc:%Y-%m-%d %H:%M} UTC</time>'
        f' <span class="soft">{text(distance(utc, now))}</span>'
    )


def key_list(entries: Mapping[str, Cell]) -> str:
    """Terms and what they are."""
    rows = "".join(f"<div><dt>{text(key)}</dt><dd>{text(value)}</dd></div>" for key, value in entries.items())
    return f'<dl class="keys">{rows}</dl>'


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[Cell]], looks: Sequence[str] = (), kind: str = ""
) -> str:
    """A table whose first column names the row, in a box that scrolls sideways by touch and by keyboard.

    Args:
        caption: Says what it shows; read out, and shown above it.
        head: Names of the columns.
        rows: Cells; a string is escaped.
        looks: A CSS class for each row.
        kind: A CSS class of the table.
    """
    heads = "".join(f'<th scope="col">{text(cell)}</th>' for cell in head)
    body = ""
    for place, row in enumerate(rows):
        look = f' class="{text(looks[place])}"' if place < len(looks) and looks[place] else ""
        cells = "".join(
            f'<td data-label="{text(name)}">{text(cell)}</td>' for name, cell in zip(head[1:], row[1:], strict=True)
        )
        body += f'<tr{look}><th scope="row">{text(row[0])}</th>{cells}</tr>'
    return (
        f'<div class="scroll" role="region" aria-label="{text(caption)}" tabindex="0">'
        f'<table class="{text(kind)}"><caption>{text(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def section(anchor: str, title: str, body: str) -> str:
    """A part of a page with a heading."""
    return f'<section id="{anchor}" aria-labelledby="{anchor}-h"><h2 id="{anchor}-h">{text(title)}</h2>{body}</section>'


def page(title: str, body: str, *, above: str = "", contents: Mapping[str, str] | None = None) -> bytes:
    """A whole HTML document.

    Args:
        title: Of the page.
        body: HTML of the main part.
        above: HTML between the heading and the main part.
        contents: Names of the sections by anchor, for a list of links.
    """
    links = "".join(f'<li><a href="#{text(anchor)}">{text(name)}</a></li>' for anchor, name in (contents or {}).items())
    inside = f'<nav aria-label="On this page" class="contents"><ul>{links}</ul></nav>' if links else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{text(title)} · forecaster</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/dashboard.css">
<script type="module" src="/static/dashboard.js"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<nav aria-label="Dashboard" class="top"><a href="/">All pipelines</a></nav>
<header><h1>{text(title)}</h1>{above}</header>
{inside}
<main id="main" tabindex="-1">
{body}
</main>
<footer><p>forecaster · times in UTC · <a href="/readyz">readiness</a> · <a href="/metrics">metrics</a> ·
<a href="/openapi.json">API</a></p></footer>
</body>
</html>
""".encode("utf-8", "backslashreplace")
