"""Groups of series: which there are in a file, and the rows of one of them.

The hash is CRC-32 of the id's UTF-8 bytes, modulo the number of groups: the same on every machine and in every version.
"""

from __future__ import annotations

import zlib

import numpy as np

from forecaster.config.groups import GroupsDefinition
from forecaster.errors import DataError
from forecaster.series.coded import Coded
from forecaster.series.rawtable import RawTable

__all__ = ["count_groups", "keep_group"]


def _labels(table: RawTable, groups: GroupsDefinition) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The group of every series.

    Args:
        table: The raw table, its columns checked.
        groups: How series are split.

    Returns:
        The series of each row by number, shape (rows,), the names of the series and the labels of their groups,
        both of shape (series,).

    Raises:
        DataError: A row without a label, or a series with two.
    """
    series, names = table.ids()
    if groups.hash:
        return series, names, np.array([str(zlib.crc32(str(name).encode()) % groups.hash) for name in names], object)
    column = str(groups.by)
    cells = table.frame[column]
    absent = cells.isna().to_numpy()
    if absent.any():
        raise DataError(f"{table.cell(int(np.argmax(absent)), column)}: empty; write the group of the series")
    coded = Coded.of(cells)
    first = np.full(len(names), -1, np.int64)
    first[series[::-1]] = np.arange(len(series))[::-1]
    other = coded.codes != coded.codes[first][series]
    if other.any():
        place = int(np.argmax(other))
        raise DataError(
            f"{table.cell(place, column)}: series {names[series[place]]!r} is in group {table.shown(place, column)} "
            f"here and in {table.shown(int(first[series[place]]), column)} before; a series is in one group"
        )
    words = coded.values.astype(str).to_numpy(dtype=object)
    return series, names, words[coded.codes[first]]


def count_groups(table: RawTable, groups: GroupsDefinition) -> dict[str, int]:
    """The labels of the groups that have any series, in order, and how many."""
    labels, counts = np.unique(_labels(table, groups)[2].astype(str), return_counts=True)
    found = dict(zip(labels.tolist(), counts.tolist(), strict=True))
    return {label: found[label] for label in sorted(found, key=lambda one: (len(one) if groups.hash else 0, one))}


def keep_group(table: RawTable, groups: GroupsDefinition) -> None:
    """Leaves only the rows of one group in a table; they keep their labels.

    Args:
        table: The raw table, its columns checked.
        groups: How series are split; without `only` all stay.

    Raises:
        DataError: No series is in that group, a row is without a label, or a series has two.
    """
    series, names, labels = _labels(table, groups)
    inside = labels == groups.only if groups.only is not None else np.ones(len(labels), bool)
    if not inside.any():
        raise DataError(f"{table.source}: no series is in group {groups.only!r}; {_known(labels)}")
    how = f"by {groups.by}" if groups.by else f"by a hash of their ids, {groups.hash} groups"
    if groups.only is None:
        table.notes["groups"] = f"{len(set(labels)):,} groups {how}"
        return
    table.notes["group"] = f"{groups.only} ({int(inside.sum()):,} of {len(names):,} series, {how})"
    table.frame = table.frame[inside[series]]


def _known(labels: np.ndarray) -> str:
    known = sorted(set(labels))
    return f"the groups are {', '.join(known[:8])}{', …' if len(known) > 8 else ''}"
