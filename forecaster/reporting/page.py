"""One HTML file that works offline: sections, styles, plotly.js and the data, and nothing from elsewhere."""

import base64
import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from string import Template

from forecaster.errors import ForecasterError
from forecaster.reporting.encoding import Json, script_json
from forecaster.reporting.markup import text
from forecaster.reporting.section import Section

__all__ = ["render_page", "write_page"]


def write_page(page: str, path: Path) -> Path:
    """Writes a page; an older one at the same place is replaced whole or not at all.

    Args:
        page: The HTML text.
        path: The file to write; its folder is made if it is not there.

    Returns:
        The absolute path of the page.

    Raises:
        ForecasterError: The file cannot be written.
    """
    path = path.absolute()
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(page, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise ForecasterError(
            f"the report cannot be written to {path}: {error.strerror}; give a place that can be written"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return path


def render_page(
    kind: str, title: str, created: datetime, chapters: Sequence[Section], players: Sequence[Json] = ()
) -> str:
    """A page as HTML text, about 5 MB, most of it plotly.js.

    Its content security policy lets a browser run the two scripts written here and load nothing at all.

    Args:
        kind: What the page is, in small letters above the title.
        title: Heading.
        created: When it was made.
        chapters: Its sections, in order.
        players: Models and their looks, as report.js wants them.

    Returns:
        A whole HTML document.
    """
    from plotly.offline import get_plotlyjs

    scripts = {"plotly": get_plotlyjs(), "program": _asset("report.js")}
    return Template(_asset("report.html")).substitute(
        kind=text(kind),
        title=text(title),
        policy=text(_policy(scripts.values())),
        style=_asset("report.css"),
        created=f"{created:%Y-%m-%d %H:%M %Z}".strip(),
        stamp=created.isoformat(),
        contents="".join(f'<li><a href="#{part.anchor}">{text(part.name)}</a></li>' for part in chapters),
        sections="\n".join(map(_section, chapters)),
        data=script_json(_data(chapters, players)),
        **scripts,
    )


def _section(section: Section) -> str:
    heading = f'<h2 id="{section.anchor}-heading">{text(section.title)}</h2>'
    label = f'id="{section.anchor}" aria-labelledby="{section.anchor}-heading"'
    return f"<section {label}>{heading}{section.body}</section>"


def _data(chapters: Sequence[Section], players: Sequence[Json]) -> Json:
    figures: dict[str, Json] = {}
    views: Json = None
    for section in chapters:
        figures |= section.figures
        views = section.views or views
    return {"players": list(players), "figures": figures, "views": views}


def _policy(scripts: Iterable[str]) -> str:
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _asset(name: str) -> str:
    return files("forecaster.reporting").joinpath(name).read_text(encoding="utf-8")
