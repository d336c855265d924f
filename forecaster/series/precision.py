"""Whether 32-bit numbers are fine enough for a target: it is kept as such, and networks reckon with such."""

from __future__ import annotations

import numpy as np

from forecaster.series.rawtable import RawTable

__all__ = ["TOO_COARSE", "note_rounding"]

TOO_COARSE = "too coarse"
"""Name of the note of data that nothing can be learnt from."""

LEAST = 2.0
"""Steps of the 32-bit grid that a change must have on average."""
ENOUGH = 32.0
"""From so many on rounding costs less than a hundredth of a change, and nothing is said of it."""
NOISE = 1e-12
"""Share of a value under which a change is itself rounding, of 64-bit numbers."""


def note_rounding(exact: np.ndarray, series: np.ndarray, names: np.ndarray, table: RawTable) -> None:
    """Compares the changes of each series with the distance of neighbouring 32-bit numbers at its level.

    A meter that stands at twenty million and moves by half a unit an hour becomes stairs.

    Args:
        exact: The target as 64-bit numbers, in the order of series and time, NaN where missing; shape (rows,).
        series: Number of the series of each row, in order.
        names: Of the series.
        table: Its notes say of the series that suffers most what is lost, if it is much; under `TOO_COARSE` where it
            is nearly all.
    """
    there = np.isfinite(exact)
    values, numbers = exact[there], series[there]
    changes = np.where(numbers[1:] == numbers[:-1], np.abs(np.diff(values)), 0.0)
    moved = changes > NOISE * np.abs(values[1:])
    counts = np.bincount(numbers[1:][moved], minlength=len(names))
    mean = np.bincount(numbers[1:][moved], changes[moved], len(names)) / np.maximum(counts, 1)
    size = np.bincount(numbers, np.abs(values), len(names)) / np.maximum(np.bincount(numbers, minlength=len(names)), 1)
    grid = np.spacing(size.astype(np.float32)).astype(np.float64)
    steps = np.where(counts > 1, mean / grid, np.inf)
    worst = int(steps.argmin()) if len(steps) else 0
    if not len(steps) or steps[worst] >= ENOUGH:
        return
    column = table.columns.target
    told = (
        f"series {names[worst]!r} changes by {mean[worst]:.3g} from row to row on average, and 32-bit numbers near "
        f"{size[worst]:,.0f} are {grid[worst]:.3g} apart"
    )
    remedy = f"subtract a constant from {column}, or give its changes"
    if steps[worst] < LEAST:
        table.notes[TOO_COARSE] = f"{told}: too coarse to learn from and to judge by; {remedy}"
    else:
        table.notes["rounding"] = f"{told}; to lose less, {remedy}"
