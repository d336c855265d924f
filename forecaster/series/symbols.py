"""Series whose values are symbols: names in, places in a list of names inside the panel.

A panel holds numbers, so a symbol is a place in `Panel.symbols`; that list only says what was written in the file. What
a model knows is its own vocabulary, made from the part that it learns from (`vocabulary_of`), and a panel is put into
its terms by `in_terms_of`: there, place 0 is the unknown symbol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from forecaster.errors import DataError
from forecaster.series.columns import Columns
from forecaster.series.csvformat import CsvFormat
from forecaster.series.csvtext import MISSING, read_cells
from forecaster.series.files import parquet_cells
from forecaster.series.panel import Panel
from forecaster.series.table import panel_from_frame

__all__ = [
    "UNKNOWN",
    "categories_apart",
    "in_terms_of",
    "novelty_of",
    "read_symbols",
    "symbol_panel",
    "unbroken",
    "vocabulary_of",
    "with_known",
]

UNKNOWN = "<unknown>"
"""What a model calls a symbol that was not in its training part."""
MOST_SYMBOLS = 20_000
LARGEST_WHOLE = 2.0**53
"""Up to which all whole numbers are floating-point ones, too."""


def read_symbols(
    path: Path,
    *,
    parquet: bool = False,
    id: str | None = None,
    time: str = "ds",
    target: str = "y",
    past: Sequence[str] = (),
    known: Sequence[str] = (),
    static: Sequence[str] = (),
    ignore: Sequence[str] = (),
    layout: str = "long",
    missing: str = "mask",
    separator: str = ",",
    decimal: str = ".",
    thousands: str | None = None,
    encoding: str = "utf-8",
    **options: Any,
) -> Panel:
    """Reads a file with a column of names to forecast; options as `read_csv`, and `fewest` as `symbol_panel`.

    Raises:
        DataError: As `read_csv`; or `layout: wide`, or gaps that would have to be filled with numbers.
    """
    if layout == "wide":
        raise DataError(f"{path}: layout: wide is for numbers; write symbols with a row a series and time stamp")
    columns = Columns(id, time, target, past, known, static, ignore)
    if parquet:
        cells = parquet_cells(path)
    else:
        style = CsvFormat(separator, decimal, thousands, encoding)
        text = [name for name in (id, target, time if options.get("time_format") else None) if name]
        cells, _ = read_cells(path, text, style, ignore)
    if missing not in ("mask", "error"):
        raise DataError(f"{path}: missing: {missing} is for numbers; write `missing: mask` or `missing: error`")
    kept: Literal["mask", "error"] = "error" if missing == "error" else "mask"
    return symbol_panel(cells, columns, source=str(path), first_row=0 if parquet else 2, missing=kept, **options)


def symbol_panel(
    frame: pd.DataFrame, columns: Columns | None = None, *, source: str = "data", fewest: int = 2, **options: Any
) -> Panel:
    """Makes a panel of a table whose target is a column of names.

    Every cell is taken letter by letter: "007" and "7" are two symbols. Cells that are empty or say NA and the like
    are missing. Covariates with text in them are read as categories, one column of 0 and 1 for each.

    Args:
        frame: One row a series and time stamp.
        columns: Which column plays which part.
        source: What errors call the table.
        fewest: Different symbols that there must be: two to learn from, one to forecast from.
        options: Of `panel_from_frame`.

    Raises:
        DataError: As `panel_from_frame`; or there are fewer symbols, or too many.

    Example:
        >>> dinners = pd.DataFrame({"ds": [1, 2, 3], "y": ["pizza", "sushi", "pizza"]})
        >>> panel = symbol_panel(dinners)
        >>> panel.symbols, panel.target.tolist()
        (('pizza', 'sushi'), [0.0, 1.0, 0.0])
    """
    columns = columns or Columns()
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    columns.check(list(frame.columns), source)
    _check_covariates(columns, source)
    written = _whole_again(frame[columns.target]).astype(object)
    cells = written.where(written.notna(), None).map(lambda cell: None if cell is None else str(cell).strip())
    absent = cells.isna() | cells.isin(MISSING)
    symbols = tuple(sorted(set(cells[~absent])))
    _check_symbols(symbols, columns.target, source, fewest)
    places = {name: float(place) for place, name in enumerate(symbols)}
    frame = frame.assign(**{columns.target: cells.where(~absent).map(places).astype(np.float64)})
    expand = partial(_expanded, frame)
    pasts, knowns, statics = ([expand(name) for name in part] for part in (columns.past, columns.known, columns.static))
    groups = [[name for one in part for name in one.columns] for part in (pasts, knowns, statics)]
    covariates = [one for part in (pasts, knowns, statics) for one in part]
    rest = frame.drop(columns=[*columns.past, *columns.known, *columns.static])
    told = replace(columns, past=groups[0], known=groups[1], static=groups[2])
    panel = panel_from_frame(pd.concat([rest, *covariates], axis=1), told, source=source, **options)
    shown = ", ".join(symbols[:5]) + (f" … ({len(symbols):,} in all)" if len(symbols) > 5 else "")
    return replace(panel, symbols=symbols, notes={**panel.notes, "symbols": shown})


def _whole_again(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Whole numbers as they were before empty cells among them made a table turn them into floating-point ones."""
    there = cells.dropna()
    if not pd.api.types.is_float_dtype(cells) or (there.abs() > LARGEST_WHOLE).any() or (there % 1 != 0).any():
        return cells
    return there.astype(np.int64).astype(object).reindex(cells.index)


