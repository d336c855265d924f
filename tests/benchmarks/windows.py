"""Windows per second into a training step, random order, values and mask, one thread; beside what others offer.

    python tests/benchmarks/windows.py [--torch PYTHON] [--batch 1024] [--seconds 2]

One series of a million points, lookback 168, horizon 48. Each way is a process of its own, with one thread. A batch is
an array of the values of lookback and horizon and a mask of what was observed of the lookback. Bytes are those of both.
Memory is what ten million points take beyond what one million take while the way runs, in times of these points:
imports and batches drop out; what reading the data takes for a moment (`ingest.py`) does not count. PYTHON is an
interpreter that has torch. Writes `results/windows.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

LOOKBACK, HORIZON, POINTS = 168, 48, 1_000_000
RESULTS = Path(__file__).parent / "results" / "windows.md"
Batches = Iterator[tuple[Any, Any]]


def forecaster(values: np.ndarray, batch: int, lookback: int, covariates: int = 0) -> Batches:
    """Drawn and gathered as in a fit."""
    import pandas as pd

    from forecaster.series import Columns, panel_from_frame, training_windows

    names = [f"known_{number}" for number in range(covariates)]
    small = pd.DataFrame({"ds": range(9), **dict.fromkeys(["y", *names], 1.0)})
    table = np.stack([values] * (1 + covariates), axis=1) if covariates else values[:, None]
    ends = np.array([len(values)])
    panel = panel_from_frame(small, Columns(known=tuple(names)))
    panel = replace(panel, values=table, offsets=np.array([0, len(values)]), ends=ends)
    windows = training_windows(panel, lookback, HORIZON)
    step = 0
    while True:
        got = windows.gather(windows.draw(batch, 1, step))
        yield got, np.isfinite(got.past)
        step += 1


def with_covariates(values: np.ndarray, batch: int, lookback: int) -> Batches:
    """The same with four known covariates."""
    return forecaster(values, batch, lookback, 4)


def sliding(values: np.ndarray, batch: int, lookback: int) -> Batches:
    """NumPy's view of all windows, by index."""
    views = np.lib.stride_tricks.sliding_window_view(values, lookback + HORIZON)
    generator = np.random.default_rng(1)
    while True:
        got = views[generator.integers(len(views), size=batch)]
        yield got, np.isfinite(got[:, :lookback])


def keras_dataset(values: np.ndarray, batch: int, lookback: int) -> Batches:
    """keras.utils.timeseries_dataset_from_array."""
    import keras

    targets = np.lib.stride_tricks.sliding_window_view(values[lookback:], HORIZON)
    data = keras.utils.timeseries_dataset_from_array(values, targets, lookback, batch_size=batch, shuffle=True, seed=1)
    for past, target in data:
        yield (past, target), np.isfinite(past.numpy())


def tf_windows(values: np.ndarray, batch: int, lookback: int) -> Batches:
    """tf.data's recipe: window, flat_map, shuffle."""
    import tensorflow as tf

    size = lookback + HORIZON
    data = tf.data.Dataset.from_tensor_slices(values).window(size, shift=1, drop_remainder=True)
    data = data.flat_map(lambda window: window.batch(size)).shuffle(10_000, seed=1).batch(batch)
    for got in data:
        yield got, np.isfinite(got[:, :lookback].numpy())


def tf_gather(values: np.ndarray, batch: int, lookback: int) -> Batches:
    """tf.data over random starts, with one tf.gather a batch."""
    import tensorflow as tf

    table, steps = tf.constant(values), tf.range(lookback + HORIZON)[None]
    last = len(values) - lookback - HORIZON
    data = tf.data.Dataset.counter().map(
        lambda step: tf.gather(table, tf.random.stateless_uniform([batch, 1], [1, step], 0, last + 1, tf.int32) + steps)
    )
    for got in data:
        yield got, np.isfinite(got[:, :lookback].numpy())


def torch_loader(values: np.ndarray, batch: int, lookback: int) -> Batches:
    """A torch DataLoader over a Dataset of windows, shuffled."""
    import torch
    from torch.utils.data import DataLoader, Dataset

    torch.set_num_threads(1)
    table = torch.from_numpy(values)

    class Windows(Dataset):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return len(table) - lookback - HORIZON + 1

        def __getitem__(self, place: int) -> Any:
            return table[place : place + lookback + HORIZON]

    for got in DataLoader(Windows(), batch_size=batch, shuffle=True):
        yield got, torch.isfinite(got[:, :lookback])


