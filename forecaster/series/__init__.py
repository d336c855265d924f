"""The data at the door: files and tickers become a Panel; splits and windows are cut from it."""

from forecaster.series.calendar import Calendar, EvenSteps, Sessions, calendar_from
from forecaster.series.columns import Columns
from forecaster.series.files import data_hash, read_csv, read_parquet
from forecaster.series.frequency import infer_calendar
from forecaster.series.panel import Panel
from forecaster.series.seasons import find_seasons, metric_season, natural_seasons
from forecaster.series.split import automatic_windows, cutoffs, forecastable, foreseen, held_out, taking_part
from forecaster.series.stacked import stacked
from forecaster.series.table import panel_from_frame
from forecaster.series.windows import Batch, Windows, forecast_windows, training_windows

__all__ = [
    "Batch",
    "Calendar",
    "Columns",
    "EvenSteps",
    "Panel",
    "Sessions",
    "Windows",
    "automatic_windows",
    "calendar_from",
    "cutoffs",
    "data_hash",
    "find_seasons",
    "forecast_windows",
    "forecastable",
    "foreseen",
    "held_out",
    "infer_calendar",
    "metric_season",
    "natural_seasons",
    "panel_from_frame",
    "read_csv",
    "read_parquet",
    "stacked",
    "taking_part",
    "training_windows",
]
