"""One HTML file that works offline: sections, styles, plotly.js and the data, and nothing from elsewhere."""

import base64
import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from string import Template

from forecaster.errors import ForecasterError
from forecaster.reporting.cast import cast
from forecaster.reporting.content import ReportContent
from forecaster.reporting.encoding import Json, script_json
from forecaster.reporting.markup import text
from forecaster.reporting.section import Section
from forecaster.reporting.sections import sections

__all__ = ["render", "write_report"]


def write_report(content: ReportContent, path: Path) -> Path:
    """Writes the report; an older one at the same place is replaced whole or not at all.

    Args:
        content: What to show.
        path: The file to write; its folder is made if it is not there.

    Returns:
        The absolute path of the report.

    Raises:
        ForecasterError: The file cannot be written.
    """
    path = path.absolute()
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    page = render(content)
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


def render(content: ReportContent) -> str:
    """The report as HTML text, about 5 MB, most of it plotly.js.

    Its content security policy lets a browser run the two scripts written here and load nothing at all.

    Args:
        content: What to show.

    Returns:
        A whole HTML document.
    """
    from plotly.offline import get_plotlyjs

    chapters = sections(content)
    scripts = {"plotly": get_plotlyjs(), "program": _asset("report.js")}
    return Template(_asset("report.html")).substitute(
        title=text(content.title),
        policy=text(_policy(scripts.values())),
        style=_asset("report.css"),
        created=f"{content.created:%Y-%m-%d %H:%M %Z}".strip(),
        stamp=content.created.isoformat(),
        contents="".join(f'<li><a href="#{part.anchor}">{text(part.name)}</a></li>' for part in chapters),
        sections="\n".join(map(_section, chapters)),
        data=script_json(_data(content, chapters)),
        **scripts,
    )


def _section(section: Section) -> str:
    heading = f'<h2 id="{section.anchor}-heading">{text(section.title)}</h2>'
    label = f'id="{section.anchor}" aria-labelledby="{section.anchor}-heading"'
    return f"<section {label}>{heading}{section.body}</section>"


def _data(content: ReportContent, chapters: list[Section]) -> Json:
    players: list[Json] = [
        {"name": player.name, "kind": player.kind, "colour": player.colour, "dash": player.dash}
        for player in cast(content)
    ]
    figures: dict[str, Json] = {}
    views: Json = None
    for section in chapters:
        figures |= section.figures
        views = section.views or views
    return {"players": players, "figures": figures, "views": views}


def _policy(scripts: Iterable[str]) -> str:
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _asset(name: str) -> str:
    return files("forecaster.reporting").joinpath(name).read_text(encoding="utf-8")
