"""Is a challenger sound at all? A network that is not is never promoted, however small its mean loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecaster.evaluation import coverage
from forecaster.forecasting.protocol import interval_columns
from forecaster.series import Panel

__all__ = ["fault_of"]

LEAST_COVERAGE = 0.5
"""An interval must hold at least this part of its level: one of 80% no less than 40% of the outcomes."""
WIDEST = 10.0
"""The typical width of an interval, in ranges (largest minus smallest value) of its series, is at most this."""


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
        low, high = (frame[bound].to_numpy(np.float64) for bound in interval_columns(model, level))
        relative = ((high - low) / width)[width > 0]
        if len(relative) and (typical := float(np.median(relative))) > WIDEST:
            return f"its {level:g}% interval is typically {typical:.0f} times as wide as all past values together"
    return None


def _seen(panel: Panel, series: int) -> np.ndarray:
    history = panel.history(series)
    return np.asarray(history[np.isfinite(history)])
