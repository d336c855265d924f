"""Whether 32-bit numbers are fine enough for a column: it is kept as such, and networks reckon with such."""

from __future__ import annotations

import numpy as np

from forecaster.series.rawtable import RawTable

__all__ = ["TOO_COARSE", "differ", "noise", "note_merged", "note_rounding"]

TOO_COARSE = "too coarse"
"""Name of the note of data that nothing can be learnt from."""

LEAST = 2.0
"""Steps of the 32-bit grid that a change must have on average."""
ENOUGH = 32.0
"""From so many on rounding costs less than a hundredth of a change, and nothing is said of it."""
FEW = 0.01
"""Share of the values of a series, or of those that series have, that 32 bits need not hold exactly."""
NOISE = 64.0
"""Steps of the 64-bit grid under which a change is itself rounding."""
SMALLEST = 1e-14
"""Size that the largest number of a series has at least, unless all are 0: the square of a hundred-thousandth of it is
not 0 in 32 bits."""


def noise(sizes: np.ndarray) -> np.ndarray:
    """From which difference on numbers of these sizes differ by more than rounding; whole numbers always do.

    Example:
        >>> noise(np.array([1e13, 100.0])).round(15).tolist()
        [0.125, 9.09e-13]
    """
    return np.asarray(np.minimum(NOISE * np.spacing(np.abs(sizes)), 1.0))


def differ(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether numbers differ by more than rounding, of 64 bits or, unless both are whole, of 32; NaN is another one.

    Example:
        >>> some = np.array([0.1 + 0.2, np.float32(0.1), 1e9, np.nan, np.nan])
        >>> differ(some, np.array([0.3, 0.1, 1e9 + 10, np.nan, 1.0])).tolist()
        [False, False, True, False, True]
    """
    apart = np.abs(some - others) >= noise(np.fmax(np.abs(some), np.abs(others)))
    whole = (some == np.rint(some)) & (others == np.rint(others))
    told = whole | (some.astype(np.float32) != others.astype(np.float32))
    return np.asarray((apart & told) | (np.isnan(some) != np.isnan(others)))


def note_rounding(exact: np.ndarray, series: np.ndarray, names: np.ndarray, column: str, table: RawTable) -> None:
    """Compares the changes of each series with the distance of neighbouring 32-bit numbers at its level.

    A meter that stands at twenty million and moves by half a unit an hour becomes stairs.

    Args:
        exact: The column as 64-bit numbers, in the order of series and time, NaN where missing; shape (rows,).
        series: Number of the series of each row, in order.
        names: Of the series.
        column: Its name.
        table: Its notes say of the series that suffers most what is lost, if it is much, and which are too small to
            reckon with; of a target under `TOO_COARSE` where that holds of every series that changes.
    """
    if (absent := np.isnan(exact)).any():
        exact, series = exact[~absent], series[~absent]
    if not (rounded := exact != exact.astype(np.float32)).any():
        return
    starts = np.flatnonzero(np.diff(series, prepend=-1))
    rows = np.diff(starts, append=len(exact))
    sizes = np.abs(exact)
    largest = np.maximum.reduceat(sizes, starts)
    lost = np.add.reduceat(rounded, starts, dtype=np.int64) > FEW * rows
    counts, mean = _changes(exact, starts, np.repeat(noise(largest), rows))
    size = np.add.reduceat(sizes, starts) / rows
    grid = np.spacing(size.astype(np.float32)).astype(np.float64)
    steps = np.where(lost & (counts > 1), mean / grid, np.inf)
    target = column == table.columns.target
    of, whose = ("", "") if target else (f" in {column}", f"{column!r} of ")
    small = TOO_COARSE if target and largest.max() < SMALLEST else f"too small{of}"
    _note_tiny(largest, names[series[starts]], small, table)
    worst = int(steps.argmin())
    if steps[worst] >= ENOUGH:
        return
    told = (
        f"{whose}series {names[series[starts[worst]]]!r} changes by {mean[worst]:.3g} from row to row on average, and "
        f"32-bit numbers near {size[worst]:,.8g} are {grid[worst]:.3g} apart"
    )
    remedy = "subtract a constant from its values, or give its changes"
    if target and (steps[counts > 1] < LEAST).all():
        table.notes[TOO_COARSE] = f"{told}: too coarse to learn from and to judge by; {remedy}"
    else:
        many = f" (the worst of {int((steps < ENOUGH).sum()):,} such)" if len(steps) > 1 else ""
        table.notes[f"rounding{of}"] = f"{told}{many}; to lose less, {remedy}"


def _changes(exact: np.ndarray, starts: np.ndarray, least: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often each series changes from row to row by more than rounding, and by how much on average."""
    changes = np.abs(np.diff(exact, prepend=exact[0]))
    changes[starts] = 0.0
    moved = changes >= least
    counts = np.add.reduceat(moved, starts, dtype=np.int64)
    return counts, np.add.reduceat(np.where(moved, changes, 0.0), starts) / np.maximum(counts, 1)


def _note_tiny(largest: np.ndarray, names: np.ndarray, note: str, table: RawTable) -> None:
    tiny = np.flatnonzero((largest > 0) & (largest < SMALLEST))
    if len(tiny):
        many = f" (one of {len(tiny):,} such)" if len(tiny) > 1 else ""
        table.notes[note] = (
            f"series {names[tiny[0]]!r}{many} has no value above {largest[tiny[0]]:g} in size, too small for 32-bit "
            "numbers to reckon with; multiply it (another unit), unless it means 0"
        )


def note_merged(exact: np.ndarray, column: str, table: RawTable) -> None:
    """Notes values that differ from series to series, but not as 32-bit numbers, if they are more than a few.

    Args:
        exact: A static column as 64-bit numbers, NaN where missing; shape (series,).
        column: Its name.
        table: For the note.
    """
    told = np.unique(exact[np.isfinite(exact)])
    equal = np.flatnonzero((np.diff(told.astype(np.float32)) == 0) & (np.diff(told) >= noise(told[1:])))
    if len(equal) > FEW * len(told):
        one, other = told[equal[0]], told[equal[0] + 1]
        table.notes[f"rounding in {column}"] = (
            f"{one:.16g} and {other:.16g} are equal as 32-bit numbers; subtract a constant from the column, or number "
            "its values from 1 on"
        )
