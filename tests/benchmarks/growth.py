"""How time and memory grow with the number of series, their length and the lookback, each part by itself.

    python tests/benchmarks/growth.py [--axes series length lookback] [--limit 60]
    python tests/benchmarks/growth.py --show

Each point is a process of its own: hourly series with a cycle of seven steps become a panel, defaults are found, 20
steps are fitted (a GRU of 32 units, batches of 64), every series is forecast, and the forecast is scored. A point that
takes longer than the limit (seconds) ends its axis. The slope is that of the logarithms between the last two points: 1
is linear. Memory is the peak of the process above what it had before there were data. Points are kept in
`results/growth.json`, the table is `results/growth.md`, the plot `results/growth.svg`.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from accuracy import machine
from growth_plot import plot

RESULTS = Path(__file__).parent / "results"
AXES: dict[str, tuple[str, list[dict[str, int]]]] = {
    "series": (
        "series of 200 steps, lookback 56",
        [{"series": count, "length": 200, "lookback": 56} for count in (10, 100, 1_000, 10_000, 100_000)],
    ),
    "length": (
        "steps of one series, lookback 56",
        [{"series": 1, "length": count, "lookback": 56} for count in (200, 1_000, 10_000, 100_000, 1_000_000)],
    ),
    "lookback": (
        "steps of lookback, 20 series of 5,000 steps",
        [{"series": 20, "length": 5_000, "lookback": count} for count in (28, 112, 448, 1_008, 2_002)],
    ),
}
LIMITS = """
## Where each becomes the limit

Number of series: memory, by the frame that they come in (a name and a time stamp in every row: with its making 2.8 GB
for 100,000 series of 200 steps, whose panel is 80 MB). In time, panel, forecasts and scores grow with the rows and
meet a whole fit of a minute or two at some hundred thousand series. Length: memory again, four bytes a value and
column, held up to three times in a fit; the fit itself does not grow, since it draws as many windows whatever there
is. Lookback: the batch and what the gradient keeps of every segment; a step grows with lookback / segment, and below
a thousand steps the building of the graph is more than that.

