"""Wide tables, a column a series, made long."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecaster.errors import DataError
from forecaster.series.columns import Columns
from forecaster.series.rawtable import RawTable

__all__ = ["long_table"]


def long_table(cells: pd.DataFrame, columns: Columns, source: str, first_row: int = 0) -> tuple[pd.DataFrame, Columns]:
    """A table with a column of time stamps and one for each series, as a long one.

    Known covariates are columns that hold for all series. Rows keep their labels.

    Args:
        cells: The table.
        columns: Its time, known and ignored columns; all others are series, called by their column.
        source: What errors call the table.
        first_row: What errors call the row with the label 0.

    Returns:
        The long table, and which of its columns plays which part.

    Raises:
        DataError: Parts that a wide table cannot have, no column of a series, or a cell that is no number.

    Example:
        >>> table = pd.DataFrame({"ds": ["2024-01-01", "2024-01-02"], "north": [1.0, 2.0], "south": [3.0, 4.0]})
        >>> long_table(table, Columns(), "a.csv")[0]["y"].tolist()
        [1.0, 2.0, 3.0, 4.0]
    """
    if columns.id or columns.past or columns.static:
        raise DataError(
            f"{source}: a wide table has a column a series, so neither `id` nor `past` nor `static` can be told; leave "
            "them out, or write the table in long form"
        )
    cells = cells.set_axis([str(name) for name in cells.columns], axis=1)
    shared = [columns.time, *columns.known]
    series = [name for name in cells.columns if name not in {*shared, *columns.ignore}]
    if not series:
        raise DataError(f"{source}: no column of a series besides {', '.join(shared)}; a wide table has one for each")
    Columns(None, columns.time, series[0], (), columns.known, (), [*columns.ignore, *series[1:]]).check(
        list(cells.columns), source
    )
    name, target = _free("unique_id", shared), _free("y", shared)
    numbers = _numbers(cells, series, source, first_row)
    long = pd.concat([cells[shared].assign(**{target: numbers[one]}) for one in series])
    long[name] = pd.Categorical.from_codes(np.repeat(np.arange(len(series)), len(cells)), pd.Index(series))
    return long, Columns(name, columns.time, target, known=columns.known)


def _numbers(cells: pd.DataFrame, series: Sequence[str], source: str, first_row: int) -> pd.DataFrame:
    """All series as numbers, judged while a column still has its own name."""
    table = RawTable(cells, Columns(), source, first_row)
    return pd.DataFrame({one: table.exact(one) for one in series}, index=cells.index)


def _free(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name += "_"
    return name
