"""What deserves a look before training: each caution says what was found and what can be done."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from forecaster.cli.findings import number, place, share
from forecaster.cli.symbol_findings import frequencies
from forecaster.series import Panel, natural_seasons
from forecaster.series.account import Account
from forecaster.series.mixture import MixedSessions
from forecaster.series.stamps import say_stamp
from forecaster.words import plural

__all__ = ["cautions"]

MUCH_MISSING = 0.05
MUCH_ZERO = 0.3
MUCH_ONCE = 0.5
LONG_EQUAL = 24
"""Equal values in a row that look like a stuck instrument."""


def cautions(account: Account) -> list[str]:
    """All that apply, the gravest first; empty where nothing is odd."""
    if account.panel.symbols:
        return [*_missing(account), *_constant(account), *_ends(account), *_rare(account)]
    return [*_missing(account), *_constant(account), *_outliers(account), *_stuck(account), *_ends(account),
            *_cycles(account)]  # fmt: skip


def _missing(account: Account) -> Iterator[str]:
    missing, total = int(account.missing.sum()), int(account.due.sum())
    if missing > MUCH_MISSING * total:
        yield (
            f"{share(missing, total)} of the steps are missing: is the frequency {account.panel.calendar.name} right? "
            "A coarser `freq:` or a calendar (B, XNYS) may be meant"
        )
    elif account.panel.calendar.name == "B" and missing > 0.01 * total:
        yield (
            f"{share(missing, total)} of the business days are missing: holidays of an exchange? Write its calendar, "
            "for instance --freq XNYS, and they are no gaps"
        )
    zeros, seen = int(account.zeros.sum()), int(account.observed.sum())
    if zeros > MUCH_ZERO * seen and not account.panel.symbols:
        yield f"{share(zeros, seen)} of the values are zero: if that means missing, leave those cells empty"


def _rare(account: Account) -> Iterator[str]:
    counts = frequencies(account)
    once = int((counts == 1).sum())
    if once > MUCH_ONCE * len(counts):
        yield (
            f"{once:,} of {len(counts):,} symbols occur once only: nothing can be learnt about them; name fewer, "
            "coarser ones"
        )


def _constant(account: Account) -> Iterator[str]:
    names = account.panel.ids[account.constant]
    if len(names):
        some = ", ".join(map(str, names[:5])) + (", …" if len(names) > 5 else "")
        yield f"{plural(len(names), 'series')} of one value only ({some}): there is nothing to learn; leave them out"


def _outliers(account: Account) -> Iterator[str]:
    found = account.outliers
    if not len(found):
        return
    values, counts = np.unique(found.values, return_counts=True)
    value, count = values[counts.argmax()], int(counts.max())
    if count >= 3 and count > len(found) / 2:
        some = f"{count:,} of {len(found):,} outliers are {number(value)}"
        yield f"{some}: if that means missing, leave those cells empty"
    else:
        yield f"{plural(len(found), 'outlier')}: look whether they happened; leave the cells of wrong ones empty"


def _stuck(account: Account) -> Iterator[str]:
    runs = account.constants.at_least(LONG_EQUAL)
    varied = ~account.constant[runs.series]
    if not varied.any():
        return
    longest = int(np.where(varied, runs.lengths, 0).argmax())
    where = place(account, int(runs.series[longest]), int(runs.starts[longest]))
    yield (
        f"{plural(int(varied.sum()), 'run')} of {LONG_EQUAL} or more equal values, the longest of "
        f"{runs.lengths[longest]:,} from {where}: a stuck instrument or a filled gap? If so, leave those cells empty"
    )


def _ends(account: Account) -> Iterator[str]:
    panel = account.panel
    end = panel.stamps(np.array([panel.last.max()]))[0]
    if isinstance(end, pd.Timestamp) and end > pd.Timestamp.now(end.tz):
        yield f"the last value is dated in the future, {say_stamp(end)}: is that an observation?"
    early = [one for one in np.flatnonzero(panel.last < panel.last.max()).tolist() if _goes_on(panel, one)]
    if panel.shared_clock and early:
        first = min(early, key=lambda one: panel.last[one])
        of_tickers = "are they traded no more? If so, leave them out"
        remedy = of_tickers if "snapshot" in panel.notes else "if they share no clock, write `clock: own`"
        yield (
            f"{len(early):,} of {len(panel):,} series end before the others, the first ({panel.ids[first]}) at "
            f"{say_stamp(account.stamp(first, int(account.lengths[first]) - 1))}: {remedy}"
        )


def _goes_on(panel: Panel, series: int) -> bool:
    """Whether a series could have values behind its last one, up to the last of all; not on other exchanges' days."""
    if not isinstance(panel.calendar, MixedSessions):
        return True
    ticks = np.arange(panel.last[series] + 1, panel.last.max() + 1)
    return bool(panel.calendar.trading([str(panel.ids[series])], ticks[None]).any())


def _cycles(account: Account) -> Iterator[str]:
    calendar = natural_seasons(account.panel.calendar)
    others = [lag for lag in account.cycles.found if all(abs(lag - one) > 0.1 * one for one in calendar)]
    if others:
        yield (
            f"the autocorrelation shows cycles that the calendar does not suggest: {', '.join(map(str, others))} "
            f"steps; to use them, write season: {list(account.cycles.found)}"
        )
