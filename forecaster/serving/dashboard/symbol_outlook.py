"""The latest forecast of a series of symbols behind the ones before it, as bars of probabilities, beside what came."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from forecaster.errors import DataError, ForecasterError
from forecaster.series import Panel
from forecaster.series.symbols import UNKNOWN
from forecaster.serving.dashboard.as_of import as_of
from forecaster.serving.dashboard.places import places_of, seen_until
from forecaster.serving.forecasts import Forecasts
from forecaster.serving.models import Loaded

__all__ = ["symbol_outlook"]

STEPS = 28
"""Of the past that are gone back to."""
MOST_NAMED = 1000
"""Symbols that are asked for, so that what came is found among them."""
SHOWN = 3
MOST_COLOURS = 8


def symbol_outlook(forecasts: Forecasts, loaded: Loaded, name: str, one: Panel) -> dict[str, Any]:
    """What the page's bars show, as JSON values.

    Args:
        forecasts: Makes them, as `POST /api/forecast` does.
        loaded: The version.
        name: The model's.
        one: A panel of the one series to show.

    Returns:
        `colours`: the symbols that have one of their own, none where there are too many; `past` and `next`: a row a
        step, oldest first, with `x`, `cutoff`, `named` ([symbol, probability], the likeliest first), and of the past
        `came` and `given` (its probability), None where it was not observed, `unknown`: whether the model does not
        know it, so that what it gave to unknown ones counts, and `learnt`: whether it was seen in training; `tally`
        over what came: `steps`, `hits`, `log_loss`. Where known covariates end with the data, `next` is empty and
        `why` says so.

    Raises:
        DataError: Nothing can be forecast, neither from the end of the data nor from before.
    """
    vocabulary = list(loaded.version.manifest.vocabulary)[1:]
    past = _past(forecasts, loaded, name, one)
    latest: dict[str, Any] = {}
    try:
        frame = forecasts.predict(loaded, name, one, None, None, SHOWN)
        latest["next"] = _rows(frame, loaded.version.manifest.model)
    except DataError as error:
        if not past:
            raise
        latest = {"next": [], "why": str(error)}
    return {
        "kind": "symbols",
        "colours": vocabulary if len(vocabulary) <= MOST_COLOURS else [],
        "past": past,
        **latest,
        "tally": _tally(past),
    }


def _past(forecasts: Forecasts, loaded: Loaded, name: str, one: Panel) -> list[dict[str, Any]]:
    manifest = loaded.version.manifest
    values, horizon = one.history(0), manifest.horizon
    observed = np.flatnonzero(np.isfinite(values))
    end = int(observed[-1])
    learnt_until = seen_until(one, manifest.training.get("until"))
    top = min(len(manifest.vocabulary), MOST_NAMED)
    found: list[dict[str, Any]] = []
    for back in range(1, max(STEPS // horizon, 1) + 1):
        origin = end - back * horizon
        if origin < max(min(manifest.lookback, end) - 1, int(observed[0])):
            break
        try:
            seen, begin = as_of(one, origin)
            frame = forecasts.predict(loaded, name, seen, None, begin, top)
        except ForecasterError:  # known covariates are missing there, say; the page does without
            continue
        rows = _rows(frame, manifest.model)
        for row, value in zip(rows, values[origin + 1 : origin + 1 + horizon], strict=False):
            came = one.symbols[int(value)] if np.isfinite(value) else None
            row["came"], row["unknown"] = came, came is not None and came not in manifest.vocabulary
            row["given"] = dict(row["named"]).get(UNKNOWN if row["unknown"] else came)
            row["learnt"] = None if learnt_until is None else bool(one.first[0] + origin < learnt_until)
            row["named"] = row["named"][:SHOWN]
        found = [*rows, *found]
    return found


def _rows(frame: pd.DataFrame, model: str) -> list[dict[str, Any]]:
    labels = [model, *(label for place in range(2, len(frame.columns)) if (label := f"{model}-{place}") in frame)]
    names, shares = frame[labels].to_numpy(object), frame[[f"{label}-p" for label in labels]].to_numpy(np.float64)
    xs, cutoffs = places_of(pd.Index(frame["ds"])), places_of(pd.Index(frame["cutoff"]))
    return [
        {
            "x": xs[row], "cutoff": cutoffs[row],
            "named": [[name, round(float(share), 6)] for name, share in zip(names[row], shares[row], strict=True)],
        }
        for row in range(len(frame))
    ]  # fmt: skip


def _tally(past: list[dict[str, Any]]) -> dict[str, Any]:
    judged = [row for row in past if row["came"] is not None]
    given = np.array([row["given"] or 0.0 for row in judged])
    sure = bool(len(given)) and bool((given > 0).all())
    return {
        "steps": len(judged),
        "hits": sum(row["named"][0][0] == row["came"] for row in judged),
        "log_loss": float(-np.log(given).mean()) if sure else None,
    }
