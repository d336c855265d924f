"""The page of `forecaster check`: the series with gaps and outliers, the autocorrelation, and the facts in words."""

from pathlib import Path

import pandas as pd

from forecaster.reporting.check_content import CheckContent
from forecaster.reporting.encoding import Json, numbers, stamps
from forecaster.reporting.markup import figure, key_list, scroll_box, text
from forecaster.reporting.page import render_page, write_page
from forecaster.reporting.plots import MAX_SERIES, gap_shapes
from forecaster.reporting.section import Section
from forecaster.reporting.symbol_check import symbol_series_section
from forecaster.reporting.thinning import min_max

__all__ = ["render_check", "write_check_page"]

MAX_POINTS = 24_000
MAX_POINTS_A_SERIES = 4_000
MAX_OUTLIERS = 500
"""Of a series; the farthest first."""
FEWEST_LAGS = 60
"""That are drawn, if there are so many; more where a cycle is longer."""


def write_check_page(content: CheckContent, path: Path) -> Path:
    """Writes the page; an older one at the same place is replaced whole or not at all.

    Returns:
        The absolute path of the page.

    Raises:
        ForecasterError: The file cannot be written.
    """
    return write_page(render_check(content), path)


def render_check(content: CheckContent) -> str:
    """The page as HTML text, see `render_page`."""
    symbols = bool(content.symbols)
    series = [symbol_series_section(content)] if symbols else [_series_section(content), _cycles_section(content)]
    chapters = [
        Section("verdict", "Verdict", "Worth a look", _verdict(content)),
        *series,
        Section("facts", "Facts", "The account", _facts(content)),
        Section("definition", "Pipeline", "The pipeline file", _definition(content)),
    ]
    return render_page("Data check", content.title, content.created, chapters)


def _verdict(content: CheckContent) -> str:
    bad = "".join(f'<p class="verdict bad">No run is possible: {text(problem)}</p>' for problem in content.problems)
    odd = "".join(f'<p class="verdict unsure">{text(caution)}</p>' for caution in content.cautions)
    fine = '<p class="verdict good">Nothing odd was found in the data.</p>'
    tiles = "".join(
        f'<div class="tile"><p>{text(label)}</p><p class="big">{text(number)}</p><p>{text(words)}</p></div>'
        for label, (number, words) in content.tiles.items()
    )
    return f'{bad}{odd or fine}<div class="tiles four">{tiles}</div>'


