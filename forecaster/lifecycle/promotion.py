"""The promotion rule: a challenger takes the champion's place only if it is better by more than luck.

There is one loss difference a cutoff, averaged over the horizon and the series. For everything that must be beaten
(`promote.beat`) the one-sided test of Diebold and Mariano with the correction of Harvey, Leybourne and Newbold says
how likely such differences are if the challenger is no better; Holm's correction makes them one decision. The
challenger is promoted if every corrected p-value is below `promote.significance`.

The baselines are met on all cutoffs of the test part. The champion is met only on those whose targets lie after all
that either of the two has seen in training or validation; with fewer than `promote.min_windows` of them nothing is
decided. The rule's level is that of one night: 500 nights with equally good challengers promote in expectation in at
most 5% (see tests/benchmarks/promotion.py for how often they do).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecaster.config import PromoteDefinition
from forecaster.evaluation import diebold_mariano, holm
from forecaster.lifecycle.result import Outcome

__all__ = ["CHAMPION", "Comparison", "Decision", "decide", "in_words", "rivals_of"]

CHAMPION = "champion"


@dataclass(frozen=True)
class Comparison:
    """The challenger against one rival.

    Attributes:
        rival: `champion`, or a baseline's name.
        cutoffs: On how many they met.
        loss: The challenger's mean loss there.
        rival_loss: The rival's.
        p: One-sided p-value that the challenger is better.
        corrected: The same after Holm's correction over all rivals.
    """

    rival: str
    cutoffs: int
    loss: float
    rival_loss: float
    p: float
    corrected: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Decision:
    """What the rule says.

    Attributes:
        outcome: `promoted`, `kept` or `not enough new data`.
        reason: In a sentence.
        p: The largest corrected p-value, the one that decides; None where nothing was compared.
        comparisons: Rival by rival.
    """

    outcome: Outcome
    reason: str
    p: float | None = None
    comparisons: tuple[Comparison, ...] = ()


def rivals_of(promote: PromoteDefinition, models: list[str]) -> list[str]:
    """The baselines of a run that must be beaten; `seasonal_naive` means that of every season.

    Example:
        >>> rivals_of(PromoteDefinition(), ["lstm", "naive", "seasonal_naive", "seasonal_naive_336", "ridge"])
        ['naive', 'seasonal_naive', 'seasonal_naive_336']
    """
    wanted = set(promote.beat)
    return [name for name in models if name in wanted or ("seasonal_naive" in wanted and _is_seasonal(name))]


def decide(
    challenger: str,
    field: pd.DataFrame,
    duel: pd.DataFrame | None,
    promote: PromoteDefinition,
    overlap: int = 1,
) -> Decision:
    """Applies the rule to losses by cutoff.

    Args:
        challenger: Its column.
        field: Losses on the test part, a row a cutoff in the order of time; columns: the challenger and baselines.
        duel: Losses of `challenger` and `champion` on the cutoffs that neither has seen; None without a champion.
        promote: What must be beaten, and how clearly.
        overlap: How many successive forecasts share targets.

    Returns:
        The decision. Where there is no champion to be beaten, the baselines alone are compared; where no series has
        a loss, nothing is, and nothing changes.

    Example:
        >>> field = pd.DataFrame({"gru": [1.0, 1.1, 0.9, 1.0], "naive": [2.0, 2.3, 1.9, 2.1]})
        >>> decide("gru", field, None, PromoteDefinition(beat=["champion", "naive"])).outcome
        'promoted'
    """
    if field.empty:
        told = f"{in_words(promote.metric)} cannot be computed for any series, so nothing is compared"
        return Decision("kept", f"{told}; `check` says why, and what to write")
    pairs: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    if duel is not None and CHAMPION in promote.beat:
        if len(duel) < promote.min_windows:
            return Decision("not enough new data", too_few(len(duel), promote.min_windows))
        pairs[CHAMPION] = _losses(duel, challenger, CHAMPION)
    pairs |= {rival: _losses(field, challenger, rival) for rival in rivals_of(promote, list(field.columns))}
    single = [_p(*pair, overlap) for pair in pairs.values()]
    compared = tuple(
        Comparison(rival, len(own), float(own.mean()), float(other.mean()), p, float(corrected))
        for (rival, (own, other)), p, corrected in zip(pairs.items(), single, holm(single), strict=True)
    )
    return _judge(challenger, compared, promote)


def too_few(cutoffs: int, wanted: int) -> str:
    """Why nothing could be decided."""
    return (
        f"only {cutoffs} forecast origins lie after the data that champion and challenger have learnt from, and the "
        f"rule wants {wanted} (promote.min_windows); the champion stays until more data have come"
    )


def _losses(table: pd.DataFrame, challenger: str, rival: str) -> tuple[np.ndarray, np.ndarray]:
    return table[challenger].to_numpy(np.float64), table[rival].to_numpy(np.float64)


def _p(own: np.ndarray, other: np.ndarray, overlap: int) -> float:
    """The test's p-value; a rival that could not forecast everywhere is beaten by a challenger that could."""
    if np.isfinite(own).all() and not np.isfinite(other).all():
        return 0.0
    return diebold_mariano(own, other, overlap)


def _judge(challenger: str, compared: tuple[Comparison, ...], promote: PromoteDefinition) -> Decision:
    if not compared:
        return Decision("promoted", f"{challenger} is promoted: there was nothing to beat")
    worst = max(compared, key=lambda one: one.corrected)
    told = ", ".join(f"{one.rival} (p = {one.corrected:.2g})" for one in compared)
    metric = in_words(promote.metric)
    if worst.corrected < promote.significance:
        said = f"{challenger} is significantly better ({metric}) than {told}"
        if promote.significance > 0.5:  # which a worse one may pass
            said = f"{challenger} passes at a level of {promote.significance:g} ({metric}) against {told}"
        return Decision("promoted", said, worst.corrected, compared)
    better = f"better than {worst.rival}, but not significantly"
    if worst.loss >= worst.rival_loss:
        better = f"not better than {worst.rival}"
    reason = (
        f"{challenger} is {better}: {metric} {worst.loss:.3f} against {worst.rival_loss:.3f} on "
        f"{worst.cutoffs} forecast origins (p = {worst.corrected:.2g}, and the rule wants less than "
        f"{promote.significance:g})"
    )
    return Decision("kept", reason, worst.corrected, compared)


def in_words(metric: str) -> str:
    """The mean loss by cutoff as it is written in a sentence: by RMSE it is the squared error, whose root comes last.

    Example:
        >>> in_words("mase"), in_words("log_loss"), in_words("rmse")
        ('MASE', 'log loss', 'mean squared error')
    """
    if metric == "rmse":
        return "mean squared error"
    return metric.replace("_", " ") if "_" in metric else metric.upper()


def _is_seasonal(name: str) -> bool:
    return name == "seasonal_naive" or (name.startswith("seasonal_naive_") and name[15:].isdigit())


def summary(decision: Decision) -> Mapping[str, Any]:
    """A decision for JSON: outcome, reason, p and the comparisons."""
    return {**asdict(decision), "comparisons": [one.to_dict() for one in decision.comparisons]}
