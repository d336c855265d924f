"""The forecast frame of symbols: the likeliest ones with their probabilities, instead of intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd

from forecaster.forecasting.protocol import dated
from forecaster.series import Panel

__all__ = ["TOP", "SymbolForecasting", "symbol_frame"]

TOP = 3
"""Symbols that a forecast names."""


@runtime_checkable
class SymbolForecasting(Protocol):
    """Anything that is fitted on a panel of symbols and says how likely each is to come.

    Attributes:
        name: Its column in the forecast frame.
        horizon: Time steps that it forecasts.
        vocabulary: The symbols that it knows, the unknown one first.
    """

    name: str
    horizon: int

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """See the class."""

    def fit(self, panel: Panel) -> Self:
        """Learns from all that may be seen of the panel."""

    def probabilities(self, panel: Panel) -> np.ndarray:
        """Of every symbol at every step behind the end of every series; (series, horizon, symbols)."""


def symbol_frame(
    panel: Panel,
    model: str,
    probabilities: np.ndarray,
    vocabulary: Sequence[str],
    start: int | None = None,
    top: int = TOP,
) -> pd.DataFrame:
    """Lays forecasts of symbols out.

    Args:
        panel: Whose ends are the cutoffs.
        model: Name of the model.
        probabilities: Shape (series, horizon, symbols).
        vocabulary: Names of the symbols, the unknown one first.
        start: Tick of the first row of every series; the step behind its cutoff by default.
        top: Symbols to name at most.

    Returns:
        unique_id, ds, cutoff, `<model>` (the likeliest symbol) and `<model>-p` (its probability), `<model>-2` and
        `<model>-2-p` (the second), …; a row for every series and step.
    """
    _, horizon, size = probabilities.shape
    columns: dict[str, np.ndarray] = {}
    flat, names = probabilities.reshape(-1, size), np.asarray(vocabulary, dtype=object)
    order = np.argsort(-flat, axis=1, kind="stable")[:, :top]
    for place in range(order.shape[1]):
        label = model if place == 0 else f"{model}-{place + 1}"
        columns[label] = names[order[:, place]]
        columns[f"{label}-p"] = np.take_along_axis(flat, order[:, place : place + 1], axis=1)[:, 0]
    return dated(panel, columns, horizon, start)
