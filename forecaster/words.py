"""Numbers and lists in sentences."""

from collections.abc import Sequence

__all__ = ["listed", "plural"]

LISTED = 20
"""Names that are listed one by one."""


def listed(names: Sequence[str]) -> str:
    """Names with commas between them, at most 20.

    Example:
        >>> listed(["a", "b"]), listed([f"s{n}" for n in range(5_000)])[-18:]
        ('a, b', 's19 and 4,980 more')
    """
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def plural(count: int, what: str) -> str:
    """A count and its noun.

    Example:
        >>> plural(1, "gap"), plural(1200, "gap"), plural(2, "series"), plural(2, "stretch")
        ('1 gap', '1,200 gaps', '2 series', '2 stretches')
    """
    ending = "" if count == 1 or what == "series" else "es" if what.endswith("ch") else "s"
    return f"{count:,} {what}{ending}"
