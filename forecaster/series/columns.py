"""Columns: which column of a table plays which part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from forecaster.errors import DataError
from forecaster.words import listed

__all__ = ["Columns"]

KEPT = ("unique_id", "ds", "y")
"""What the program calls id, time and target in its own frames, whatever the table calls them."""


@dataclass(frozen=True)
class Columns:
    """Which column plays which part.

    Args:
        id: Names the series; None where there is one series only.
        time: Time stamps, or whole numbers.
        target: What is forecast.
        past, known, static: Covariates, see `Panel`.
        ignore: Columns to leave out.
        group: Names the group of each series.
    """

    id: str | None = None
    time: str = "ds"
    target: str = "y"
    past: Sequence[str] = ()
    known: Sequence[str] = ()
    static: Sequence[str] = ()
    ignore: Sequence[str] = ()
    group: str | None = None

    @property
    def labels(self) -> list[str]:
        """Columns of names: the id and the group."""
        return [name for name in (self.id, self.group) if name]

    @property
    def covariates(self) -> list[str]:
        """Those of all three kinds, in the order of the panel's values."""
        return [*self.past, *self.known, *self.static]

    def check(self, present: Sequence[str], source: str) -> None:
        """Compares the declared columns with those of a table.

        Args:
            present: The table's columns.
            source: What errors call the table.

        Raises:
            DataError: Columns that are absent, doubled, not declared, or declared twice.
        """
        wanted = [*self.labels, self.time, self.target, *self.covariates]
        if doubled := _doubled(present):
            raise DataError(f"{source}: the header has {doubled!r} twice; rename one of the columns")
        if doubled := _doubled(wanted):
            raise DataError(f"{source}: column {doubled!r} is declared twice; a column plays one part")
        if absent := [name for name in wanted if name not in present]:
            raise DataError(f"{source}: no column {absent[0]!r}; the columns are {listed(present)}")
        declared = {*wanted, *self.ignore}
        if left := [name for name in present if name not in declared]:
            raise DataError(
                f"{source}: column{'s' if len(left) > 1 else ''} {listed(left)} not declared; "
                "name each under id, target, past, known, static or ignore"
            )
        if taken := [name for name in self.covariates if name in KEPT]:
            raise DataError(f"{source}: no covariate can be called {taken[0]!r}, forecasts use it; rename the column")


def _doubled(names: Sequence[str]) -> str | None:
    return next((name for name, times in Counter(names).items() if times > 1), None)
