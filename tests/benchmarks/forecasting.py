"""Seconds of what comes after a fit: forecasts of all 414 series of M4 Hourly, a backtest of 10 origins, sampled paths.

    python tests/benchmarks/forecasting.py --data FOLDER [--models gru custom_lstm recursive_gru] [--repeat 5]

FOLDER holds `m4/`. Each network is fitted for a few steps, which the seconds do not know of, in a process of its own.
`first` is a forecast of all series as a fitted network makes it first, with the building of its graph if the looks at
the validation part have not built it; `again` is the fastest of the later ones. The backtest forecasts all series at
ten cutoffs 24 steps apart, scores not included; the windows of a cutoff are gathered when it is its turn.
`recursive_gru` draws 200 paths for each series; the others say all quantiles at once. Memory is the peak of the
process. Beside other libraries: `peers.py`. Writes `results/forecasting.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from accuracy import machine
from accuracy_sets import ROWS
from growth import Clock, peak

RESULTS = Path(__file__).parent / "results" / "forecasting.md"
ORIGINS, EVERY, STEPS = 10, 24, 20


def main() -> int:
    """Measures each network and writes the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="FOLDER", required=True, help="holds m4/")
    parser.add_argument("--models", nargs="+", default=["gru", "custom_lstm", "recursive_gru"])
    parser.add_argument("--repeat", type=int, default=5, help="later forecasts of all series")
    parser.add_argument("--series", type=int, default=414, help="fewer, to try the program")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measured(asked.one, asked.data, asked.repeat, asked.series)))
        return 0
    rows = {}
    for model in asked.models:
        command = [sys.executable, __file__, "--one", model, "--data", str(asked.data)]
        command += ["--repeat", str(asked.repeat), "--series", str(asked.series)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        rows[model] = json.loads(done.stdout.splitlines()[-1])
        print(model, rows[model], flush=True)
    RESULTS.write_text(page(rows, asked.series), encoding="utf-8")
    return 0


def measured(model: str, data: Path, repeat: int, series: int) -> dict[str, float]:
    """Seconds of one network, and megabytes."""
    from forecaster import RecurrentForecaster
    from forecaster.config import Project
    from forecaster.evaluation.backtest import roll
    from forecaster.series import cutoffs

    part = next(iter(ROWS["m4_hourly"].read(data)))
    panel = part.panel.select(list(range(min(series, len(part.panel)))))
    definition = Project.find().model(model).model_copy(update={"steps": STEPS, "finish": 0.0})
    origins = cutoffs(panel, part.horizon, ORIGINS, EVERY)
    fitted = RecurrentForecaster(definition, part.horizon).fit(panel.until(origins[0]))
    clock, seen = Clock(), panel.until(origins[-1])
    clock.lap()
    fitted.predict(seen)
    first, later = clock.lap(), []
    for _ in range(repeat):
        fitted.predict(seen)
        later.append(clock.lap())
    began = time.perf_counter()
    rows = len(roll(fitted, panel, origins))
    return {
        "first": first, "again": min(later), "backtest": time.perf_counter() - began, "rows": rows, "memory": peak(),
    }  # fmt: skip


def page(rows: dict[str, dict[str, float]], series: int) -> str:
    """The table in Markdown."""
    lines = [
        f"# {(__doc__ or '').splitlines()[0]}", "",
        f"| network | first forecast of {series} series s | again s | backtest, {ORIGINS} origins s | its rows | MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    for model, one in rows.items():
        times = " | ".join(f"{one[name]:.2f}" for name in ("first", "again", "backtest"))
        lines.append(f"| {model} | {times} | {one['rows']:,} | {one['memory']:,.0f} |")
    return "\n".join([*lines, "", f"Machine: {machine()}. Load when it had ended: {os.getloadavg()[0]:.1f}.", ""])


if __name__ == "__main__":
    sys.exit(main())
