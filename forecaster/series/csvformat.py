"""How a CSV file is written: what separates its columns and its digits, and its encoding."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecaster.config import FileData
from forecaster.errors import DataError

__all__ = ["CsvFormat", "heeded"]

DECIMALS = (".", ",")
THOUSANDS = (",", ".", " ", "'", "_")
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
"""Byte order marks, and the encodings that skip them; one of UTF-32 begins as one of UTF-16 does."""


def heeded(begin: bytes, encoding: str) -> str:
    """The encoding of a text that begins so: what its byte order mark says, else what was told.

    Example:
        >>> heeded(codecs.BOM_UTF8 + b"ds,y", "cp1252"), heeded(b"ds,y", "cp1252")
        ('utf-8-sig', 'cp1252')
    """
    return next((name for mark, name in MARKS if begin.startswith(mark)), encoding)


@dataclass(frozen=True)
class CsvFormat:
    """How a CSV file is written.

    Args:
        separator: One character between columns.
        decimal: `.` or `,`.
        thousands: What stands between groups of three digits; None: nothing.
        encoding: Of the text, where no byte order mark tells it.

    Raises:
        DataError: That cannot be; says what can.

    Example:
        >>> CsvFormat(";", ",", ".").plain(pd.Series(["1.234,5", "0,5"])).tolist()
        ['1234.5', '0.5']
    """

    separator: str = ","
    decimal: str = "."
    thousands: str | None = None
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        if len(self.separator) != 1 or self.separator in '"\r\n':
            raise DataError(f"separator: {self.separator!r} is no single character; write ',', ';', '|' or '\\t'")
        if self.decimal not in DECIMALS:
            raise DataError(f"decimal: {self.decimal!r} should be '.' or ','")
        if self.thousands is not None and (self.thousands not in THOUSANDS or self.thousands == self.decimal):
            raise DataError(f"thousands: {self.thousands!r} should be one of {THOUSANDS}, and differ from decimal")
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise DataError(f"encoding: {self.encoding!r} is unknown; write utf-8, utf-16, latin-1 or cp1252") from None

    @classmethod
    def of(cls, data: FileData) -> CsvFormat:
        """The format that a `data` block tells."""
        return cls(data.separator, data.decimal, data.thousands, data.encoding)

    @property
    def plain_numbers(self) -> bool:
        """Whether numbers are written as everywhere in the program: with a decimal point only."""
        return self.decimal == "." and self.thousands is None

    def plain(self, cells: pd.Series[str]) -> pd.Series[str]:
        """Cells with the numbers among them written with a decimal point and no thousands separators."""
        mark, group = re.escape(self.decimal), re.escape(self.thousands or "")
        whole = rf"(?:[1-9]\d{{0,2}}(?:{group}\d{{3}})+|\d+)" if group else r"\d+"  # 0.123 is no group
        number = rf"\s*[+-]?(?:{whole}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?\s*"
        text = cells.str.replace(self.thousands, "", regex=False) if self.thousands else cells
        return cells.where(~cells.str.fullmatch(number).fillna(False), text.str.replace(self.decimal, ".", regex=False))

    def misread(self, cells: pd.Series[str]) -> pd.Series[bool]:
        """Which cells would pass for numbers elsewhere, but are none here: 1.5 where `decimal` is a comma."""
        return self.plain(cells).eq(cells) & cells.str.fullmatch(r"\s*[+-]?\d*\.\d+(?:[eE][+-]?\d+)?\s*").fillna(False)

    def rewritten(self, cells: pd.DataFrame, others: Collection[str], source: str) -> pd.DataFrame:
        """The table with plain numbers, in all columns of text but `others`.

        Raises:
            DataError: A number is written in another way than was told; names row, column and remedy.
        """
        for name in cells.columns:
            if name in others or not pd.api.types.is_string_dtype(cells[name].dtype):
                continue
            column = cells[name].astype("str")
            if self.decimal == "," and (wrong := self.misread(column)).any():
                place = int(np.argmax(wrong))
                raise DataError(
                    f"{source}, row {cells.index[place] + 2}, column {name!r}: {column.iloc[place]!r} has a "
                    "decimal point, but `decimal:` is a comma; correct it, or tell `thousands:` where it is a point"
                )
            cells = cells.assign(**{name: self.plain(column)})
        return cells
