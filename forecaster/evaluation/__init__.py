"""Honest judgement: rolling-origin backtests, metrics, significance, the leaderboard.

This room knows only the protocol and frames.
"""

from forecaster.evaluation.backtest import backtest, join, roll
from forecaster.evaluation.leaderboard import leaderboard, models_of
from forecaster.evaluation.metrics import METRICS, coverage, definitions, losses, scale_season, scales, score
from forecaster.evaluation.significance import by_cutoff, diebold_mariano, holm

__all__ = [
    "METRICS",
    "backtest",
    "by_cutoff",
    "coverage",
    "definitions",
    "diebold_mariano",
    "holm",
    "join",
    "leaderboard",
    "losses",
    "models_of",
    "roll",
    "scale_season",
    "scales",
    "score",
]
