"""What a training step spends on what: our loop against the bare network in a loop written by hand, and its products.

    python tests/benchmarks/step.py [--models gru lstm custom_lstm] [--steps 60] [--repeat 5]

The panel is 100 hourly series of 1000 steps; lookback 336, horizon 48, the rest as by default. `ours` is the fit's own
loop: windows drawn and gathered, looks for a stop, losses kept and checked, progress reported; without looks at the
validation part, which are not part of a step. `by hand` is one graph of forward pass, gradient and optimiser, called
with a batch that lies ready as a tensor and whose loss is not read. Both take turns in one process; the fastest stretch
of each counts. Products are the operations in which matrices are multiplied, by TensorFlow's profiler: `MatMul` and its
kin, and the kernels that go through whole sequences, which are hardly more than products. Writes `results/step.md`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from accuracy import machine

RESULTS = Path(__file__).parent / "results" / "step.md"
PRODUCTS = ("MatMul", "BlockLSTM", "LSTMBlock", "Einsum")


def main() -> int:
    """Measures each network and writes the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["gru", "lstm", "custom_lstm"])
    parser.add_argument("--steps", type=int, default=60, help="of a stretch, whole tens")
    parser.add_argument("--repeat", type=int, default=5, help="stretches of each loop")
    asked = parser.parse_args()
    rows = [measured(model, asked.steps, asked.repeat) for model in asked.models]
    RESULTS.write_text(page(rows), encoding="utf-8")
    print(page(rows))
    return 0


def measured(model: str, steps: int, repeat: int) -> dict[str, Any]:
    """One network."""
    from forecaster.forecasting.lessons import window_lessons
    from forecaster.forecasting.recurrent import RecurrentForecaster
    from forecaster.series import cutoffs

    panel = hourly()
    maker = RecurrentForecaster(model, 48, lookback=336, season=24)
    maker.definition = maker.definition.model_copy(update={"steps": 1, "finish": 0.0})
    maker.fit(panel)
    resolved, network = maker.resolved, maker._network
    assert resolved is not None
    definition = maker._filled_in(resolved).model_copy(update={"evaluate_every": 10**6})
    border = cutoffs(panel, 48, resolved.validation, 48)[0]
    lessons = window_lessons(panel, border, resolved, 48, definition, 1)
    ours, bare = our_loop(network, lessons, definition), by_hand(network, lessons)
    ours(steps), bare(steps)
    times: dict[str, list[float]] = {"ours": [], "by hand": []}
    for _ in range(repeat):
        times["ours"].append(ours(steps))
        times["by hand"].append(bare(steps))
    best = {name: min(those) / steps for name, those in times.items()}
    return {"model": model, "batch": definition.batch_size, **best, "products": products(bare)}


def hourly() -> Any:
    """The panel."""
    from forecaster.series import Columns, panel_from_frame

    generator, count, length = np.random.default_rng(1), 100, 1000
    daily = np.sin(np.arange(length) * 2 * np.pi / 24)
    values = 10 + 3 * daily + generator.normal(0, 0.5, (count, length))
    stamps = pd.date_range("2024-01-01", periods=length, freq="h")
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(count).astype(str), length),
            "ds": np.tile(stamps, count),
            "y": values.ravel(),
        }
    )
    return panel_from_frame(frame, Columns(id="unique_id"))


def our_loop(network: Any, lessons: Any, definition: Any) -> Callable[[int], float]:
    """The fit's loop, timed from the report of its tenth step to that of its last."""
    from forecaster.forecasting.training import Control, train

    def run(steps: int) -> float:
        reported: dict[int, float] = {}
        control = Control(report=lambda progress: reported.setdefault(progress.step, time.perf_counter()) and None)
        train(network, lessons, definition.model_copy(update={"steps": steps + 10}), control)
        return reported[steps + 10] - reported[10]

    return run


def by_hand(network: Any, lessons: Any) -> Callable[[int], float]:
    """The same network in a loop written by hand, on one batch over and over."""
    import tensorflow as tf

    model = network.train
    batch = lessons.batch(0)
    inputs = {name: tf.constant(part) for name, part in network.lesson(batch.inputs, batch.target, 0).items()}
    target = tf.constant(batch.target)

    @tf.function
    def step(inputs: Any, target: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = model.compute_loss(inputs, target, model(inputs, training=True))
        model.optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    def run(steps: int) -> float:
        began = time.perf_counter()
        for _ in range(steps):
            loss = step(inputs, target)
        loss.numpy()
        return time.perf_counter() - began

    return run


def products(run: Callable[[int], float], steps: int = 10) -> float:
    """Share of the operations' time that products take, by TensorFlow's profiler."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        run(steps)
        tf.profiler.experimental.stop()
        [file] = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(file.read_bytes())
    spent = operations(next(plane for plane in space.planes if plane.name == "/host:CPU"))
    return sum(one for kind, one in spent.items() if any(part in kind for part in PRODUCTS)) / sum(spent.values())


def operations(plane: Any) -> Counter[str]:
    """Picoseconds of each kind of operation. Operations are told as `name:Kind`; the rest is the runtime's own."""
    spent: Counter[str] = Counter()
    for line in plane.lines:
        for event in line.events:
            name = plane.event_metadata[event.metadata_id].name
            place, _, kind = name.rpartition(":")
            if place and kind.isidentifier() and "::" not in name and kind not in ("While", "PartitionedCall", "If"):
                spent[kind] += event.duration_ps
    return spent


def page(rows: list[dict[str, Any]]) -> str:
    """The table in Markdown."""
    lines = [f"# {(__doc__ or '').splitlines()[0]}", ""]
    lines += ["| network | batch | steps/s, ours | by hand | lost | in products |", "|---|---:|---:|---:|---:|---:|"]
    for one in rows:
        lost = 1 - one["by hand"] / one["ours"]
        lines.append(
            f"| {one['model']} | {one['batch']} | {1 / one['ours']:.1f} | {1 / one['by hand']:.1f} | {lost:.0%} | "
            f"{one['products']:.0%} |"
        )
    return "\n".join([*lines, "", f"Machine: {machine()}. Load when it had ended: {os.getloadavg()[0]:.1f}.", ""])


if __name__ == "__main__":
    sys.exit(main())