def _series_section(content: CheckContent) -> Section:
    names = list(pd.unique(content.history["unique_id"]))[:MAX_SERIES]
    points = min(MAX_POINTS_A_SERIES, MAX_POINTS // max(len(names), 1))
    figures: dict[str, Json] = {}
    drawn = ""
    for place, name in enumerate(names):
        key = f"series-{place}"
        figures[key] = _series_plot(content, name, points)
        words = content.captions.get(str(name), "")
        caption = f"<strong>{text(name)}</strong> <span>{text(words)}</span>"
        drawn += figure(key, f"The series {name}: {words}", caption, "wide" if len(names) == 1 else "small")
    of = "" if len(names) == content.series else f"<p>{_choice(len(names), content)}.</p>"
    swatches = '<li><i class="swatch gap"></i>missing</li><li><i class="swatch ring outlier"></i>outlier</li>'
    key = f'<ul class="legend">{swatches}</ul>'
    return Section("series", "Series", "The series", f'{of}{key}<div class="grid">{drawn}</div>', figures)


def _choice(drawn: int, content: CheckContent) -> str:
    """How many series are drawn, and how they were chosen from all, some or none of which are odd."""
    some = "the odd one first" if content.odd == 1 else f"the {content.odd} odd ones first"
    order = some if content.odd < drawn else "the oddest first"
    return f"{drawn:,} of {content.series:,}, {order if content.odd else 'spread over all, none of which is odd'}"


def _series_plot(content: CheckContent, name: object, points: int) -> Json:
    """Values, thinned so that no spike is lost; gaps as strips, outliers as rings."""
    rows = content.history[content.history["unique_id"] == name]
    y, ds = rows["y"].to_numpy(dtype=float), pd.Index(rows["ds"])
    kept = min_max(y, points)
    line: Json = {
        "type": "scatter", "mode": "lines", "name": "value", "x": stamps(ds[kept]), "y": numbers(y[kept]),
        "line": {"color": "--data-line", "width": 1.2}, "connectgaps": False,
        "hovertemplate": "%{y:,.6~r}<extra></extra>",
    }  # fmt: skip
    odd = content.outliers[content.outliers["unique_id"] == name].nlargest(MAX_OUTLIERS, "score")
    rings: Json = {
        "type": "scatter", "mode": "markers", "name": "outlier", "x": stamps(odd["ds"]), "y": numbers(odd["y"]),
        "marker": {"color": "--bad", "size": 9, "symbol": "circle-open", "line": {"width": 2}},
        "hovertemplate": "%{y:,.6~r} (outlier)<extra></extra>",
    }  # fmt: skip
    axis: Json = {"type": "date" if isinstance(ds, pd.DatetimeIndex) else "linear"}
    return {"data": [line, rings], "layout": {"xaxis": axis, "shapes": gap_shapes(ds, y)}}


def _cycles_section(content: CheckContent) -> Section:
    """Bars of the autocorrelation; those of cycles stand out."""
    title = "What repeats"
    if not len(content.correlations):
        return Section("cycles", "Cycles", title, "<p>The series are too short for an autocorrelation.</p>")
    found = ", ".join(f"{lag:,} steps ({height:.2f})" for lag, height in content.cycles.items())
    words = f"Cycles: {found}." if found else "No cycle stands out."
    note = (
        f"<p>{text(words)} The bars are the autocorrelation of the {text(content.correlated)}"
        f"{', averaged over the series' if content.series > 1 else ''}; chance alone stays below the dotted line.</p>"
    )
    lags = min(max(FEWEST_LAGS, int(2.2 * max(content.cycles, default=0))), len(content.correlations))
    legend = '<ul class="legend"><li><i class="swatch cycle"></i>cycle</li></ul>' if content.cycles else ""
    drawing = figure("cycles", f"Autocorrelation by lag. {words}", "", "wide")
    return Section("cycles", "Cycles", title, note + legend + drawing, {"cycles": _cycle_plot(content, lags)})


def _cycle_plot(content: CheckContent, lags: int) -> Json:
    steps: list[Json] = list(range(1, lags + 1))
    bars: Json = {
        "type": "bar", "name": "autocorrelation", "x": steps, "y": numbers(content.correlations[:lags]),
        "marker": {"color": "--data-line", "line": {"width": 0}},
        "hovertemplate": "%{x} steps: %{y:.3f}<extra></extra>",
    }  # fmt: skip
    limit: Json = {
        "type": "scatter", "mode": "lines", "name": "chance", "x": steps, "y": numbers(content.limits[:lags]),
        "line": {"color": "--soft", "width": 1.5, "dash": "dot"}, "hoverinfo": "skip",
    }  # fmt: skip
    heights: list[Json] = [round(height, 4) for height in content.cycles.values()]
    found: Json = {
        "type": "bar", "name": "cycle", "x": list(content.cycles), "y": heights,
        "width": max(lags / 150, 1), "marker": {"color": "--network-1", "line": {"width": 0}},
        "hovertemplate": "cycle of %{x} steps: %{y:.3f}<extra></extra>",
    }  # fmt: skip
    axes: dict[str, Json] = {
        "xaxis": {"title": {"text": "lag in steps"}, "type": "linear", "range": [0, lags + 1]},
        "yaxis": {"title": {"text": "autocorrelation"}},
    }
    return {"data": [bars, limit, found], "layout": {**axes, "barmode": "overlay", "bargap": 0.15 if lags < 200 else 0}}


def _facts(content: CheckContent) -> str:
    guessed = f"<h3>Guessed, for this account only</h3>{key_list(content.guessed)}" if content.guessed else ""
    inferred = f"<h3>What a run would take</h3>{key_list(content.inferred)}" if content.inferred else ""
    return f"{key_list(content.facts)}{guessed}{inferred}"


def _definition(content: CheckContent) -> str:
    return scroll_box("The pipeline file", f"<pre><code>{text(content.definition)}</code></pre>")
