"""Symbols as they can be read in a figure."""

from __future__ import annotations

__all__ = ["legible", "plain"]


def legible(symbol: object) -> str:
    r"""A symbol as it can be read: blanks and ends of lines have signs.

    Example:
        >>> legible("to"), legible(" "), legible("\n")
        ('to', '␣', '↵')
    """
    written = str(symbol)
    return written if written.strip() else written.replace("\n", "↵").replace(" ", "␣").replace("\t", "⇥")


def plain(symbol: object) -> str:
    """The same where plotly would take signs for its own mark-up.

    Example:
        >>> plain("<unknown>")
        '&lt;unknown&gt;'
    """
    return legible(symbol).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
