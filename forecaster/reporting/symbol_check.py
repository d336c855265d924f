"""Series of symbols on the page of a check: how frequent each one is, when each of a few came, and what came last."""

from __future__ import annotations

import pandas as pd

from forecaster.reporting.check_content import CheckContent
from forecaster.reporting.encoding import Json
from forecaster.reporting.markup import figure, looks_list, scroll_box, share_of, text
from forecaster.reporting.plots import gap_shapes
from forecaster.reporting.section import Section
from forecaster.reporting.symbol_plots import MOST_COLOURS, MOST_FREQUENT, frequencies, strip

__all__ = ["symbol_series_section"]


def symbol_series_section(content: CheckContent) -> Section:
    """Bars of the frequencies; of few symbols a row of dots for each; the last symbols as text."""
    count = len(content.counts)
    note = f"<p>{share_of(min(count, MOST_FREQUENT), count, 'symbols')}, the most frequent first.</p>"
    bars = figure("frequencies", "Share of each symbol", "<strong>How frequent the symbols are</strong>", "wide")
    figures: dict[str, Json] = {"frequencies": frequencies(pd.Series(dict(content.counts)))}
    dots = _dots(content, figures) if count <= MOST_COLOURS else ""
    of = f"<p>{share_of(len(content.ends), content.series, 'series')}.</p>" if content.series > 1 else ""
    return Section("series", "Series", "The series", note + bars + of + dots + _ends(content), figures)


def _dots(content: CheckContent, figures: dict[str, Json]) -> str:
    """When each symbol came, a figure a series, added to `figures`."""
    drawn = ""
    for place, name in enumerate(content.ends):
        rows = content.history[content.history["unique_id"] == name]
        gaps = gap_shapes(pd.Index(rows["ds"]), rows["y"].to_numpy(dtype=float))
        key, words = f"series-{place}", content.captions.get(name, "")
        figures[key] = strip(rows, content.symbols, gaps)
        caption = f"<strong>{text(name)}</strong> <span>{text(words)}</span>"
        drawn += figure(key, f"When each symbol came in {name}: {words}", caption, "wide")
    return looks_list({"gap": "missing"}) + drawn


def _ends(content: CheckContent) -> str:
    return "".join(
        f"<h3>{text(name)}, the last symbols</h3>"
        + scroll_box(f"The last symbols of {name}", f'<pre class="wrapped">{text(end)}</pre>')
        for name, end in content.ends.items()
    )
