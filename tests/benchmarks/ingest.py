"""Time and memory to read and check a large CSV file, beside what pandas takes to parse it.

    python tests/benchmarks/ingest.py [--rows 10_000_000] [--series 10_000] [--repeat 3]

Writes a file of hourly rows, series by series, and reads it with `forecaster.read_csv`, with pandas' default engine and
with pandas' pyarrow engine into typed columns (text, dates, numbers). Each measurement is a process of its own; they
take turns, and the fastest of each counts. Memory is what the peak of the process lies above what it had when all was
imported. On a machine that is busy otherwise, compare CPU seconds: both pyarrow and the reader use two cores.
Exits with 1 if the reader takes more than 1.5 times the default engine's time, or more memory than 3 times
the size of the parsed frame.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MOST_TIME = 1.5
MOST_MEMORY = 3.0
WAYS = {
    "pandas": "pandas, default engine",
    "pyarrow": "pandas, pyarrow engine",
    "forecaster": "forecaster: read, checked, on the grid",
}


def main() -> int:
    """Prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3, help="measurements of each way")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.way:
        print(json.dumps(measure(told.way, told.file)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.csv"
        write(path, told.rows, told.series)
        print(f"{told.rows:,} rows, {told.series:,} series, {path.stat().st_size / 1e6:,.0f} MB\n")
        return report(compare(path, told.repeat))


def write(path: Path, rows: int, series: int) -> None:
    """A file of equally long series, some hundred of them at a time."""
    steps = rows // series
    stamps = pd.date_range("2020-01-01", periods=steps, freq="h").strftime("%Y-%m-%dT%H:%M:%S").to_numpy()
    generator = np.random.default_rng(1)
    for first in range(0, series, 500):
        names = [f"series_{number:05d}" for number in range(first, min(first + 500, series))]
        values = generator.normal(100, 10, len(names) * steps).round(3)
        frame = pd.DataFrame({"unique_id": np.repeat(names, steps), "ds": np.tile(stamps, len(names)), "y": values})
        frame.to_csv(path, mode="a", header=first == 0, index=False)


def measure(way: str, path: Path) -> dict[str, float]:
    """Seconds by the clock and of all cores, megabytes above the start, and megabytes of the frame."""
    import pyarrow.csv  # noqa: F401 - what the ways import late counts for none of them

    from forecaster.series import read_csv

    before, used, begun, size = peak(), time.process_time(), time.perf_counter(), 0.0
    if way == "forecaster":
        read_csv(path, id="unique_id")
        seconds, cpu = time.perf_counter() - begun, time.process_time() - used
    else:
        engine: Any = {"engine": "pyarrow"} if way == "pyarrow" else {}
        frame = pd.read_csv(path, parse_dates=["ds"], **engine)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - used
        size = float(frame.memory_usage(deep=True).sum()) / 1e6
    return {"seconds": seconds, "cpu": cpu, "memory": peak() - before, "frame": size}


def peak() -> float:
    """Largest resident memory of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 * 1.048576


def compare(path: Path, repeat: int) -> pd.DataFrame:
    """The fastest of each way, with the memory of that one."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(repeat):
        for way in WAYS:
            command = [sys.executable, __file__, "--way", way, "--file", str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found[way].append(json.loads(done.stdout))
    return pd.DataFrame({way: min(those, key=lambda one: one["seconds"]) for way, those in found.items()}).T


def report(table: pd.DataFrame) -> int:
    """Prints times and memory as ratios."""
    frame = table.loc["pandas", "frame"]
    times, memory = table["seconds"] / table.loc["pandas", "seconds"], table["memory"] / frame
    print(f"{'':40s}{'seconds':>9s}{'ratio':>8s}{'CPU seconds':>13s}{'MB':>9s}{'of the frame':>14s}")
    for way, words in WAYS.items():
        row = table.loc[way]
        print(
            f"{words:40s}{row['seconds']:9.2f}{times[way]:8.2f}{row['cpu']:13.2f}{row['memory']:9.0f}{memory[way]:14.2f}"
        )
    print(f"\nthe parsed frame: {frame:,.0f} MB; ratio to the pyarrow engine: ", end="")
    print(f"{table.loc['forecaster', 'seconds'] / table.loc['pyarrow', 'seconds']:.2f}")
    kept = times["forecaster"] <= MOST_TIME and memory["forecaster"] <= MOST_MEMORY
    print(f"target (time {MOST_TIME:g}, memory {MOST_MEMORY:g}): {'kept' if kept else 'NOT kept'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
