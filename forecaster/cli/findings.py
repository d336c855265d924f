"""What `check` found in the data, in words for people and in plain data for programs."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecaster.cli.symbol_findings import of_symbols, symbol_data
from forecaster.series.account import Account
from forecaster.series.outliers import RULE
from forecaster.series.stamps import say_stamp
from forecaster.series.text import unit_of
from forecaster.words import plural

__all__ = ["account_data", "facts", "worst_series"]

WORST = 10
"""Gaps, outliers and series that are listed one by one."""


def facts(account: Account) -> dict[str, str]:
    """The whole account, a line a subject."""
    notes = dict(account.panel.notes)
    frequency = str(notes.pop("frequency", account.panel.calendar.name))
    told = {name: str(notes.pop(name)) for name in ("rows", "duplicates") if name in notes}
    for name in ("series", "span", "gaps"):
        notes.pop(name, None)
    return {
        **_size(account, told.get("rows", "unknown")),
        "series": _series(account),
        "span": _span(account),
        "frequency": f"{frequency}; {_regularity(account)}",
        "gaps": _gaps(account),
        "duplicates": told.get("duplicates", "none"),
        **{name: str(note) for name, note in notes.items()},
        **(of_symbols(account) if account.panel.symbols else _of_numbers(account)),
    }


def _size(account: Account, rows: str) -> dict[str, str]:
    """How much there is: rows of a table, characters or words of a text."""
    panel = account.panel
    if "text" in panel.notes:
        return {f"{unit_of(panel.symbols)}s": f"{int(panel.lengths.sum()):,}"}
    return {"rows": f"{int(rows):,}" if rows.isdigit() else rows}


def _of_numbers(account: Account) -> dict[str, str]:
    return {
        "values": _values(account),
        "zeros, negatives": _signs(account),
        "equal values": _equal(account),
        "outliers": _outliers(account),
        "cycles": _cycles(account),
    }


def number(value: float) -> str:
    """Whole numbers as they are, others with six digits.

    Example:
        >>> number(1855410176.0), number(3.6123456)
        ('1,855,410,176', '3.61235')
    """
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e12 else f"{value:,.6g}"


def place(account: Account, series: int, step: int) -> str:
    """A stamp, with its series where there are several."""
    within = f" in {account.panel.ids[series]}" if len(account.panel) > 1 else ""
    return f"{say_stamp(account.stamp(series, step))}{within}"


def share(part: float, whole: float) -> str:
    """A share in per cent that is 0% or 100% only where it is exactly that.

    Example:
        >>> share(0, 10), share(1, 1_000_000), share(999_999, 1_000_000), share(10, 10)
        ('0%', 'below 0.01%', 'above 99.99%', '100%')
    """
    ratio = part / max(whole, 1)
    if 0 < ratio < 0.0001 or 0.9999 < ratio < 1:
        return "below 0.01%" if ratio < 0.5 else "above 99.99%"
    return f"{ratio:.2%}".replace(".00%", "%")


def _series(account: Account) -> str:
    lengths = account.lengths
    if len(lengths) == 1:
        return f"1 of {plural(int(lengths[0]), 'step')}"
    if lengths.min() == lengths.max():
        return f"{len(lengths):,} of {plural(int(lengths[0]), 'step')} each"
    return f"{len(lengths):,} of {lengths.min():,} to {lengths.max():,} steps, median {np.median(lengths):,.0f}"


def _span(account: Account) -> str:
    panel = account.panel
    begin, end = panel.stamps(np.array([panel.first.min(), panel.last.max()]))
    return f"{say_stamp(begin)} to {say_stamp(end)}"


def _regularity(account: Account) -> str:
    if account.regularity == 1.0:
        return "every step from one value to the next is regular"
    steps = int(np.maximum(account.observed - 1, 0).sum())
    return f"{share(account.regular.sum(), steps)} of the steps from one value to the next are regular, the rest gaps"


def _gaps(account: Account) -> str:
    gaps, missing = account.gaps, int(account.missing.sum())
    longest = gaps.longest()
    if longest is None:
        return "none"
    series, start, length = (int(part[longest]) for part in (gaps.series, gaps.starts, gaps.lengths))
    within = f", in {(account.missing > 0).sum():,} series" if len(account.panel) > 1 else ""
    until = f" to {say_stamp(account.stamp(series, start + length - 1))}" if length > 1 else ""
    return (
        f"{plural(len(gaps), 'gap')}, {missing:,} of {plural(int(account.due.sum()), 'step')} missing "
        f"({share(missing, account.due.sum())}){within}; the longest has {plural(length, 'step')}, "
        f"{say_stamp(account.stamp(series, start))}{until}{_whose(account, series)}"
    )


def _whose(account: Account, series: int) -> str:
    return f" in {account.panel.ids[series]}" if len(account.panel) > 1 else ""


def _values(account: Account) -> str:
    total, fractions = int(account.observed.sum()), int(account.fractions.sum())
    mean = float((account.means * account.observed).sum() / total)
    kind = "all whole numbers" if not fractions else f"{share(total - fractions, total)} whole numbers"
    return f"{number(account.lowest.min())} to {number(account.highest.max())}, mean {mean:,.6g}; {kind}"


def _signs(account: Account) -> str:
    zeros, negatives, total = (int(each.sum()) for each in (account.zeros, account.negatives, account.observed))
    if not zeros and not negatives:
        return "none, so transform: log and log_return are possible"
    counted = " and ".join(
        f"{plural(count, what)} ({share(count, total)})"
        for count, what in ((zeros, "zero"), (negatives, "negative value"))
        if count
    )
    return f"{counted}, so transform: log and log_return are not possible"


def _equal(account: Account) -> str:
    runs, constant = account.constants, int(account.constant.sum())
    longest = runs.longest()
    if longest is None:
        return "no two in a row"
    series, start, length = (int(part[longest]) for part in (runs.series, runs.starts, runs.lengths))
    long = len(runs.at_least(WORST))
    more = f"; {plural(long, 'run')} of {WORST} or more" if long else ""
    whole = f"; {constant:,} series of one value only" if constant else ""
    return f"at most {length:,} in a row, from {place(account, series, start)}{more}{whole}"


def _outliers(account: Account) -> str:
    found = account.outliers
    if not len(found):
        return f"none ({RULE})"
    worst = int(found.scores.argmax())
    where = place(account, int(found.series[worst]), int(found.steps[worst]))
    value, amid = number(found.values[worst]), number(found.medians[worst])
    return f"{len(found):,}; the worst {value} at {where}, amid {amid} ({RULE})"


def _cycles(account: Account) -> str:
    cycles = account.cycles
    if not cycles.found:
        return f"none to be seen in the autocorrelation of up to {plural(len(cycles.correlations), 'step')}"
    told = ", ".join(f"{lag:,} steps ({height:.2f})" for lag, height in cycles.found.items())
    return f"{told}, by the autocorrelation of the {cycles.of}"


def worst_series(account: Account, most: int = WORST) -> np.ndarray:
    """Numbers of the series that are odd at all, the oddest first (`Account.trouble`)."""
    trouble = account.trouble()
    order = np.argsort(-trouble, kind="stable")[:most]
    return order[trouble[order] > 0]


def account_data(account: Account) -> dict[str, Any]:
    """The account for programs; gaps and outliers are the worst ten."""
    gaps, runs = account.gaps, account.constants
    longest = np.argsort(-gaps.lengths, kind="stable")[:WORST]
    equal = runs.longest()
    return {
        "series": len(account.panel),
        "steps": int(account.lengths.sum()),
        "frequency": account.panel.calendar.name,
        "regularity": account.regularity,
        "missing": int(account.missing.sum()),
        "gaps": len(gaps),
        "longest_gaps": [
            {**_point(account, gaps.series[one], gaps.starts[one]), "steps": int(gaps.lengths[one])} for one in longest
        ],
        "longest_equal": None if equal is None else {
            **_point(account, runs.series[equal], runs.starts[equal]), "steps": int(runs.lengths[equal])
        },
        "constant_series": int(account.constant.sum()),
        **(symbol_data(account) if account.panel.symbols else _number_data(account)),
    }  # fmt: skip


def _number_data(account: Account) -> dict[str, Any]:
    found = account.outliers
    worst = np.argsort(-found.scores, kind="stable")[:WORST]
    return {
        "outliers": len(found),
        "worst_outliers": [_outlier(account, int(one)) for one in worst],
        "zeros": int(account.zeros.sum()),
        "negatives": int(account.negatives.sum()),
        "whole_numbers": not account.fractions.any(),
        "lowest": float(account.lowest.min()),
        "highest": float(account.highest.max()),
        "cycles": {str(lag): round(height, 4) for lag, height in account.cycles.found.items()},
    }


def _outlier(account: Account, number: int) -> dict[str, Any]:
    found = account.outliers
    return {
        **_point(account, found.series[number], found.steps[number]),
        "value": float(found.values[number]),
        "amid": float(found.medians[number]),
        "score": round(float(found.scores[number]), 2),
    }


def _point(account: Account, series: Any, step: Any) -> dict[str, str]:
    return {"unique_id": str(account.panel.ids[series]), "ds": say_stamp(account.stamp(int(series), int(step)))}
