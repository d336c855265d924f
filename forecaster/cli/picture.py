"""From an account to the content of its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from forecaster.cli.cautions import cautions
from forecaster.cli.findings import facts, share, worst_series
from forecaster.cli.symbol_findings import frequencies, last_symbols
from forecaster.reporting.check_content import CheckContent
from forecaster.series.account import Account
from forecaster.words import plural

__all__ = ["page_content"]

MOST_SERIES = 12


def page_content(
    title: str,
    account: Account,
    guessed: Mapping[str, str],
    inferred: Mapping[str, str],
    problems: Sequence[str],
    definition: str,
) -> CheckContent:
    """The page of a check: the oddest series are drawn first, then others, spread over all.

    Args:
        title: What was checked.
        account: What was found.
        guessed: What was guessed about the columns.
        inferred: What a run would take for every default.
        problems: Why no run is possible.
        definition: The pipeline file.
    """
    count = len(account.panel)
    spread = np.unique(np.linspace(0, count - 1, MOST_SERIES).astype(int))
    odd = worst_series(account, MOST_SERIES).tolist()
    chosen = list(dict.fromkeys([*odd, *spread.tolist()]))[:MOST_SERIES]
    return CheckContent(
        title=title,
        created=datetime.now(UTC),
        tiles=_tiles(account),
        cautions=cautions(account),
        problems=problems,
        facts=facts(account),
        guessed=guessed,
        inferred=inferred,
        definition=definition,
        history=pd.concat([_history(account, one) for one in chosen], ignore_index=True),
        outliers=pd.concat([_outliers(account, one) for one in chosen], ignore_index=True),
        captions={str(account.panel.ids[one]): _caption(account, one) for one in chosen},
        series=count,
        odd=len(odd),
        **(_of_symbols(account, chosen) if account.panel.symbols else _of_numbers(account)),
    )


def _of_numbers(account: Account) -> dict[str, Any]:
    cycles = account.cycles
    return {
        "correlations": cycles.correlations, "limits": cycles.limits, "cycles": cycles.found, "correlated": cycles.of,
    }  # fmt: skip


def _of_symbols(account: Account, chosen: Sequence[int]) -> dict[str, Any]:
    names = account.panel.ids
    return {
        "symbols": account.panel.symbols,
        "counts": frequencies(account).to_dict(),
        "ends": {str(names[one]): last_symbols(account, one) for one in chosen},
    }


def _tiles(account: Account) -> dict[str, tuple[str, str]]:
    steps, missing, width = int(account.due.sum()), int(account.missing.sum()), account.panel.calendar.name
    within = f"in {plural(len(account.panel), 'series')}"
    return {
        "Steps": (f"{steps:,}", within if width == "1" else f"of {width}, {within}"),
        "Missing": (
            f"{missing:,}",
            f"{share(missing, steps)}, in {plural(len(account.gaps), 'gap')}" if missing else "no gap",
        ),
        **(_symbol_tiles(account) if account.panel.symbols else _number_tiles(account)),
    }


def _number_tiles(account: Account) -> dict[str, tuple[str, str]]:
    odd = len(account.outliers)
    cycles = " and ".join(f"{lag:,}" for lag in account.cycles.found)
    return {
        "Outliers": (f"{odd:,}", f"{share(odd, account.lengths.sum())} of the steps"),
        "Cycles": (cycles or "none", "steps, by the autocorrelation" if cycles else "in the autocorrelation"),
    }


def _symbol_tiles(account: Account) -> dict[str, tuple[str, str]]:
    counts = frequencies(account)
    once = int((counts == 1).sum())
    return {
        "Symbols": (f"{len(counts):,}", f"different ones, {once:,} of them once only" if once else "different ones"),
        "Most frequent": (repr(counts.index[0]), f"{share(counts.iloc[0], counts.sum())} of the symbols"),
    }


def _history(account: Account, series: int) -> pd.DataFrame:
    panel = account.panel
    stamps = panel.stamps(panel.first[series] + np.arange(account.lengths[series]))
    return pd.DataFrame({"unique_id": str(panel.ids[series]), "ds": stamps, "y": panel.history(series)})


def _outliers(account: Account, series: int) -> pd.DataFrame:
    panel, found = account.panel, account.outliers
    here = found.series == series
    columns: dict[str, Any] = {
        "unique_id": str(panel.ids[series]),
        "ds": panel.stamps(panel.first[series] + found.steps[here]),
        "y": found.values[here],
        "score": found.scores[here],
    }
    return pd.DataFrame(columns)


def _caption(account: Account, series: int) -> str:
    gaps = int((account.gaps.series == series).sum())
    outliers = int((account.outliers.series == series).sum())
    told = [plural(int(account.lengths[series]), "step")]
    told += [f"{account.missing[series]:,} missing in {plural(gaps, 'gap')}"] if gaps else ["none missing"]
    told += [plural(outliers, "outlier")] if outliers else []
    return ", ".join(told)
