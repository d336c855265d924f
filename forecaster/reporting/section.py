"""One section of the report, as the builders of sections hand it on."""

from dataclasses import dataclass, field

from forecaster.reporting.encoding import Json

__all__ = ["Section"]


@dataclass(frozen=True)
class Section:
    """HTML under a heading, and the data of what report.js draws in it.

    Args:
        anchor: Element id.
        name: Short name, for the contents.
        title: Heading.
        body: HTML.
        figures: Name of a figure in the body -> plotly figure.
        views: Single forecasts to choose from, see `OriginViews`; only one section has them.
    """

    anchor: str
    name: str
    title: str
    body: str
    figures: dict[str, Json] = field(default_factory=dict)
    views: dict[str, Json] | None = None
