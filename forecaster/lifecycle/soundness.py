"""Is a challenger sound at all? A network that is not is never promoted, however small its mean loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecaster.evaluation import coverage
from forecaster.forecasting.protocol import interval_columns
from forecaster.series import Panel

__all__ = ["fault_of", "fault_of_symbols"]

LEAST_COVERAGE = 0.5
"""An interval must hold at least this part of its level: one of 80% no less than 40% of the outcomes."""
WIDEST = 10.0
"""The typical width of an interval, in ranges (largest minus smallest value) of its series, is at most this."""
NEARLY = 1e-4
"""By how much probabilities may miss 1 when they are added up."""


def fault_of(frame: pd.DataFrame, model: str, levels: Sequence[float], fitting: Panel) -> str | None:
    """What is wrong with a network's forecasts of the test part.

    Forecasts must be finite, the bounds of its intervals in order around the median, and the intervals neither absurdly
    narrow (they hold less than half of what they promise) nor absurdly wide (typically more than ten times the range
    that their series had in the fitting part).

    Args:
        frame: A backtest.
        model: Whose columns.
        levels: Of its intervals, in per cent.
        fitting: The part before the test part.

    Returns:
        A sentence's end that says what is wrong, or None.
    """
    ordered = sorted(levels, reverse=True)
    columns = [interval_columns(model, level)[0] for level in ordered] + [model]
    columns += [interval_columns(model, level)[1] for level in reversed(ordered)]
    values = frame[columns].to_numpy(np.float64)
    if count := int((~np.isfinite(values)).any(axis=1).sum()):
        return f"{count} of its {len(values)} forecasts are not finite"
    if count := int((np.diff(values, axis=1) < 0).any(axis=1).sum()):
        return f"the bounds of its intervals are not in order in {count} of {len(values)} forecasts"
    ranges = {str(name): np.ptp(_seen(fitting, one)) for one, name in enumerate(fitting.ids)}
    width = frame["unique_id"].astype(str).map(ranges).to_numpy(np.float64)
    for level in ordered:
        if (held := coverage(frame, model, level)) < LEAST_COVERAGE * level / 100:
            return f"its {level:g}% interval holds only {held:.0%} of the outcomes"
        low, high = (frame[bound].to_numpy(np.float64)[width > 0] for bound in interval_columns(model, level))
        relative = (high - low) / width[width > 0]
        if len(relative) and (typical := float(np.median(relative))) > WIDEST:
            return f"its {level:g}% interval is typically {typical:.0f} times as wide as all past values together"
    return None


def fault_of_symbols(frame: pd.DataFrame, model: str, probabilities: np.ndarray) -> str | None:
    """What is wrong with a challenger that forecasts symbols, if anything.

    Args:
        frame: The backtest, of `roll_symbols`.
        model: The challenger's name.
        probabilities: What it says behind the end of the fitting part, shape (series, horizon, symbols).

    Returns:
        A sentence's end that says what is wrong, or None.
    """
    columns = [f"{name}-p" for name in (model, f"{model}-2", f"{model}-3") if f"{name}-p" in frame]
    given = frame[f"{model}-y-p"].where(frame["y"].notna(), 1.0)
    said = np.column_stack([frame[columns], given]).astype(np.float64)
    if count := int((~np.isfinite(said)).any(axis=1).sum() + (~np.isfinite(probabilities)).any(axis=2).sum()):
        return f"{count} of its forecasts are not finite"
    if count := int(_no_probability(said).sum() + (probabilities < 0).any(axis=2).sum()):
        return f"{count} of its forecasts have probabilities that are 0, or not between 0 and 1"
    sums = probabilities.sum(axis=2)
    if count := int((np.abs(sums - 1) > NEARLY).sum()):
        worst = sums.reshape(-1)[np.abs(sums - 1).argmax()]
        return f"its probabilities add up to {worst:.3g} instead of 1 in {count} of {sums.size} forecasts"
    return None


def _no_probability(said: np.ndarray) -> np.ndarray:
    """Rows with a number below 0 or above 1, or nothing at all (in the last column) for what came."""
    return np.asarray(((said < 0) | (said > 1 + NEARLY)).any(axis=1) | (said[:, -1] == 0))


def _seen(panel: Panel, series: int) -> np.ndarray:
    history = panel.history(series)
    return np.asarray(history[np.isfinite(history)])