def _check_covariates(columns: Columns, source: str) -> None:
    """Refuses a name that could not be told from that of one of its categories."""
    if doubtful := next((name for name in columns.covariates if "=" in name), None):
        raise DataError(
            f"{source}: a covariate of symbols cannot be called {doubtful!r}, since = stands between a column of "
            "categories and each of them; rename it"
        )


def _check_symbols(symbols: Sequence[str], target: str, source: str, fewest: int) -> None:
    if fewest > 1 and UNKNOWN in symbols:
        raise DataError(
            f"{source}, column {target!r}: {UNKNOWN} is what models call symbols that they do not know; write another "
            "name, or leave these cells empty if they are missing"
        )
    if len(symbols) < fewest:
        found = f"only {symbols[0]!r}" if symbols else "no symbol at all"
        wanted = "two to learn which comes next" if fewest > 1 else "one to forecast from"
        raise DataError(f"{source}, column {target!r}: holds {found}; there must be {wanted}")
    if len(symbols) > MOST_SYMBOLS:
        raise DataError(
            f"{source}, column {target!r}: {len(symbols):,} different symbols, more than {MOST_SYMBOLS:,}; is it a "
            "column of names that recur? If it holds numbers, leave `kind: symbols` out"
        )


def _expanded(frame: pd.DataFrame, name: str, *, words: bool = False) -> pd.DataFrame:
    """A covariate as it is, or as a column of 0 and 1 for each category where it holds text, or is to hold `words`."""
    cells = frame[name]
    absent = cells.isna() | cells.astype(str).str.strip().isin(MISSING)
    if not words and not pd.to_numeric(cells.where(~absent), errors="coerce")[~absent].isna().any():
        return frame[[name]]
    written = cells.astype(str).str.strip()
    found = {f"{name}={one}": (written == one).astype(float).where(~absent) for one in sorted(set(written[~absent]))}
    return pd.DataFrame(found, index=frame.index)


def categories_apart(frame: pd.DataFrame, known: Sequence[str], source: str) -> pd.DataFrame:
    """A table whose known covariates are as they were written, with columns of 0 and 1 where a panel has such.

    Args:
        frame: With a column `weekday`, say; other columns stay as they are.
        known: The panel's known covariates: `weekday=Friday`, ….
        source: What errors call the table.

    Raises:
        DataError: A category is none of the panel's.

    Example:
        >>> categories_apart(pd.DataFrame({"late": ["no"]}), ["late=no", "late=yes"], "known").iloc[0].to_dict()
        {'late=no': 1.0, 'late=yes': 0.0}
    """
    for name in dict.fromkeys(one.partition("=")[0] for one in known if "=" in one):
        if name not in frame:
            continue
        apart = _expanded(frame, name, words=True)
        wanted = [one for one in known if one.partition("=")[0] == name]
        if strange := [one for one in apart if one not in wanted]:
            categories = ", ".join(one.partition("=")[2] for one in wanted)
            raise DataError(
                f"{source}, column {name!r}: {str(strange[0]).partition('=')[2]!r} is none of the "
                f"categories in the data ({categories}); write one of these"
            )
        absent = apart.isna().any(axis=1) if len(apart.columns) else frame[name].isna()
        whole = apart.reindex(columns=wanted, fill_value=0.0).mask(absent, np.nan)
        frame = pd.concat([frame.drop(columns=name), whole], axis=1)
    return frame


