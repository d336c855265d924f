"""The sections that report.js draws in: forecasts, error by step, training and data."""

import pandas as pd

from forecaster.forecasting.clipping import clipping
from forecaster.reporting.cast import cast
from forecaster.reporting.content import ReportContent
from forecaster.reporting.encoding import Json
from forecaster.reporting.markup import figure, looks_list, share_of, table, text
from forecaster.reporting.origins import origin_views
from forecaster.reporting.plots import SeriesPlot, curve_plot, data_plots, step_error_plot, step_errors
from forecaster.reporting.section import Section

__all__ = ["data_section", "error_section", "forecast_section", "parts_key", "training_section"]

_NO_FORECASTS = "<p>This run made no backtest forecasts that could be drawn.</p>"

_CONTROLS = """<form class="controls" aria-label="Choose a forecast">
<label id="series-choice">Series <select id="series"></select></label>
<label>Model <select id="model"></select></label>
<label>Compare with <select id="against"></select></label>
<div class="stepper"><button type="button" id="earlier">‹ Earlier</button>
<label class="slider"><span>Origin <output id="origin-name"></output></span>
<input type="range" id="origin" min="0" step="1"></label>
<button type="button" id="later">Later ›</button></div></form>"""  # noqa: RUF001


def forecast_section(content: ReportContent) -> Section:
    """One forecast at a time, as it was made: series, origin and model are chosen in the page."""
    title = "Forecasts, origin by origin"
    if content.forecasts.empty or not cast(content):
        return Section("forecasts", "Forecasts", title, _NO_FORECASTS)
    views = origin_views(content)
    note = (
        "<p>Each view stands at one origin: a model has seen what lies before the cutoff line and nothing "
        f"after it. Here are {share_of(views.origins_shown, views.origins_total, 'origins')}, from "
        f"{share_of(views.series_shown, views.series_total, 'series')}"
        f"{', spread evenly' if views.origins_shown < views.origins_total else ''}.</p>"
    )
    drawing = figure("origin", "Forecast from one origin", legend=True)
    words = '<p id="origin-words" class="words" aria-live="polite"></p>'
    return Section("forecasts", "Forecasts", title, note + _CONTROLS + drawing + words, views=views.data)


def error_section(content: ReportContent) -> Section:
    """Mean absolute error at each step ahead: a plot, and the same as a table."""
    title = "Error by step of the horizon"
    if content.forecasts.empty or not cast(content):
        return Section("steps", "By step", title, _NO_FORECASTS)
    errors = step_errors(content)
    several = content.forecasts["unique_id"].nunique() > 1
    scale = "; each series is measured in its mean change from one step to the next" if several else ""
    note = (
        "<p>The mean absolute error at each step ahead, over all origins of the test windows"
        f"{' and all series' if several else ''}{scale}. Naive forecasts are dashed.</p>"
    )
    if len(errors) == 1:
        return Section("steps", "By step", title, note + _step_table(errors))
    drawing = figure("steps", "Mean absolute error of every model by step; the table below has it", legend=True)
    details = f"<details><summary>The same as a table</summary>{_step_table(errors)}</details>"
    figures: dict[str, Json] = {"steps": step_error_plot(content, errors)}
    return Section("steps", "By step", title, note + drawing + details, figures)


def _step_table(errors: pd.DataFrame) -> str:
    rows = [[str(step), *(f"{value:,.4g}" for value in row)] for step, *row in errors.itertuples()]
    return table("Mean absolute error by step", ["Step", *map(str, errors.columns)], rows)


def training_section(content: ReportContent) -> Section:
    """Training and validation loss of each network."""
    if not content.curves:
        return Section("training", "Training", "Training", "<p>No network was trained in this run.</p>")
    figures: dict[str, Json] = {}
    drawn = ""
    for place, (name, curve) in enumerate(content.curves.items()):
        key = f"curve-{place}"
        figures[key] = curve_plot(curve)
        description = f"Training and validation loss of {name}"
        words = clipping(curve)
        note = f" <span>gradient {text(words)}</span>" if words else ""
        drawn += figure(key, description, f"<strong>{text(name)}</strong>{note}", "small")
    looks = {"line training-line": "training loss", "line validation-line": "validation loss", "ring": "best"}
    return Section("training", "Training", "Training", f'{looks_list(looks)}<div class="grid">{drawn}</div>', figures)


def data_section(content: ReportContent) -> Section:
    """The series with their gaps, and the parts that they were cut into."""
    plots = data_plots(content)
    total = content.history["unique_id"].nunique()
    note = f"<p>Drawn: {share_of(len(plots), total, 'series')}{', spread evenly' if len(plots) < total else ''}."
    if any(plot.thinned for plot in plots):
        note += " Long series are thinned to the lowest and highest values of short stretches: no spike is lost."
    key = parts_key(content)
    figures: dict[str, Json] = {f"data-{place}": plot.figure for place, plot in enumerate(plots)}
    size = "wide" if len(plots) == 1 else "small"
    drawn = "".join(_data_figure(name, plot, size) for name, plot in zip(figures, plots, strict=True))
    return Section("data", "Data", "The data", f'{note}</p>{key}<div class="grid">{drawn}</div>', figures)


def parts_key(content: ReportContent) -> str:
    """A legend of the parts that the series were cut into."""
    named = [content.parts, *content.series_parts.values()]
    parts = [name for name in ("training", "validation", "test") if any(name in each for each in named)]
    return looks_list({f"part-{name}": name for name in parts} | {"gap": "missing"})


def _data_figure(name: str, plot: SeriesPlot, size: str) -> str:
    words = f"{plot.values:,} steps, "
    words += f"{plot.missing:,} missing in {plot.gaps:,} gap{'s' * (plot.gaps > 1)}" if plot.gaps else "none missing"
    caption = f"<strong>{text(plot.unique_id)}</strong> <span>{words}</span>"
    return figure(name, f"The series {plot.unique_id}: {words}", caption, size)
