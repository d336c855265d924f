"""A text as a series: its characters or words are the values, their places in it the time.

A character is a code point of Unicode, also beyond the basic plane; all line ends are line feeds. As words count runs
of letters and digits (with apostrophes, hyphens, and decimal signs inside of them; a letter and its accent are one,
however they are written), other signs, one or several of the same or joined ones, and the end of a paragraph (two line
feeds); other blanks are dropped, and `joined` puts them back where they usually stand.
"""

from __future__ import annotations

import codecs
import hashlib
import platform
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from forecaster.config.data import PYDOC
from forecaster.errors import DataError
from forecaster.series.calendar import EvenSteps
from forecaster.series.csvformat import heeded
from forecaster.series.csvtext import FAULTS, OPENERS, unchanged, unreadable
from forecaster.series.panel import Panel
from forecaster.series.symbols import MOST_SYMBOLS

__all__ = ["Unit", "joined", "prompt_panel", "read_text", "split_text", "text_panel", "unit_of"]

PARAGRAPH = "\n\n"
WORDS = re.compile(
    r"(?P<end>\n[^\S\n]*\n\s*)|\d+(?:[.,]\d+)*|\w[\w\u0300-\u036f]*(?:['\u2019-]\w[\w\u0300-\u036f]*)*|[()\[\]{}]|"
    r"(?P<sign>[^\w\s])(?:[\ufe0e\ufe0f]|\u200d[^\w\s]|(?P=sign))*"
)
NO_BLANK_BEFORE = frozenset(".,;:!?)]}%\u2019\u201d\u2026") | {"...", PARAGRAPH}
NO_BLANK_BEHIND = frozenset("([{\u2018\u201c") | {PARAGRAPH}
Unit = Literal["character", "word"]


def read_text(path: str | Path, *, unit: Unit = "character", encoding: str = "utf-8") -> Panel:
    """Reads a text file; see `text_panel`.

    Args:
        path: The file; `.gz`, `.bz2`, `.xz` and `.zip` are unpacked. `pydoc`: the topics of Python's own help.
        unit: `character` or `word`.
        encoding: Of the text, where no byte order mark tells it.

    Raises:
        DataError: No such file, no text of that encoding (says where), or as `text_panel`.
    """
    if path == PYDOC:
        from pydoc_data.topics import topics

        source = f"topics of pydoc_data in Python {platform.python_version()}"
        return text_panel("\n".join(topics[name] for name in sorted(topics)), unit, source=source)
    return text_panel(_decoded(Path(path), encoding), unit, source=str(path))


