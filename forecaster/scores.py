"""Scores in words: what they are called, which way is better, how a model stands against the naive forecasts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["HIGHER_IS_BETTER", "LABELS", "LOWER_IS_BETTER", "share_of_size", "standing"]

LABELS = {
    "skill": "Skill",
    "log_loss": "Log loss",
    "accuracy": "Accuracy",
    "top_3": "Top 3",
    "perplexity": "Perplexity",
    "bits": "Bits per symbol",
    "mase": "MASE",
    "smape": "sMAPE",
    "rmse": "RMSE",
    "mae": "MAE",
    "wql": "WQL",
    "owa": "OWA",
    "direction": "Direction",
    "direction-lo": "Direction, lo",
    "direction-hi": "Direction, hi",
    "p": "p",
    "validation": "Validation",
    "seconds": "Time to fit",
}
"""Headings of a leaderboard's columns; those of intervals have their level in them."""
LOWER_IS_BETTER = ("log_loss", "perplexity", "bits", "mase", "smape", "rmse", "mae", "owa", "wql")
HIGHER_IS_BETTER = ("accuracy", "top_3")


def standing(row: Mapping[Any, Any]) -> tuple[str, str]:
    """How a model stands against the best naive forecast.

    Args:
        row: Of a leaderboard: `kind`, `skill`, `significant` and the metrics.

    Returns:
        The words for it, and `good`, `unsure` or `bad`; both empty for a naive forecast, or where there is no skill.

    Example:
        >>> standing({"kind": "network", "skill": -0.2})
        ('does not beat the naive forecast', 'bad')
        >>> standing({"kind": "network", "skill": 0.2, "significant": True})
        ('beats the naive forecasts', 'good')
    """
    skill = row.get("skill")
    if row.get("kind") == "naive" or not isinstance(skill, int | float) or math.isnan(skill):
        return "", ""
    if skill <= 0:
        return "does not beat the naive forecast", "bad"
    if row.get("significant") is not None and bool(row["significant"]):
        return "beats the naive forecasts", "good"
    if "log_loss" in row:  # its skill is against the best n-gram only
        return "better than n-grams, not significantly better than all baselines", "unsure"
    return "better than naive, not significantly", "unsure"


def share_of_size(loss: float, unit: str = " %") -> str:
    """A weighted quantile loss, which is a share of the values' size, in per cent with three digits.

    Example:
        >>> share_of_size(0.0123), share_of_size(0.123), share_of_size(0.123, unit="%")
        ('1.23 %', '12.3 %', '12.3%')
    """
    return f"{100 * loss:.{2 if loss < 0.1 else 1}f}{unit}"
