"""Forecasts from windows, by any function from raw inputs to raw quantiles: a network or a SavedModel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from forecaster.errors import DataError
from forecaster.series import Panel, Windows, foreseen
from forecaster.series.stamps import say_stamp
from forecaster.words import plural

__all__ = [
    "GIVE_KNOWN", "check_counts", "check_support", "check_transform", "first_unforeseen", "history_read",
    "quantiles_in_batches", "refuse_unforeseen",
]  # fmt: skip

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
        windows: To forecast: one a series, from its end.
        seed: Of a network that samples, which reads it as an input; the same one for every window.

    Returns:
        Raw quantiles, shape (windows, horizon, quantiles).

    Raises:
        DataError: A known covariate does not reach over the horizon; names series, column and stamps.
    """
    refuse_unforeseen(windows.panel, windows.panel.last + windows.horizon)
    parts = []
    size = BATCH if seed is None else SAMPLED_BATCH
    for start in range(0, len(windows), size):
        chosen = slice(start, start + size)
        batch = windows.gather(chosen)
        sampling = {} if seed is None else {"seed": np.full(len(batch.past), seed, np.int32)}
        parts.append(np.asarray(call({**batch.inputs, **sampling})))
    return np.concatenate(parts)


def refuse_unforeseen(panel: Panel, until: np.ndarray) -> None:
    """Refuses a panel whose known covariates do not reach over what is to be forecast.

    Args:
        panel: What is to be forecast, each series from its end.
        until: Tick of the last step of each series that is to be forecast; shape (series,).

    Raises:
        DataError: Names the first such series and column, the stamps without a value, and how far they must reach.
    """
    short = np.flatnonzero(~foreseen(panel, panel.last, until))
    if not short.size:
        return
    one = int(short[0])
    column, ticks = first_unforeseen(panel, one, int(panel.last[one]), int(until[one]))
    stamps = [say_stamp(stamp) for stamp in panel.stamps(np.array([*ticks[:3], panel.last[one], until[one]]))]
    more = f" and {len(ticks) - 3:,} more" if len(ticks) > 3 else ""
    steps = plural(int(until[one] - panel.last[one]), "step")
    raise DataError(
        f"known covariate {column!r} of series {panel.ids[one]!r} has no value at {', '.join(stamps[:-2])}{more}; it "
        f"must reach over the {steps} behind {stamps[-2]}, to {stamps[-1]}: {GIVE_KNOWN}"
    )


def first_unforeseen(panel: Panel, series: int, after: int, until: int) -> tuple[str, np.ndarray]:
    """The first known covariate that a series lacks between two ticks, and those (the last inclusive) without a value.

    Args:
        panel: The panel.
        series: Number of one that `foreseen` says no of.
        after: As there.
        until: As there.
    """
    coming = np.full((until - after, len(panel.known)), np.nan, np.float32)
    begin = int(panel.offsets[series] + after + 1 - panel.first[series])
    rows = panel.values[begin : panel.offsets[series + 1], panel.known_columns][: len(coming)]
    coming[: len(rows)] = rows
    absent = np.isnan(coming)
    column = int(absent[absent.any(axis=1).argmax()].argmax())
    return panel.known[column], after + 1 + np.flatnonzero(absent[:, column])


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