def text_panel(text: str, unit: Unit = "character", *, source: str = "text") -> Panel:
    """Makes a panel of a text: one series, whose first symbol has the time stamp 1.

    Args:
        text: With any line ends.
        unit: What a symbol is.
        source: What errors call the text.

    Returns:
        The panel; its notes have the SHA-256 of the text in UTF-8 with line feeds for line ends.

    Raises:
        DataError: The text is empty, has one symbol only, or too many different ones.

    Example:
        >>> panel = text_panel("to be or not to be", "word")
        >>> panel.symbols, panel.target.tolist()
        (('be', 'not', 'or', 'to'), [3.0, 0.0, 2.0, 1.0, 3.0, 0.0])
    """
    text = _with_line_feeds(text)
    try:
        digest = hashlib.sha256(text.encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise DataError(f"{source}: has half of a character ({error}); leave it out") from None
    if not text.strip():
        found = "nothing but blanks" if text and unit == "character" else f"no {unit}"
        raise DataError(
            f"{source}: is empty: there is {found} in it; a text must have two different {unit}s to forecast which "
            "comes next"
        )
    places, symbols = _characters(text) if unit == "character" else _words(text)
    _check(symbols, len(places), unit, source)
    values = places.astype(np.float32)[:, None]
    notes: dict[str, Any] = {
        "text": f"{source}: {len(places):,} {unit}s, {len(symbols):,} different ones",
        "text sha256": digest,
        "symbols": _shown(symbols),
    }
    return _one_series(values, symbols, notes)


def prompt_panel(found: Iterable[str | None]) -> Panel:
    """Makes a panel of a few symbols, one after the other, to be gone on from; it may hold one only.

    Args:
        found: The symbols, the first with the time stamp 1; None where one is missing.

    Example:
        >>> panel = prompt_panel(["Doug", None, "Doug"])
        >>> panel.symbols, panel.target.tolist()
        (('Doug',), [0.0, nan, 0.0])
    """
    places, symbols = pd.factorize(np.array([one or None for one in found], dtype=object), sort=True)
    values = np.where(places < 0, np.nan, places).astype(np.float32)[:, None]
    return _one_series(values, tuple(symbols), {})


def split_text(text: str, unit: Unit) -> list[str]:
    """The symbols of a text, one after the other.

    Example:
        >>> split_text("Doug's dog (Spot) ran 1,000 m.", "word")
        ["Doug's", 'dog', '(', 'Spot', ')', 'ran', '1,000', 'm', '.']
    """
    text = _with_line_feeds(text)
    if unit == "character":
        return list(text)
    composed = unicodedata.normalize("NFC", text.strip())
    return [PARAGRAPH if found["end"] else found[0] for found in WORDS.finditer(composed)]


def joined(symbols: Iterable[str], unit: Unit) -> str:
    """A text again; between words blanks stand where they usually do.

    Example:
        >>> joined(["Doug", "saw", '"', "Spot", "runs", '"', "."], "word")
        'Doug saw "Spot runs".'
    """
    if unit == "character":
        return "".join(symbols)
    parts: list[str] = []
    glued, quoted = True, False
    for symbol in symbols:
        closes = symbol == '"' and quoted
        parts.append(symbol if glued or closes or symbol in NO_BLANK_BEFORE else f" {symbol}")
        quoted = (not quoted if symbol == '"' else quoted) and symbol != PARAGRAPH
        glued = symbol in NO_BLANK_BEHIND or (symbol == '"' and quoted)
    return "".join(parts)


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _one_series(values: np.ndarray, symbols: tuple[str, ...], notes: Mapping[str, Any]) -> Panel:
    return Panel(
        np.array(["text"], dtype=object), values, np.array([0, len(values)]), np.array([0]), np.array([len(values)]),
        EvenSteps("1", 1, 1, numeric=True), shared_clock=False, symbols=symbols, notes=notes,
    )  # fmt: skip


def unit_of(symbols: Iterable[str]) -> Unit:
    """What the symbols of a text are, by their length."""
    return "character" if all(len(symbol) == 1 for symbol in symbols) else "word"


def _characters(text: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """The place of each character in the sorted list of them."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    found, places = np.unique(codes, return_inverse=True)
    return places, tuple(chr(code) for code in found)


def _words(text: str) -> tuple[np.ndarray, tuple[str, ...]]:
    places, found = pd.factorize(np.array([*split_text(text, "word")], dtype=object), sort=True)
    return places, tuple(found)


def _check(symbols: tuple[str, ...], length: int, unit: Unit, source: str) -> None:
    if len(symbols) < 2:
        found = f"nothing but {symbols[0]!r}, {length:,} times"
        raise DataError(f"{source}: is {found}; a text must have two different {unit}s to forecast which comes next")
    if len(symbols) > MOST_SYMBOLS:
        remedy = "write unit: character, or take a smaller text" if unit == "word" else "is it a text?"
        raise DataError(f"{source}: has {len(symbols):,} different {unit}s, more than {MOST_SYMBOLS:,}; {remedy}")


def _shown(symbols: tuple[str, ...]) -> str:
    if all(len(symbol) == 1 for symbol in symbols) and len(symbols) <= 120:
        return repr("".join(symbols))
    return ", ".join(map(repr, symbols[:5])) + (f" … ({len(symbols):,} in all)" if len(symbols) > 5 else "")


def _decoded(path: Path, encoding: str) -> str:
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise DataError(f"encoding: {encoding!r} is unknown; write utf-8, utf-16, latin-1 or cp1252") from None
    try:
        with unchanged(path), OPENERS.get(path.suffix, open)(path, "rb") as file:
            found: bytes = file.read()
    except FAULTS as error:
        raise unreadable(path, error, "name a text file", "a text") from None
    try:
        text: str = found.decode(heeded(found, encoding))
    except UnicodeError as error:
        raise _not_decodable(path, encoding, found, error) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path}, line {line}: has a NUL character, so the file is damaged or no text; name another")
    return text


def _not_decodable(path: Path, encoding: str, found: bytes, error: UnicodeError) -> DataError:
    where = error.start if isinstance(error, UnicodeDecodeError) else 0
    line = found.count(b"\n", 0, where) + 1
    return DataError(
        f"{path}, line {line}: is not {encoding} text at byte {where + 1:,} ({error}); save it as UTF-8, or say "
        "`encoding:` (latin-1, cp1252, utf-16, …)"
    )
