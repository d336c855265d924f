"""Small pieces of HTML. Whatever comes from data passes through `text` before it stands in a page."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["anchor", "figure", "key_list", "looks_list", "scroll_box", "share_of", "table", "text"]


def text(value: object) -> str:
    """Escapes text for an element or a quoted attribute.

    Example:
        >>> text('<b> & "c"')
        '&lt;b&gt; &amp; &quot;c&quot;'
    """
    return html.escape(str(value), quote=True)


def anchor(kind: str, name: object) -> str:
    """An element id that is safe in a link.

    Example:
        >>> anchor("metric", "coverage 80 %")
        'metric-coverage-80'
    """
    return f"{kind}-{re.sub(r'[^a-zA-Z0-9]+', '-', str(name)).strip('-')}"


def key_list(entries: Mapping[str, str], ids: str | None = None) -> str:
    """A list of terms and their descriptions; `ids` gives each term an element id of that kind."""
    rows = []
    for key, value in entries.items():
        mark = f' id="{anchor(ids, key)}"' if ids else ""
        rows.append(f"<div{mark}><dt>{text(key)}</dt><dd>{text(value)}</dd></div>")
    return f'<dl class="keys">{"".join(rows)}</dl>'


def scroll_box(label: str, inside: str) -> str:
    """A region that scrolls sideways by itself, by touch and by keyboard, instead of the page."""
    return f'<div class="scroll" role="region" aria-label="{text(label)}" tabindex="0">{inside}</div>'


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain text whose first column names the row."""
    head = "".join(f'<th scope="col">{text(cell)}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row">{text(row[0])}</th>{"".join(f"<td>{text(cell)}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    inside = (
        f'<table><caption class="hidden">{text(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
    return scroll_box(caption, inside)


def figure(name: str, description: str, caption: str = "", size: str = "large", legend: bool = False) -> str:
    """The place where report.js draws the figure of that name.

    Args:
        name: Key of the figure in the report's data.
        description: What the figure shows, for those who cannot see it.
        caption: HTML above the drawing.
        size: `large` or `small`.
        legend: Whether report.js adds a legend whose entries switch lines on and off.
    """
    heading = f"<figcaption>{caption}</figcaption>" if caption else ""
    canvas = f'<div class="canvas" id="plot-{text(name)}" role="img" aria-label="{text(description)}"></div>'
    switches = f'<ul class="legend" id="legend-{text(name)}" aria-label="Lines: show or hide"></ul>'
    return f'<figure class="plot {size}">{heading}{canvas}{switches if legend else ""}</figure>'


def share_of(shown: int, total: int, what: str) -> str:
    """How many of how many: `14 origins`, or `12 of 40 series`."""
    if shown < total:
        return f"{shown:,} of {total:,} {what}"
    return f"{total:,} {what if total > 1 or what == 'series' else what.removesuffix('s')}"


def looks_list(looks: dict[str, str]) -> str:
    """A legend that switches nothing: class of the swatch -> words."""
    items = "".join(f'<li><i class="swatch {look}"></i>{text(words)}</li>' for look, words in looks.items())
    return f'<ul class="legend">{items}</ul>'
