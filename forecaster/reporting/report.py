"""The report of a run as one HTML file."""

from pathlib import Path

from forecaster.reporting.cast import cast
from forecaster.reporting.content import ReportContent
from forecaster.reporting.encoding import Json
from forecaster.reporting.page import render_page, write_page
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
    return write_page(render(content), path)


def render(content: ReportContent) -> str:
    """The report as HTML text, see `render_page`.

    Args:
        content: What to show.

    Returns:
        A whole HTML document.
    """
    players: list[Json] = [
        {"name": player.name, "kind": player.kind, "colour": player.colour, "dash": player.dash}
        for player in cast(content)
    ]
    return render_page("Run report", content.title, content.created, sections(content), players)
