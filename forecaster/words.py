"""Numbers in sentences."""

__all__ = ["plural"]


def plural(count: int, what: str) -> str:
    """A count and its noun.

    Example:
        >>> plural(1, "gap"), plural(1200, "gap"), plural(2, "series"), plural(2, "stretch")
        ('1 gap', '1,200 gaps', '2 series', '2 stretches')
    """
    ending = "" if count == 1 or what == "series" else "es" if what.endswith("ch") else "s"
    return f"{count:,} {what}{ending}"
