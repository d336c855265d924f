"""The raw table: cells as they came, read with errors that name row, column and remedy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from forecaster.errors import DataError
from forecaster.series.coded import Coded
from forecaster.series.columns import Columns

__all__ = ["RawTable"]

LARGEST = 1e17
"""Size of a number that is still let in: squares of such, summed over thousands of steps, are finite in 32 bits."""


@dataclass
class RawTable:
    """A table at the door.

    Args:
        frame: The cells.
        columns: Which column plays which part.
        source: What errors call the table.
        first_row: What errors call the row with the label 0.
        notes: What was found and done, to be told to the user.
    """

    frame: pd.DataFrame
    columns: Columns
    source: str
    first_row: int
    notes: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Compares the columns with the declared ones.

        Raises:
            DataError: They differ, or there are no rows.
        """
        self.frame = self.frame.set_axis([str(name) for name in self.frame.columns], axis=1)
        self.columns.check(list(self.frame.columns), self.source)
        if self.frame.empty:
            raise DataError(f"{self.source}: no rows; give a table with data below its header")

    def row(self, position: int) -> str:
        """What to call a row in a message: by its label in the frame."""
        label = self.frame.index[position]
        return f"{self.source}, row {label + self.first_row if isinstance(label, int | np.integer) else label}"

    def cell(self, position: int, column: str) -> str:
        """A row and column, for a message."""
        return f"{self.row(position)}, column {column!r}"

    def shown(self, position: int, column: str) -> str:
        """The content of a cell, for a message: text in quotes."""
        content = self.frame[column].iloc[position]
        return repr(content) if isinstance(content, str) else str(content)

    def ids(self) -> tuple[np.ndarray, np.ndarray]:
        """The series of each row by number, and the names of the series in order.

        Raises:
            DataError: A row without one.
        """
        column = self.columns.id
        if column is None:
            return np.zeros(len(self.frame), np.int64), np.array([self.columns.target], dtype=object)
        cells = self.frame[column]
        absent = cells.isna().to_numpy()
        if absent.any():
            raise DataError(f"{self.cell(int(np.argmax(absent)), column)}: empty; name the series")
        coded = Coded.of(cells)
        words = coded.values.astype(str)
        if (empty := words.str.strip() == "").any():
            raise DataError(f"{self.cell(coded.first(empty), column)}: empty; name the series")
        numbers, names = pd.factorize(words.to_numpy(dtype=object), sort=True)
        return numbers.astype(np.int32)[coded.codes], np.asarray(names, dtype=object)

    def numbers(self, column: str, exact: np.ndarray) -> np.ndarray:
        """One column as float32.

        Args:
            column: Its name.
            exact: What `exact` gives, in any order.
        """
        with np.errstate(under="ignore"):
            values = exact.astype(np.float32)
        if small := int(np.count_nonzero(exact) - np.count_nonzero(values)):
            self.notes[f"too small in {column}"] = f"{small:,} values are 0 as 32-bit numbers; rescale if that matters"
        return values

    def exact(self, column: str) -> np.ndarray:
        """One column as float64, NaN where a cell is empty.

        Raises:
            DataError: Something that is no number, or is too large: see `LARGEST`.
        """
        cells = self.frame[column]
        if not pd.api.types.is_numeric_dtype(cells):
            cells = self._parsed(cells, column)
        exact = cells.to_numpy(np.float64, na_value=np.nan)
        if (large := np.abs(exact) > LARGEST).any():
            place = int(np.argmax(large))
            raise DataError(
                f"{self.cell(place, column)}: {self.shown(place, column)} is infinite or above {LARGEST:g} in size, "
                "too large for 32-bit numbers to reckon with; leave it empty if it is missing, or rescale the column"
            )
        return exact

    def _parsed(self, cells: pd.Series[Any], column: str) -> pd.Series[Any]:
        cells = cells.astype(object)
        numbers = pd.to_numeric(cells, errors="coerce")
        wrong = numbers.isna() & cells.notna() & (cells.astype(str).str.strip() != "")
        if wrong.any():
            place = int(np.flatnonzero(wrong)[0])
            words = "; covariates are numbers: code words, as 0 and 1" if column in self.columns.covariates else ""
            if column == self.columns.target and str(cells.iloc[place]).strip()[:1].isalpha():
                words = "; a column of names that recur is forecast by `kind: symbols`"
            raise DataError(
                f"{self.cell(place, column)}: {self.shown(place, column)} is not a number; "
                "write it with a decimal point and without thousands separators (or tell `decimal:` and `thousands:`), "
                f"or leave it empty if it is missing{words}"
            )
        return numbers
