"""The account: what the targets of a panel look like, counted for every series and put together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from forecaster.series.autocorrelation import Cycles, find_cycles
from forecaster.series.outliers import Outliers, find_outliers, no_outliers
from forecaster.series.panel import Panel
from forecaster.series.stretches import Stretches, closed_steps, equal_stretches, missing_stretches, visible

__all__ = ["Account", "take_account"]


@dataclass(frozen=True, eq=False)
class Account:
    """What is there. Every array has one entry a series; a step counts from the start of its series.

    Attributes:
        panel: What was accounted for, up to the ends of its series.
        closed: Steps that are no sessions of a series' own exchange; elsewhere none.
        observed: Steps with a target.
        regular: Steps from one observed target to the next that are one tick of the calendar, or one session of a
            series' own exchange; of `observed − 1`.
        zeros: Targets that are 0.
        negatives: Targets below 0.
        fractions: Targets that are no whole numbers.
        lowest: Lowest target.
        highest: Highest target.
        means: Mean target.
        gaps: Runs of missing targets.
        constants: Runs of equal targets.
        outliers: Targets far from those around them, see `outliers`; none of symbols, whose places mean nothing.
    """

    panel: Panel
    closed: np.ndarray
    observed: np.ndarray
    regular: np.ndarray
    zeros: np.ndarray
    negatives: np.ndarray
    fractions: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    means: np.ndarray
    gaps: Stretches
    constants: Stretches
    outliers: Outliers

    @property
    def lengths(self) -> np.ndarray:
        """Steps from the first to the last that may be seen."""
        return self.panel.lengths

    @property
    def due(self) -> np.ndarray:
        """Steps that can have a target."""
        return np.asarray(self.lengths - self.closed)

    @property
    def missing(self) -> np.ndarray:
        """Steps of these without a target."""
        return np.asarray(self.due - self.observed)

    @property
    def constant(self) -> np.ndarray:
        """Whether a series has one value only."""
        return np.asarray(self.lowest == self.highest)

    @property
    def regularity(self) -> float:
        """Share of the steps from one observed target to the next that are one tick; 1 where there is no step."""
        steps = int(np.maximum(self.observed - 1, 0).sum())
        return float(self.regular.sum() / steps) if steps else 1.0

    @cached_property
    def cycles(self) -> Cycles:
        """What the autocorrelation shows."""
        return find_cycles(self.panel)

    def stamp(self, series: int, step: int) -> Any:
        """The time stamp of a step of a series."""
        return self.panel.stamps(self.panel.first[series] + np.array([step]))[0]

    def trouble(self) -> np.ndarray:
        """How odd each series is: the share of its steps that are missing, outliers or in its longest equal run."""
        outlying = np.bincount(self.outliers.series, minlength=len(self.panel))
        equal = self.constants.longest_by_series(len(self.panel))
        return np.asarray((self.missing + outlying + np.where(equal >= 10, equal, 0)) / self.lengths)


def take_account(panel: Panel) -> Account:
    """Counts what is in a panel's targets.

    Example:
        >>> import pandas as pd
        >>> from forecaster.series import panel_from_frame
        >>> days = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-06", "2024-01-07"])
        >>> account = take_account(panel_from_frame(pd.DataFrame({"ds": days, "y": [1.0, 1.0, 0.0, -2.5, 3.0]})))
        >>> account.missing.tolist(), account.zeros.tolist(), account.regularity
        ([2], [1], 0.75)
    """
    values, offsets = visible(panel)
    starts, closed = offsets[:-1], closed_steps(panel)
    seen = np.isfinite(values)
    follows = seen.copy()
    follows[~closed] &= np.roll(seen[~closed], 1)
    follows[starts] = False

    def count(marked: np.ndarray) -> np.ndarray:
        return np.asarray(np.add.reduceat(marked, starts, dtype=np.int64))

    observed = count(seen)
    return Account(
        panel=panel,
        closed=count(closed),
        observed=observed,
        regular=count(follows),
        zeros=count(values == 0),
        negatives=count(values < 0),
        fractions=count(seen & (values != np.rint(values))),
        lowest=np.fmin.reduceat(values, starts),
        highest=np.fmax.reduceat(values, starts),
        means=np.add.reduceat(np.where(seen, values, 0), starts, dtype=np.float64) / observed,
        gaps=missing_stretches(np.where(closed, 0.0, values), offsets),
        constants=equal_stretches(values, offsets),
        outliers=no_outliers() if panel.symbols else find_outliers(values, offsets),
    )
