"""Fewer points that look the same: even picks, picks by chance, and min/max binning."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["by_chance", "evenly", "min_max", "missing_runs"]

Item = TypeVar("Item")


def evenly(items: Sequence[Item], at_most: int) -> list[Item]:
    """At most so many of the items, spread evenly, the first and the last among them.

    Example:
        >>> evenly([0, 1, 2, 3, 4, 5, 6], 3)
        [0, 3, 6]
        >>> evenly([7, 8], 3)
        [7, 8]
    """
    if len(items) <= at_most:
        return list(items)
    places = np.linspace(0, len(items) - 1, max(at_most, 1)).round().astype(int)
    return [items[place] for place in places.tolist()]


def by_chance(count: int, at_most: int) -> npt.NDArray[np.intp]:
    """Places of at most so many of `count` items: one by chance, always the same, of each of `at_most` equal parts.

    Even picks of what comes in turn would all be the same thing.

    Example:
        >>> places = by_chance(1000, 100)
        >>> sorted(set((places % 10).tolist())), bool((places // 10 == np.arange(100)).all())
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], True)
    """
    if count <= at_most:
        return np.arange(count)
    edges = np.linspace(0, count, at_most + 1).astype(np.intp)
    return np.random.default_rng(0).integers(edges[:-1], edges[1:])


def min_max(values: npt.NDArray[np.float64], at_most: int) -> npt.NDArray[np.intp]:
    """Places of the lowest and the highest value of each of `at_most / 2` bins, so that no spike is lost.

    A bin that holds no value at all keeps its first place: the line breaks there as it should.

    Args:
        values: (steps,), NaN where missing.
        at_most: How many places to keep.

    Returns:
        Places in ascending order; all of them if there are few enough.

    Example:
        >>> min_max(np.array([0.0, 9.0, 1.0, 1.0, -5.0, 2.0, 2.0, 2.0]), 4).tolist()
        [0, 1, 4, 5]
    """
    if len(values) <= at_most:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), at_most // 2 + 1).astype(int)
    kept: list[int] = []
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        inside = values[start:stop]
        if np.isnan(inside).all():
            kept.append(start)
        else:
            kept += sorted({start + int(np.nanargmin(inside)), start + int(np.nanargmax(inside))})
    return np.asarray(kept, dtype=np.intp)


def missing_runs(values: npt.NDArray[np.float64], within: int = 0) -> list[tuple[int, int]]:
    """First and last place, inclusive, of each run of missing values.

    Args:
        values: (steps,), NaN where missing.
        within: Runs with at most so many values between them count as one (for drawing only).

    Example:
        >>> missing_runs(np.array([1.0, np.nan, np.nan, 2.0, np.nan]))
        [(1, 2), (4, 4)]
        >>> missing_runs(np.array([1.0, np.nan, np.nan, 2.0, np.nan]), within=1)
        [(1, 4)]
    """
    places = np.flatnonzero(np.isnan(values))
    if not len(places):
        return []
    breaks = np.flatnonzero(np.diff(places) > within + 1)
    firsts = places[np.r_[0, breaks + 1]]
    lasts = places[np.r_[breaks, len(places) - 1]]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))