WAYS: dict[str, tuple[str, Callable[[np.ndarray, int, int], Batches]]] = {
    "forecaster": ("forecaster: `Windows.draw` and `gather`", forecaster),
    "covariates": ("forecaster, with 4 known covariates (5 times the data)", with_covariates),
    "sliding": ("NumPy's sliding_window_view, by index", sliding),
    "tf_gather": ("tf.data, one tf.gather a batch", tf_gather),
    "torch": ("torch DataLoader", torch_loader),
    "keras": ("keras.utils.timeseries_dataset_from_array", keras_dataset),
    "tf_windows": ("tf.data's window and flat_map", tf_windows),
}

COLUMNS = {"covariates": 5}
"""Of the raw data, where there is more than one."""
FAR = ("forecaster", "sliding", "tf_gather")
"""Which are asked for their memory at a lookback of 2000, too."""


def main() -> int:
    """Measures each way and writes the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", metavar="PYTHON", help="an interpreter that has torch")
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each way")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--points", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--lookback", type=int, default=LOOKBACK, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        print(json.dumps(measured(WAYS[asked.way][1], asked.batch, asked.seconds, asked.lookback, asked.points)))
        return 0
    rows = []
    for way, (title, _) in WAYS.items():
        if way == "torch" and not asked.torch:
            continue
        python = asked.torch if way == "torch" else sys.executable
        found = in_own_process(python, way, asked.batch, asked.seconds, LOOKBACK, POINTS)
        far = memory(python, way, asked.batch, 2000) if way in FAR else None
        rows.append(row(title, found, memory(python, way, asked.batch, LOOKBACK), far))
        print(rows[-1], flush=True)
    RESULTS.write_text(page(rows, asked.batch), encoding="utf-8")
    return 0


def memory(python: str, way: str, batch: int, lookback: int) -> float:
    """Bytes in memory for each byte of raw data."""
    few, many = [
        in_own_process(python, way, batch, 0.5, lookback, points)["memory"] for points in (POINTS, 10 * POINTS)
    ]
    return (many - few) / (9 * POINTS * np.dtype(np.float32).itemsize * COLUMNS.get(way, 1))


def in_own_process(python: str, way: str, batch: int, seconds: float, lookback: int, points: int) -> dict[str, float]:
    """One way, on one thread."""
    alone = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    told = ["--way", way, "--batch", str(batch), "--seconds", str(seconds), "--lookback", str(lookback)]
    told += ["--points", str(points)]
    command = [python, "-P", __file__, *told]
    environment = {**os.environ, **alone, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def measured(
    way: Callable[[np.ndarray, int, int], Batches], batch: int, seconds: float, lookback: int, points: int
) -> dict[str, float]:
    """Windows and bytes a second in the best of five stretches, and bytes in memory after them."""
    values = np.random.default_rng(1).standard_normal(points, np.float32)
    batches = way(values, batch, lookback)
    size = sum(part.nbytes for part in parts(next(batches)))
    rates = []
    for _ in range(5):
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds / 5:
            next(batches)
            count += batch
        rates.append(count / (time.perf_counter() - began))
    return {"windows": max(rates), "bytes": max(rates) * size / batch, "memory": resident()}


def resident() -> int:
    """Bytes of this process in memory now."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * resource.getpagesize()


def parts(got: Any) -> list[Any]:
    """The arrays of a batch."""
    if isinstance(got, tuple):
        return [part for one in got for part in parts(one)]
    return [got.past, got.known, got.target] if hasattr(got, "past") else [np.asarray(got)]


def row(title: str, found: dict[str, float], near: float, far: float | None) -> str:
    """A row of the table."""
    more = "" if far is None else f"{far:.2f}"
    return f"| {title} | {found['windows'] / 1e3:,.0f} | {found['bytes'] / 1e9:.2f} | {near:.2f} | {more} |"


def page(rows: list[str], batch: int) -> str:
    """The table in Markdown."""
    told = f"Batches of {batch}, lookback {LOOKBACK}, horizon {HORIZON}, {POINTS:,} points, one thread."
    head = "| way | thousand windows/s | GB/s | memory in times of the raw data | the same, lookback 2000 |"
    title = (__doc__ or "").splitlines()[0]
    load = f"Load when it had ended: {os.getloadavg()[0]:.1f}."
    return "\n".join([f"# {title}", "", told, "", head, "|---|---:|---:|---:|---:|", *rows, "", load, ""])


if __name__ == "__main__":
    sys.exit(main())