What Dask then does (`executor: {dask: …}`): with `groups` every worker reads the file and keeps the series of its own
group, so panel, fit, forecasts and scores are divided by the workers; the reading is not, and the file must fit each
worker's memory once as it is read. Folds of a backtest with `refit` and retrainings are divided in the same way. One
network on one group is learnt in one process; many series in one network are a matter of more memory, or of a sample
of series.
"""
PARTS = ("panel", "defaults", "fit", "forecast", "score", "memory")
HORIZON = 14


def main() -> int:
    """Measures the axes asked for and writes the results; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axes", nargs="+", default=list(AXES), choices=list(AXES))
    parser.add_argument("--limit", type=float, default=60.0, help="seconds of the last point of an axis")
    parser.add_argument("--show", action="store_true", help="write table and plot from the kept results only")
    parser.add_argument("--point", type=json.loads, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.point:
        print(json.dumps(measured(**asked.point)))
        return 0
    for axis in () if asked.show else asked.axes:
        keep(axis, along(axis, asked.limit))
    (RESULTS / "growth.md").write_text(page(kept()), encoding="utf-8")
    (RESULTS / "growth.svg").write_text(
        plot(kept(), {axis: told for axis, (told, _) in AXES.items()}, PARTS), encoding="utf-8"
    )
    return 0


def along(axis: str, limit: float) -> list[dict[str, float]]:
    """The points of an axis."""
    points = []
    for point in AXES[axis][1]:
        began = time.perf_counter()
        command = [sys.executable, __file__, "--point", json.dumps(point)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        points.append({axis: point[axis], **json.loads(done.stdout.splitlines()[-1])})
        print({key: round(value, 3) for key, value in points[-1].items()}, flush=True)
        if time.perf_counter() - began > limit:
            break
    return points


def measured(series: int, length: int, lookback: int) -> dict[str, float]:
    """Seconds of each part, and megabytes."""
    import keras

    from forecaster.config import ModelDefinition
    from forecaster.evaluation.metrics import scales, score
    from forecaster.forecasting.defaults import resolve
    from forecaster.forecasting.recurrent import RecurrentForecaster
    from forecaster.series import Columns, panel_from_frame

    keras.ops.zeros(1)
    warm = made(series=2, length=200)
    panel_from_frame(warm, Columns(id="unique_id"))
    before, clock, spent = peak(), Clock(), {}
    frame = made(series, length)
    clock.lap()
    panel = panel_from_frame(frame, Columns(id="unique_id"))
    del frame
    spent["panel"] = clock.lap()
    resolve(panel, HORIZON, lookback, "auto", "auto", "auto", HORIZON, "auto")
    spent["defaults"] = clock.lap()
    model = ModelDefinition(network="gru", name="gru", units=32, steps=20, batch_size=64, evaluate_every=20)
    forecaster = RecurrentForecaster(model, HORIZON, lookback=lookback, season=7, transform="none", validation=2)
    fitting = panel.until(panel.last - HORIZON)
    forecaster.fit(fitting)
    spent["fit"] = clock.lap()
    said = forecaster.predict(fitting)
    spent["forecast"] = clock.lap()
    rows = panel.ends[:, None] - HORIZON + np.arange(HORIZON)
    score(said.assign(y=panel.target[rows].ravel()), ["gru"], ["mase", "smape"], scales(fitting, 7))
    spent["score"] = clock.lap()
    return {**spent, "memory": peak() - before, "data": panel.values.nbytes / 1e6}


class Clock:
    """Seconds since the last lap."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Seconds since the last one."""
        now = time.perf_counter()
        since, self._last = now - self._last, now
        return since


def made(series: int, length: int) -> pd.DataFrame:
    """Series with a cycle of seven steps, as a long frame."""
    generator, steps = np.random.default_rng(1), np.arange(length)
    values = 10 + 3 * np.sin(2 * np.pi * steps / 7) + generator.normal(0, 0.5, (series, length))
    names = np.repeat([f"s{number:06d}" for number in range(series)], length)
    stamps = pd.date_range("2000-01-01", periods=length, freq="h")
    return pd.DataFrame({"unique_id": names, "ds": np.tile(stamps, series), "y": values.ravel()})


def peak() -> float:
    """Most megabytes that this process has had in memory."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def keep(axis: str, points: list[dict[str, float]]) -> None:
    """Puts an axis into the kept ones."""
    (RESULTS / "growth.json").write_text(json.dumps({**kept(), axis: points}, indent=1) + "\n", encoding="utf-8")


def kept() -> dict[str, list[dict[str, float]]]:
    """The kept axes."""
    file = RESULTS / "growth.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def slope(points: list[dict[str, float]], axis: str, part: str) -> float:
    """Of the logarithms between the last two points."""
    (x, y), (u, v) = [(one[axis], max(one[part], 1e-4)) for one in points[-2:]]
    return math.log(v / y) / math.log(u / x)


def page(axes: dict[str, list[dict[str, float]]]) -> str:
    """The points as tables in Markdown."""
    lines = [f"# {(__doc__ or '').splitlines()[0]}", "", "![times and memory](growth.svg)", ""]
    for axis, points in axes.items():
        lines += [f"## {AXES[axis][0]}", "", f"| {axis} | {' s | '.join(PARTS[:-1])} s | memory MB | data MB |"]
        lines += ["|" + "---:|" * (len(PARTS) + 2)]
        for one in points:
            times = " | ".join(f"{one[part]:.2f}" for part in PARTS[:-1])
            lines.append(f"| {one[axis]:,} | {times} | {one['memory']:,.0f} | {one['data']:,.1f} |")
        slopes = " | ".join(f"{slope(points, axis, part):.2f}" for part in PARTS)
        lines += [f"| slope | {slopes} | |", ""]
    return "\n".join([*lines, f"Machine: {machine()}.", LIMITS])


if __name__ == "__main__":
    sys.exit(main())
