"""Plotly figures as plain data: error by step, training curves, the series with their gaps and parts.

A colour is the name of a variable in report.css (`--network-0`); report.js puts in the value for light,
dark or paper when it draws. So nothing here imports plotly.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecaster.reporting.cast import cast
from forecaster.reporting.content import Parts, ReportContent
from forecaster.reporting.encoding import Json, numbers, stamps
from forecaster.reporting.thinning import evenly, min_max, missing_runs

__all__ = [
    "MAX_SERIES",
    "SeriesPlot",
    "curve_plot",
    "data_plots",
    "gap_shapes",
    "part_shapes",
    "step_error_plot",
    "step_errors",
]

MAX_SERIES = 12
MAX_POINTS = 24_000
MAX_POINTS_A_SERIES = 4_000
MAX_CURVE_POINTS = 1_000
MAX_GAPS = 300

Figure = dict[str, Json]


@dataclass(frozen=True)
class SeriesPlot:
    """One series as it is drawn, and what was counted before it was thinned."""

    unique_id: str
    figure: Figure
    values: int
    missing: int
    gaps: int
    thinned: bool


def step_errors(content: ReportContent) -> pd.DataFrame:
    """Mean absolute error at each step of the horizon, one column a model.

    One series is measured in its own unit. Of several, each is first divided by the mean absolute change
    from one step to the next before its first cutoff, so that a large series does not drown the others.

    Returns:
        Index: step, from 1. Empty if there are no forecasts.
    """
    frame = content.forecasts.sort_values(["unique_id", "cutoff", "ds"])
    models = [player.name for player in cast(content)]
    errors = frame[models].sub(frame["y"], axis=0).abs()
    if frame["unique_id"].nunique() > 1:
        errors = errors.div(frame["unique_id"].map(_step_change(content)).astype(float), axis=0)
    step = frame.groupby(["unique_id", "cutoff"], observed=True).cumcount() + 1
    return errors.groupby(step.rename("step")).mean()


def _step_change(content: ReportContent) -> dict[object, float]:
    """unique_id -> mean absolute change from step to step up to its first cutoff; NaN if it is 0."""
    first = content.forecasts.groupby("unique_id", observed=True)["cutoff"].min()
    history = content.history.sort_values(["unique_id", "ds"])
    before = history[history["ds"] <= history["unique_id"].map(first)]
    change = before["y"].groupby(before["unique_id"], observed=True).diff().abs()
    mean = change.groupby(before["unique_id"], observed=True).mean()
    return dict(mean.where(mean > 0).items())


def step_error_plot(content: ReportContent, errors: pd.DataFrame) -> Figure:
    """Draws what `step_errors` returned: naive forecasts dashed, networks in strong lines."""
    steps: list[Json] = [int(step) for step in errors.index]
    traces: list[Json] = [
        {
            "type": "scatter",
            "name": player.name,
            "x": steps,
            "y": numbers(errors[player.name]),
            "mode": "lines",
            "line": {"color": player.colour, "dash": player.dash, "width": player.width},
            "hovertemplate": "%{y:,.4~r}",
        }
        for player in cast(content)
    ]
    title = "scaled error" if content.forecasts["unique_id"].nunique() > 1 else "mean absolute error"
    layout: dict[str, Json] = {
        "xaxis": {"title": {"text": "steps ahead"}, "type": "linear", "hoverformat": "d"},
        "yaxis": {"title": {"text": title}, "rangemode": "tozero"},
    }
    return {"data": traces, "layout": layout}


def curve_plot(curve: pd.DataFrame) -> Figure:
    """Training and validation loss over the steps of one network, with the best validation loss marked."""
    traces: list[Json] = []
    for column, colour in (("training", "--training-line"), ("validation", "--validation-line")):
        line = curve[["step", column]].dropna()
        line = line.iloc[min_max(line[column].to_numpy(dtype=float), MAX_CURVE_POINTS)]
        look: dict[str, Json] = {"mode": "lines", "line": {"color": colour, "width": 2}}
        traces.append(_curve(column, line["step"], line[column], look))
    best = curve[["step", "validation"]].dropna().nsmallest(1, "validation")
    marker: Json = {"color": "--validation-line", "size": 10, "symbol": "circle-open", "line": {"width": 2}}
    traces.append(_curve("best", best["step"], best["validation"], {"mode": "markers", "marker": marker}))
    losses = curve[["training", "validation"]].to_numpy(dtype=float)
    losses = losses[np.isfinite(losses)]
    wide = bool(losses.size) and losses.min() > 0 and losses.max() > 20 * losses.min()
    layout: dict[str, Json] = {
        "xaxis": {"title": {"text": "step"}, "type": "linear", "hoverformat": ",d"},
        "yaxis": {"title": {"text": "loss"}, "type": "log" if wide else "linear"},
    }
    return {"data": traces, "layout": layout}


def _curve(name: str, steps: pd.Series, losses: pd.Series, look: dict[str, Json]) -> Json:
    values: dict[str, Json] = {"x": numbers(steps), "y": numbers(losses), "hovertemplate": "%{y:.4~r}"}
    return {"type": "scatter", "name": name, **values, **look}


def data_plots(content: ReportContent) -> list[SeriesPlot]:
    """At most `MAX_SERIES` series, spread evenly over all of them."""
    ids = list(pd.unique(content.history["unique_id"]))
    shown = evenly(ids, MAX_SERIES)
    points = min(MAX_POINTS_A_SERIES, MAX_POINTS // max(len(shown), 1))
    plots = []
    for unique_id in shown:
        rows = content.history[content.history["unique_id"] == unique_id].sort_values("ds")
        parts = content.series_parts.get(str(unique_id), content.parts)
        plots.append(_data_plot(str(unique_id), rows, parts, points))
    return plots


def _data_plot(unique_id: str, rows: pd.DataFrame, parts: Parts, points: int) -> SeriesPlot:
    y = rows["y"].to_numpy(dtype=float)
    ds = pd.Index(rows["ds"])
    kept = min_max(y, points)
    x = stamps(ds[kept])
    trace: Json = {
        "type": "scatter",
        "name": unique_id,
        "mode": "lines",
        "x": x,
        "y": numbers(y[kept]),
        "line": {"color": "--data-line", "width": 1.2},
        "connectgaps": False,
        "hovertemplate": "%{y:,.6~r}<extra></extra>",
    }
    axis: Json = {"type": "date" if isinstance(ds, pd.DatetimeIndex) else "linear"}
    shapes = part_shapes(parts, ds, y)
    figure: Figure = {"data": [trace], "layout": {"xaxis": axis, "shapes": shapes}}
    gaps = len(missing_runs(y))
    return SeriesPlot(unique_id, figure, len(y), int(np.isnan(y).sum()), gaps, len(kept) < len(y))


def part_shapes(parts: Parts, ds: pd.Index, y: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[Json]:
    """A band for each part, and a strip for each gap of a series."""
    names = [name for name in ("training", "validation", "test") if name in parts]
    return [_band(stamps(parts[name]), f"--part-{name}", 0) for name in names] + gap_shapes(ds, y)


def gap_shapes(ds: pd.Index, y: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[Json]:
    """A strip for each gap; of very many, neighbours are drawn as one."""
    runs, within = missing_runs(y), 1
    while len(runs) > MAX_GAPS:
        runs, within = missing_runs(y, within), 2 * within
    return [_band(stamps([ds[first], ds[last]]), "--gap", 1) for first, last in runs]


def _band(ends: list[Json], colour: str, border: int) -> Json:
    start, end = ends
    line: Json = {"width": border, "color": colour}
    place: dict[str, Json] = {"xref": "x", "yref": "paper", "x0": start, "x1": end, "y0": 0, "y1": 1}
    return {"type": "rect", "layer": "below", "fillcolor": colour, "line": line, **place}
