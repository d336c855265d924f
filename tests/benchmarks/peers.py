"""End to end on M4 Hourly beside what a user might choose instead: seconds, memory and OWA.

    python tests/benchmarks/peers.py --data FOLDER --envs ENVS [--rows forecaster-gru gluonts]
    python tests/benchmarks/peers.py --show

FOLDER holds `m4/`. ENVS holds a virtual environment for each other library, since they do not share one:

    ENVS/neuralforecast    neuralforecast
    ENVS/gluonts           gluonts[torch]
    ENVS/darts             darts torch pytorch-lightning
    ENVS/skforecast        skforecast keras tensorflow matplotlib
    ENVS/statsforecast     statsforecast

Each row is a process of its own that reads the training file as CSV, fits, forecasts 48 steps of all 414 series and
writes them; all of that counts, imports too. Of the seconds, those of the forecasts are told by themselves; DeepAR's
and `recursive_gru`'s are sampled paths. Memory is the peak of the process; beside it, what importing the bare framework
takes. What each program is told, is in `peer_programs.py`. Scores are computed here, by one code for all.
Rows are kept in `results/peers.json` and shown in `results/peers.md`. Run it with nothing else on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from accuracy import machine
from accuracy_sets import ROWS, Part
from peer_programs import HORIZON, SETTINGS

from forecaster import NaiveForecaster, naive2
from forecaster.evaluation.metrics import scales, score

RESULTS = Path(__file__).parent / "results"
PROGRAM = Path(__file__).parent / "peer_programs.py"
BARE = "import {}; print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
LIMIT = 900
"""Seconds after which a row is given up."""


def main() -> int:
    """Measures what was asked for and writes the results; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="holds m4/")
    parser.add_argument("--envs", type=Path, metavar="ENVS", help="holds an environment for each other library")
    parser.add_argument("--rows", nargs="+", default=list(SETTINGS), choices=list(SETTINGS), metavar="ROW")
    parser.add_argument("--show", action="store_true", help="write the table from the kept results only")
    asked = parser.parse_args()
    if not asked.show:
        if not (asked.data and asked.envs):
            parser.error("--data FOLDER and --envs ENVS are missing")
        part = next(iter(ROWS["m4_hourly"].read(asked.data)))
        for row in asked.rows:
            keep(measured(row, part, asked.envs))
    (RESULTS / "peers.md").write_text(page(kept()), encoding="utf-8")
    return 0


def measured(row: str, part: Part, envs: Path) -> dict[str, Any]:
    """One row, in a process of its own."""
    library = row.partition("-")[0]
    python = sys.executable if library == "forecaster" else str(envs / library / "bin" / "python")
    with tempfile.TemporaryDirectory() as folder:
        training, out = Path(folder) / "train.csv", Path(folder) / "forecasts.csv"
        part.fitting.frame().query("y == y").to_csv(training, index=False)
        result = timed([python, "-P", str(PROGRAM), row, str(training), str(out)])
        if "failed" not in result:
            result |= judged(pd.read_csv(out), part)
    bare = {"forecaster": "tensorflow", "skforecast": "tensorflow", "statsforecast": "pandas"}.get(library, "torch")
    result["bare"] = timed([python, "-c", BARE.format(bare)])["memory"]
    result |= {"row": row, "settings": SETTINGS[row], "machine": machine(), "load": os.getloadavg()[0]}
    print({key: round(value, 3) if isinstance(value, float) else value for key, value in result.items()}, flush=True)
    return result


def timed(command: list[str]) -> dict[str, Any]:
    """Seconds by the clock and of all cores, and the peak of memory in MB; or how it failed."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(["timeout", str(LIMIT), *command], stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        told = said.read().decode(errors="replace")
    spent = {
        "seconds": time.perf_counter() - began, "cpu": used.ru_utime + used.ru_stime, "memory": float("nan"),
    }  # fmt: skip
    if process.returncode:
        return {**spent, "failed": (told.strip().splitlines() or ["no words"])[-1]}
    *_, forecast, peak = [line for line in ("0.0\n" + told).splitlines() if line.replace(".", "", 1).isdigit()]
    return {**spent, "memory": int(peak) * 1024 / 1e6, "forecast": float(forecast)}


def judged(said: pd.DataFrame, part: Part) -> dict[str, float]:
    """OWA, sMAPE and MASE of forecasts, with Naive2 from this project's own code."""
    series, steps = len(part.panel), np.arange(1, HORIZON + 1)
    table = said.pivot(index="unique_id", columns="step", values="value").reindex(part.panel.ids)
    if table.shape != (series, HORIZON) or not np.isfinite(table.to_numpy()).all() or list(table) != list(steps):
        return {"owa": float("nan"), "smape": float("nan"), "mase": float("nan")}
    frame = NaiveForecaster(naive2, HORIZON, part.season).fit(part.fitting).predict(part.fitting, [])
    rows = part.panel.ends[:, None] - HORIZON + np.arange(HORIZON)
    frame = frame.assign(y=part.panel.target[rows].reshape(-1).astype(float), model=table.to_numpy().reshape(-1))
    found = score(frame, ["model", "naive2"], ["smape", "mase"], scales(part.fitting, part.season))
    scores = {name: float(found.loc["model", name]) for name in ("smape", "mase")}
    return scores | {"owa": float((found.loc["model"] / found.loc["naive2"]).mean())}


def keep(result: dict[str, Any]) -> None:
    """Puts a row into the kept ones, in place of an older one."""
    others = [one for one in kept() if one["row"] != result["row"]]
    ordered = sorted([*others, result], key=lambda one: list(SETTINGS).index(one["row"]))
    (RESULTS / "peers.json").write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


def kept() -> list[dict[str, Any]]:
    """The kept rows."""
    file = RESULTS / "peers.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []


def page(rows: list[dict[str, Any]]) -> str:
    """The rows as a table in Markdown."""
    lines = [
        f"# {(__doc__ or '').splitlines()[0]}", "",
        "| program | settings | OWA | seconds | of these to forecast | CPU seconds | peak MB | above bare framework |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    for one in rows:
        owa = f"failed: {one['failed']}" if "failed" in one else f"{one['owa']:.3f}"
        above = one["memory"] - one["bare"]
        lines.append(
            f"| {one['row']} | {one['settings']} | {owa} | {one['seconds']:.1f} | "
            f"{one.get('forecast', float('nan')):.2f} | {one['cpu']:.0f} | "
            f"{one['memory']:.0f} | {above:.0f} |"
        )
    lines += ["", "Machine: " + "; ".join(sorted({one["machine"] for one in rows}))]
    lines += ["", "Load when each row had ended: " + ", ".join(f"{one['row']} {one['load']:.1f}" for one in rows), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
