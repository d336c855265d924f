"""The forecast frame of symbols: the likeliest ones with their probabilities, instead of intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd

from forecaster.forecasting.protocol import dated
from forecaster.series import Panel

__all__ = ["TOP", "Streaming", "SymbolForecasting", "name_likeliest", "symbol_frame"]

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


@runtime_checkable
class Streaming(SymbolForecasting, Protocol):
    """One that goes through a series once and says at every step what comes next, instead of one cutoff at a time."""

    def streams(self, panel: Panel) -> bool:
        """Whether it does so for this panel."""

    def following(self, panel: Panel, series: int, first: int, stop: int) -> Iterator[np.ndarray]:
        """What comes behind each of some steps of a series, given the steps up to it and nothing later.

        Args:
            panel: All data.
            series: Number of the series.
            first: Place of the first of the steps in the series' history.
            stop: One behind the last.

        Yields:
            Probabilities of some of these steps after the others, shape (steps, symbols).
        """


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
    return dated(panel, name_likeliest(model, probabilities.reshape(-1, size), vocabulary, top), horizon, start)


def name_likeliest(
    model: str, probabilities: np.ndarray, vocabulary: Sequence[str], top: int = TOP
) -> dict[str, np.ndarray]:
    """The columns of `symbol_frame` that name symbols, from probabilities (rows, symbols)."""
    names, columns = np.asarray(vocabulary, dtype=object), {}
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    for place in range(order.shape[1]):
        label = model if place == 0 else f"{model}-{place + 1}"
        columns[label] = names[order[:, place]]
        columns[f"{label}-p"] = np.take_along_axis(probabilities, order[:, place : place + 1], axis=1)[:, 0]
    return columns
