"""Forecasts from windows, by any function from raw inputs to raw quantiles: a network or a SavedModel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from forecaster.errors import DataError
from forecaster.series import Panel, Windows

__all__ = ["GIVE_KNOWN", "check_counts", "check_transform", "history_read", "quantiles_in_batches"]

GIVE_KNOWN = "add these rows to the data, or give them apart (--known FILE, or `known` in a request to a server)"
"""What to do where known covariates do not reach far enough."""
BATCH = 512
SAMPLED_BATCH = 32
"""Windows at once where each is forecast by some hundred paths."""


def quantiles_in_batches(
    call: Callable[[dict[str, np.ndarray]], np.ndarray], windows: Windows, seed: int | None = None
) -> np.ndarray:
    """Runs windows through `call`, a few hundred at a time, or fewer where paths are sampled.

    Args:
        call: From raw inputs by name to raw quantiles.
        windows: To forecast.
        seed: Of a network that samples, which reads it as an input; the same one for every window.

    Returns:
        Raw quantiles, shape (windows, horizon, quantiles).

    Raises:
        DataError: A known covariate does not reach over the horizon; names series, column and stamps.
    """
    parts = []
    size = BATCH if seed is None else SAMPLED_BATCH
    for start in range(0, len(windows), size):
        chosen = slice(start, start + size)
        batch = windows.gather(chosen)
        _check_known(batch.known, windows, start)
        sampling = {} if seed is None else {"seed": np.full(len(batch.past), seed, np.int32)}
        parts.append(np.asarray(call({**batch.inputs, **sampling})))
    return np.concatenate(parts)


def _check_known(known: np.ndarray, windows: Windows, start: int) -> None:
    absent = np.isnan(known)
    if not absent.any():
        return
    window, _, column = np.argwhere(absent)[0]
    panel, series = windows.panel, int(windows.locate(np.array([start + window]))[0][0])
    steps = np.flatnonzero(absent[window, :, column])
    stamps = panel.stamps(panel.last[series] + 1 + steps)
    more = f" and {len(stamps) - 3} more" if len(stamps) > 3 else ""
    raise DataError(
        f"known covariate {panel.known_inputs[column]!r} of series {panel.ids[series]!r} has no value at "
        f"{', '.join(str(stamp) for stamp in stamps[:3])}{more}; it must reach over the horizon of {windows.horizon} "
        f"steps: {GIVE_KNOWN}"
    )


def history_read(panel: Panel, streaming: Mapping[str, Any], lookback: int) -> int:
    """Steps before the cutoff that a network reads: its lookback, or whole series where its state is carried."""
    return int(panel.lengths.max()) if streaming else lookback


def check_transform(panel: Panel, transform: str) -> None:
    """Refuses logarithms of values that have none.

    Raises:
        DataError: Names series, time and value.
    """
    if transform not in ("log", "log_return"):
        return
    for series in range(len(panel)):
        history = panel.history(series)
        if (bad := np.flatnonzero(history <= 0)).size:
            stamp = panel.stamps(panel.first[series : series + 1] + bad[:1])[0]
            raise DataError(
                f"transform: {transform} needs values above zero, but series {panel.ids[series]!r} has "
                f"{history[bad[0]]:g} at {stamp}; write `transform: none` or `difference`"
            )


def check_support(panel: Panel, support: str, model: str) -> None:
    """Refuses values that a model file says there are none of: below zero, or not whole.

    Raises:
        DataError: Names series, time and value.
    """
    if support not in ("nonnegative", "whole"):
        return
    outside = (panel.target < 0) | ((panel.target % 1 != 0) & (support == "whole"))
    bad = np.flatnonzero(np.isfinite(panel.target) & outside)
    if bad.size:
        series, stamp = _place(panel, int(bad[0]))
        raise DataError(
            f"{model}: support: {support} has no such value as {panel.target[bad[0]]:g}, which series {series!r} has "
            f"at {stamp}; write support: real, or leave it out"
        )


def _place(panel: Panel, row: int) -> tuple[str, Any]:
    """Series and time stamp of a row."""
    series = int(np.searchsorted(panel.offsets, row, side="right")) - 1
    return panel.ids[series], panel.stamps(panel.first[series : series + 1] + row - panel.offsets[series])[0]


def check_counts(panel: Panel, model: str) -> None:
    """Refuses what is no count.

    Raises:
        DataError: Names series, time and value.
    """
    bad = np.flatnonzero(np.isfinite(panel.target) & ((panel.target < 0) | (panel.target % 1 != 0)))
    if bad.size:
        series, stamp = _place(panel, int(bad[0]))
        raise DataError(
            f"{model}: head: negative_binomial is for counts, whole numbers from 0 on, but series "
            f"{series!r} has {panel.target[bad[0]]:g} at {stamp}; write head: student_t or quantiles"
        )
