"""The latest forecast of a series over its recent past, and how the forecasts before it would have turned out."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd

from forecaster.errors import DataError, ForecasterError
from forecaster.forecasting.protocol import interval_columns
from forecaster.series import Panel
from forecaster.serving.dashboard.as_of import as_of
from forecaster.serving.dashboard.places import places_of, seen_until
from forecaster.serving.dashboard.symbol_outlook import symbol_outlook
from forecaster.serving.failures import Refused
from forecaster.serving.forecasts import Forecasts
from forecaster.serving.models import Loaded

__all__ = ["outlook"]

logger = logging.getLogger(__name__)

EARLIER = 7
"""Forecast origins before the latest that are gone back to."""
FEWEST, MOST = 100, 3000
"""Steps of the past that are shown."""
MOST_NAMES = 1000
"""Series that can be chosen from."""


def outlook(
    forecasts: Forecasts, loaded: Loaded, name: str, wanted: str | None, csv: bytes | None = None
) -> dict[str, Any]:
    """What the page's plot shows, as JSON values; `x` is milliseconds by the data's clock, or whole numbers.

    Where known covariates end with the data, `forecast` is None and `why` says so: earlier forecasts can be shown.

    Args:
        forecasts: Makes them, as `POST /api/forecast` does.
        loaded: The version.
        name: The model's.
        wanted: Which series; the first by default.
        csv: A file of one's own instead of the data that the version was trained on.

    Raises:
        DataError: The data are not there any more, or as on the command line.
        Refused: 404; there is no such series.
    """
    panel = forecasts.trained_on(loaded) if csv is None else forecasts.uploaded(loaded, csv)
    names = [str(one) for one in panel.ids]
    if wanted is not None and wanted not in names:
        raise Refused(404, f"there is no series {wanted[:100]!r} in the data of {name}")
    one = panel.select([names.index(wanted) if wanted is not None else 0])
    manifest = loaded.version.manifest
    about = {
        "version": loaded.number, "model": manifest.model, "series": str(one.ids[0]), "names": names[:MOST_NAMES],
        "count": len(names), "time": isinstance(one.stamps(one.last), pd.DatetimeIndex),
    }  # fmt: skip
    if manifest.vocabulary:
        return {**about, **symbol_outlook(forecasts, loaded, name, one)}
    values = one.history(0)
    shown = int(np.clip((EARLIER + 1) * manifest.horizon + manifest.lookback, FEWEST, MOST))
    ticks = one.first[0] + np.arange(len(values))
    past = _past(forecasts, loaded, name, one)
    latest: dict[str, Any] = {}
    try:
        latest["forecast"] = _drawn(forecasts.predict(loaded, name, one, None, None), loaded)
    except DataError as error:
        if csv is not None or not past:
            raise
        latest = {"forecast": None, "why": str(error)}
    history = {"x": places_of(one.stamps(ticks[-shown:])), "y": _numbers(values[-shown:])}
    return {**about, "history": history, **latest, "past": past}


def _past(forecasts: Forecasts, loaded: Loaded, name: str, one: Panel) -> list[dict[str, Any]]:
    """Forecasts from earlier origins, a horizon apart, the latest first, beside what came; gaps are told of once."""
    manifest = loaded.version.manifest
    values, horizon = one.history(0), manifest.horizon
    observed = np.flatnonzero(np.isfinite(values))
    end = int(observed[-1]) if len(observed) else -1
    learnt_until = seen_until(one, manifest.training.get("until"))
    found, gaps = [], list[str]()
    for back in range(1, EARLIER + 1):
        origin = end - back * horizon
        if origin < min(manifest.sees, end) - 1 or origin < 1:
            break
        try:
            seen, begin = as_of(one, origin)
            frame = forecasts.predict(loaded, name, seen, None, begin, tell=gaps.append)
        except ForecasterError:  # a hole before that origin, say; the page does without
            continue
        truth = values[origin + 1 : origin + 1 + horizon]
        judged = _judged(frame, loaded, truth, values[: origin + 1])
        learnt = None if learnt_until is None else bool(one.first[0] + origin < learnt_until)
        found.append({**_drawn(frame, loaded), **judged, "learnt": learnt})
    if gaps:
        logger.warning("%s, earlier forecasts: %s", name, gaps[0])
    return found


def _judged(frame: pd.DataFrame, loaded: Loaded, truth: np.ndarray, before: np.ndarray) -> dict[str, Any]:
    """Mean absolute errors of the forecast and of the last value, and the share of values inside each interval."""
    manifest = loaded.version.manifest
    there = np.isfinite(truth)
    last = before[np.isfinite(before)]
    if not there.any() or not len(last):
        return {"error": None, "naive": None, "inside": {}}
    median = frame[manifest.model].to_numpy(float)
    inside = {}
    for level in manifest.levels:
        low, high = (frame[column].to_numpy(float) for column in interval_columns(manifest.model, level))
        inside[f"{level:g}"] = float(((low <= truth) & (truth <= high))[there].mean())
    return {
        "error": float(np.abs(median - truth)[there].mean()),
        "naive": float(np.abs(last[-1] - truth)[there].mean()),
        "inside": inside,
    }


def _drawn(frame: pd.DataFrame, loaded: Loaded) -> dict[str, Any]:
    manifest = loaded.version.manifest
    bands = []
    for level in sorted(manifest.levels, reverse=True):
        low, high = interval_columns(manifest.model, level)
        bands.append({"level": f"{level:g}", "lo": _numbers(frame[low]), "hi": _numbers(frame[high])})
    return {
        "cutoff": places_of(pd.Index(frame["cutoff"][:1]))[0],
        "x": places_of(pd.Index(frame["ds"])),
        "y": _numbers(frame[manifest.model]),
        "bands": bands,
    }


def _numbers(values: Any) -> list[float | None]:
    """Seven significant digits, which is what 32 bits hold; None where missing."""
    return [float(f"{value:.7g}") if np.isfinite(value) else None for value in np.asarray(values, float)]
