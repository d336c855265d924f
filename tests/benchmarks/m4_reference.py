"""Holds the baselines and the scorer against the M4 competition: its published scores and its own forecasts.

    python tests/benchmarks/m4_reference.py --data FOLDER

FOLDER holds `m4/` (the series as published, and the organisers' own forecasts, from Mcompetitions/M4-methods on GitHub)
and `reference/m4_published_point_accuracy.csv` (the competition's table "Evaluation and Ranks"). Exits with 1 if a
score differs from the published one by more than its rounding, or a forecast from the organisers' by more than 32-bit
numbers do.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from forecaster.evaluation import backtest, leaderboard
from forecaster.forecasting.baselines import NaiveForecaster, naive, naive2, seasonal_naive
from forecaster.series import Columns, Panel, cutoffs, panel_from_frame

PUBLISHED = {"naive": "Naive", "seasonal_naive": "sNaive", "naive2": "Naive2"}
SUBMITTED = {"seasonal_naive": "sNaive", "naive2": "Naive2"}
ROUNDING = 0.0005 + 1e-6
"""Of a score published with three decimals."""
PRECISION = 1e-6
"""Relative difference of forecasts that 32-bit numbers explain."""


@dataclass(frozen=True)
class Group:
    """A part of the competition: its name, horizon and season."""

    name: str
    horizon: int
    season: int


GROUPS = (Group("Hourly", 48, 24), Group("Weekly", 13, 1))


def main() -> int:
    """Prints one line a score and one a set of forecasts; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="holds m4/ and reference/")
    folder: Path = parser.parse_args().data
    published = pd.read_csv(folder / "reference" / "m4_published_point_accuracy.csv", index_col="Method")
    right = True
    for group in GROUPS:
        frame, table = judged(read(folder, group), group)
        right &= scores_agree(table, published, group)
        right &= forecasts_agree(frame, folder, group)
    print("all agree" if right else "NOT all agree")
    return 0 if right else 1


def read(folder: Path, group: Group) -> Panel:
    """The series of a group, training part and test part together, on clocks of their own."""
    parts = [pd.read_csv(folder / "m4" / f"{group.name}-{part}.csv.gz", index_col=0) for part in ("train", "test")]
    values = [parts[0].loc[name].dropna().tolist() + parts[1].loc[name].tolist() for name in parts[0].index]
    counts = [len(one) for one in values]
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(parts[0].index.to_numpy(), counts),
            "ds": np.concatenate([np.arange(1, count + 1) for count in counts]),
            "y": np.concatenate(values),
        }
    )
    return panel_from_frame(frame, Columns(id="unique_id"), freq=1, clock="own")


def judged(panel: Panel, group: Group) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The forecasts from the end of the training part, and their leaderboard by model."""
    rules = [NaiveForecaster(rule, group.horizon, group.season) for rule in (naive, seasonal_naive, naive2)]
    frame = backtest(rules, panel, windows=1)
    fitting = panel.until(cutoffs(panel, group.horizon, 1, group.horizon)[0])
    return frame, leaderboard(frame, fitting, season=group.season).set_index("model")


def scores_agree(table: pd.DataFrame, published: pd.DataFrame, group: Group) -> bool:
    """Prints ours beside the published scores."""
    right = True
    for model, method in PUBLISHED.items():
        for metric, name in (("smape", "sMAPE"), ("mase", "MASE")):
            ours, theirs = table[metric][model], published[f"{name}_{group.name}"][method]
            same = abs(ours - theirs) <= ROUNDING
            right &= same
            print(f"{group.name} {method:7s} {name:5s} {ours:9.4f}  published {theirs:7.3f}{_verdict(same)}")
    return right


def forecasts_agree(frame: pd.DataFrame, folder: Path, group: Group) -> bool:
    """Prints the largest relative difference to the organisers' own forecasts."""
    right = True
    for model, method in SUBMITTED.items():
        file = folder / "m4" / f"submission-{method}-hourly-weekly.csv.gz"
        ours = frame.set_index("unique_id")[model]
        theirs = pd.read_csv(file, index_col="id").loc[ours.index.unique()].to_numpy()[:, : group.horizon]
        difference = float(np.max(np.abs(ours.to_numpy() / theirs.reshape(-1) - 1)))
        same = difference <= PRECISION
        right &= same
        print(
            f"{group.name} {method:7s} forecasts: {theirs.size} values, largest relative difference to the organisers' "
            f"{difference:.1e}{_verdict(same)}"
        )
    return right


def _verdict(same: bool) -> str:
    return "" if same else "  DIFFERS"


if __name__ == "__main__":
    sys.exit(main())
