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
FEW = 0.01
"""Share of a series' values that 32 bits need not hold exactly."""
NOISE = 1e-12
"""Share of a value under which a change is itself rounding, of 64-bit numbers."""


def note_rounding(exact: np.ndarray, series: np.ndarray, names: np.ndarray, table: RawTable) -> None:
    """Compares the changes of each series with the distance of neighbouring 32-bit numbers at its level.

    A meter that stands at twenty million and moves by half a unit an hour becomes stairs.

    Args:
        exact: The target as 64-bit numbers, in the order of series and time, NaN where missing; shape (rows,).
        series: Number of the series of each row, in order.
        names: Of the series.
        table: Its notes say of the series that suffers most what is lost, if it is much; under `TOO_COARSE` where
            of every series that changes nearly all is.
    """
    if (absent := np.isnan(exact)).any():
        exact, series = exact[~absent], series[~absent]
    if not len(exact):
        return
    starts = np.flatnonzero(np.diff(series, prepend=-1))
    sizes = np.abs(exact)
    changes = np.abs(np.diff(exact, prepend=exact[0]))
    changes[starts] = 0.0
    moved = changes > NOISE * sizes
    counts = np.add.reduceat(moved, starts, dtype=np.int64)
    mean = np.add.reduceat(np.where(moved, changes, 0.0), starts) / np.maximum(counts, 1)
    rows = np.diff(starts, append=len(exact))
    size = np.add.reduceat(sizes, starts) / rows
    grid = np.spacing(size.astype(np.float32)).astype(np.float64)
    lost = np.add.reduceat(exact != exact.astype(np.float32), starts, dtype=np.int64) > FEW * rows
    steps = np.where(lost & (counts > 1), mean / grid, np.inf)
    worst = int(steps.argmin())
    if steps[worst] >= ENOUGH:
        return
    told = (
        f"series {names[series[starts[worst]]]!r} changes by {mean[worst]:.3g} from row to row on average, and 32-bit "
        f"numbers near {size[worst]:,.8g} are {grid[worst]:.3g} apart"
    )
    remedy = "subtract a constant from its values, or give its changes"
    if (steps[counts > 1] < LEAST).all():
        table.notes[TOO_COARSE] = f"{told}: too coarse to learn from and to judge by; {remedy}"
    else:
        many = f" (the worst of {int((steps < ENOUGH).sum()):,} such)" if len(steps) > 1 else ""
        table.notes["rounding"] = f"{told}{many}; to lose less, {remedy}"
