"""Names in a row: with commas between them, and in double quotes where that is not clear, as in a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterable

from forecaster.errors import DataError

__all__ = ["listed", "unlisted"]


def listed(names: Iterable[str]) -> str:
    """Names as one text.

    Example:
        >>> listed(["soup", "fish, chips"])
        'soup, "fish, chips"'
    """
    return ", ".join(map(_quoted, names))


def unlisted(text: str) -> list[str]:
    """The names of a text that is written so; what is empty does not count.

    Raises:
        DataError: A quote is not closed, or something follows one that is.

    Example:
        >>> unlisted('soup, "fish, chips",')
        ['soup', 'fish, chips']
    """
    try:
        rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise DataError(f'{text!r} is no list of names ({error}); write soup, "fish, chips"') from None
    return [name.strip() for row in rows for name in row if name.strip()]


def _quoted(name: str) -> str:
    unclear = "," in name or name.startswith('"')
    return '"' + name.replace('"', '""') + '"' if unclear else name
