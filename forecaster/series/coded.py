"""A column by its different values: each is looked at once, however many rows have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["Coded"]


@dataclass(frozen=True)
class Coded:
    """A column without missing values, as numbers of its different values.

    Attributes:
        codes: Number of the value of each row; shape (rows,).
        values: The different values.
    """

    codes: np.ndarray
    values: pd.Series[Any]

    @classmethod
    def of(cls, cells: pd.Series[Any]) -> Coded:
        """A column by its different values; those of other types than numbers and dates are compared as text.

        Example:
            >>> Coded.of(pd.Series(["b", "a", "b"])).codes.tolist()
            [0, 1, 0]
        """
        if isinstance(cells.dtype, pd.CategoricalDtype):
            categories = pd.Series(cells.cat.categories)
            used = np.bincount(cells.cat.codes, minlength=len(categories)) > 0
            if used.all():
                return cls(cells.cat.codes.to_numpy(), categories)
            return cls((np.cumsum(used) - 1)[cells.cat.codes], categories[used].reset_index(drop=True))
        codes, values = pd.factorize(cells.astype(str) if cells.dtype == object else cells)
        return cls(codes, pd.Series(values))

    def first(self, which: pd.Series[bool] | np.ndarray) -> int:
        """The first row that has one of those values.

        Args:
            which: Marks values; shape (values,).
        """
        return int(np.argmax(np.asarray(which, bool)[self.codes]))
