"""What `check` found in data whose values are symbols: how frequent they are, and which came last.

Their places in a list mean nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from forecaster.series.account import Account
from forecaster.series.names import listed
from forecaster.series.stretches import visible
from forecaster.series.text import joined, unit_of

__all__ = ["frequencies", "last_symbols", "of_symbols", "symbol_data"]

NAMED, LISTED = 5, 10
"""The most frequent symbols that people and programs are told of."""
LAST = {"character": 400, "word": 80}
"""Of a text that are shown."""
LAST_NAMES = 60
"""Of other symbols."""
MISSING = "\N{EN DASH}"


def frequencies(account: Account) -> pd.Series[int]:
    """How often each symbol occurs, the most frequent first."""
    values, _ = visible(account.panel)
    places = values[np.isfinite(values)].astype(int)
    counts = np.bincount(places, minlength=len(account.panel.symbols))
    found = pd.Series(counts, index=account.panel.symbols)
    return found[found > 0].sort_values(ascending=False, kind="stable")


def of_symbols(account: Account) -> dict[str, str]:
    """For people, a line a subject."""
    counts = frequencies(account)
    told = ", ".join(f"{name!r} {count:,}" for name, count in counts[:NAMED].items())
    once = int((counts == 1).sum())
    return {"most frequent": f"{told}; {once:,} {'occurs' if once == 1 else 'occur'} once only" if once else told}


def symbol_data(account: Account) -> dict[str, Any]:
    """For programs."""
    counts = frequencies(account)
    named = {str(name): int(count) for name, count in counts[:LISTED].items()}
    return {"symbols": len(counts), "most_frequent": named}


def last_symbols(account: Account, series: int) -> str:
    """The last symbols of a series: as the text that they are, or with commas between."""
    panel = account.panel
    unit = unit_of(panel.symbols) if "text" in panel.notes else None
    places = panel.history(series)[-(LAST[unit] if unit else LAST_NAMES) :]
    names = [panel.symbols[int(place)] if np.isfinite(place) else MISSING for place in places]
    return joined(names, unit) if unit else listed(names)