def vocabulary_of(panel: Panel) -> tuple[str, ...]:
    """The symbols that occur in what may be seen of a panel, the unknown one first."""
    seen = panel.target[np.isfinite(panel.target)].astype(int)
    names = {panel.symbols[place] for place in np.unique(seen)} - {UNKNOWN}
    return (UNKNOWN, *sorted(names))


def novelty_of(panel: Panel) -> float:
    """The chance that the next symbol is one that was never seen: the share of symbols seen once (Good 1953).

    Half a symbol is added where there is none, and no more than a half is given away.
    """
    seen = panel.target[np.isfinite(panel.target)].astype(int)
    once = int((np.bincount(seen) == 1).sum())
    return float(min((once + 0.5) / (len(seen) + 1), 0.5))


def unbroken(panel: Panel) -> bool:
    """Whether no symbol is missing behind the first one of any series, up to its end."""
    histories = (np.isfinite(panel.history(series)) for series in range(len(panel)))
    return all(seen[seen.argmax() :].all() and seen.any() for seen in histories)


def in_terms_of(panel: Panel, vocabulary: Sequence[str]) -> Panel:
    """The same panel with places in a model's vocabulary as its values; 0 for what is not in it.

    Raises:
        DataError: The panel's values are numbers.
    """
    if not panel.symbols:
        raise DataError("the values of these data are numbers, and symbols are expected; write `kind: symbols`")
    if panel.symbols == tuple(vocabulary):
        return panel
    known = {name: place for place, name in enumerate(vocabulary)}
    places = np.array([known.get(name, 0) for name in panel.symbols], np.float32)
    values, there = panel.values.copy(), np.isfinite(panel.target)
    values[there, 0] = places[panel.target[there].astype(int)]
    return replace(panel, values=values, symbols=tuple(vocabulary))


def with_known(panel: Panel, names: Sequence[str]) -> Panel:
    """The panel with the categories of its known covariates that a model was trained on.

    A category that does not occur in the data is a column of zeros; one that the model does not know is left out: see
    `strange_categories`. Where all that occur are numbers, a panel has them in one column.
    """
    columns = len(panel.features.columns) if panel.features else 0
    wanted = tuple(names)[: len(names) - columns] if columns else tuple(names)
    if panel.known == wanted or not any("=" in name for name in wanted):
        return panel
    groups = {name.partition("=")[0] for name in wanted if "=" in name}
    if [name for name in wanted if "=" not in name] != [
        name for name in panel.known if name.partition("=")[0] not in groups
    ]:
        return panel
    front = panel.values[:, : panel.known_columns.start]
    found = dict(zip(panel.known, panel.values[:, panel.known_columns].T, strict=True))
    zeros = np.zeros(len(panel.values), np.float32)
    parts = [_category(found, name, zeros)[:, None] for name in wanted]
    return replace(panel, values=np.concatenate([front, *parts], axis=1), known=wanted)


def _category(found: Mapping[str, np.ndarray], name: str, absent: np.ndarray) -> np.ndarray:
    """The column of a known covariate, or of one of its categories, made from what a panel has."""
    group, _, category = name.partition("=")
    if name in found or group not in found:
        return found.get(name, absent)
    number = pd.to_numeric(category, errors="coerce")
    return np.where(np.isnan(found[group]), np.nan, found[group] == number).astype(np.float32)


def strange_categories(panel: Panel, names: Sequence[str]) -> list[str]:
    """Categories of the panel's known covariates that a model does not know, as `late=YES`; it reads them as none.

    Args:
        panel: With columns of 0 and 1 for its categories, or one of numbers where all of them are.
        names: Of the model's known covariates.
    """
    groups = {name.partition("=")[0] for name in names if "=" in name}
    strange = [one for one in panel.known if one.partition("=")[0] in groups - {one} and one not in names]
    for group in groups & {*panel.known}:
        column = panel.values[:, panel.known_columns][:, panel.known.index(group)]
        own = [name.partition("=")[2] for name in names if name.startswith(f"{group}=")]
        trained = pd.to_numeric(pd.Series(own), errors="coerce").to_list()
        strange += [f"{group}={one:g}" for one in np.unique(column[np.isfinite(column)]) if one not in trained]
    return strange
