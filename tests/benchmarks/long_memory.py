"""Long memory: lags over which a SimpleRNN learns nothing and gated networks learn all.

    python tests/benchmarks/long_memory.py --lags 100 200 --out tests/benchmarks/results/long_memory.md

Two tasks whose answer lies far back:

- adding (Hochreiter and Schmidhuber 1997): a sequence of numbers from 0 to 1, two of which are marked, one in the first
  tenth and one in the first half; the answer, at the end, is their sum. Saying 1 always has a mean squared error of
  1/6.
- delayed copy: one of eight symbols, then noise for as long as the lag, then a sign that the symbol be repeated.
  Guessing is right one time in eight. (Without noise there are eight sequences in all, none of them unseen, and a head
  may tell their end states apart though nothing was learnt through time.)

The gated networks start as Tallec and Ollivier 2018 propose (chrono initialisation): gates that keep for 1 to T steps.
One network, one task and one lag after the other, in one process and on one thread; time is the process' own. A network
has learnt a task when its error on 500 sequences that it has never seen is under a hundredth (adding), or 99% of its
symbols are right (copy).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

os.environ.update(TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3")

import keras
import numpy as np
from keras import ops

from forecaster.networks.inspection import gradient_reach
from forecaster.networks.lstm import LSTM

SYMBOLS, FRESH = 8, 500
NETWORKS = ("simple_rnn", "gru", "lstm", "custom_lstm")


@dataclass(frozen=True)
class Task:
    """Sequences of one task at one lag."""

    name: str
    lag: int

    def batch(self, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (count, steps, features) and answers: (count, 1) numbers, or (count,) symbols."""
        return self._adding(count, generator) if self.name == "adding" else self._copy(count, generator)

    def _adding(self, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        numbers = generator.random((count, self.lag)).astype("float32")
        marks = np.zeros_like(numbers)
        first = generator.integers(0, max(self.lag // 10, 1), count)
        second = generator.integers(self.lag // 10, self.lag // 2, count)
        rows = np.arange(count)
        marks[rows, first] = marks[rows, second] = 1.0
        return np.stack([numbers, marks], axis=2), (numbers * marks).sum(axis=1, keepdims=True)

    def _copy(self, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        symbols = generator.integers(0, SYMBOLS, count)
        inputs = np.zeros((count, self.lag + 1, SYMBOLS + 2), "float32")
        inputs[np.arange(count), 0, symbols] = 1.0
        inputs[:, 1:-1, SYMBOLS] = generator.random((count, self.lag - 1))
        inputs[:, -1, SYMBOLS + 1] = 1.0
        return inputs, symbols

    def measure(self, answers: np.ndarray, said: np.ndarray) -> float:
        """Mean squared error, or the share that is right."""
        if self.name == "adding":
            return float(np.mean((said - answers) ** 2))
        return float(np.mean(said.argmax(axis=1) == answers))

    def learnt(self, measure: float) -> bool:
        """Whether it counts as learnt."""
        return measure < 0.01 if self.name == "adding" else measure > 0.99

    @property
    def features(self) -> int:
        """Of a step."""
        return 2 if self.name == "adding" else SYMBOLS + 2


def chrono(gate: str, units: int, blocks: int, lag: int, seed: int, rows: int = 0) -> np.ndarray:
    """Biases with which gates keep for 1 to `lag` steps: log of uniform numbers from 1 to lag - 1."""
    keep = np.log(np.random.default_rng(seed).uniform(1, lag - 1, units))
    bias = np.zeros((blocks, units))
    if gate == "forget":  # blocks i, f, g, o
        bias[0], bias[1] = -keep, keep
        return bias.reshape(-1)
    bias[0] = keep  # blocks z, r, g of a GRU, whose z keeps
    return np.stack([bias.reshape(-1), np.zeros(blocks * units)])


def build(network: str, task: Task, units: int, rate: float, seed: int) -> keras.Model:
    """A recurrent layer and a dense head, compiled."""
    keras.utils.set_random_seed(seed)
    copy = task.name == "copy"
    kinds = {"simple_rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM,
             "custom_lstm": LSTM}  # fmt: skip
    options = {"use_cudnn": False} if network in ("gru", "lstm") else {}
    layer = kinds[network](units, **options)
    head = keras.layers.Dense(SYMBOLS if copy else 1)
    inputs = keras.Input((None, task.features))
    model = keras.Model(inputs, head(layer(inputs)))
    if network != "simple_rnn":
        weights = layer.get_weights()
        gate, blocks = ("keep", 3) if network == "gru" else ("forget", 4)
        layer.set_weights([*weights[:2], chrono(gate, units, blocks, task.lag, seed)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if copy else "mse"
    model.compile(keras.optimizers.Adam(rate, global_clipnorm=1.0), loss, jit_compile=True)
    return model


@dataclass(frozen=True)
class Outcome:
    """How a network did."""

    network: str
    task: Task
    measure: float
    steps: int
    seconds: float
    reach: int

    @property
    def learnt(self) -> bool:
        return self.task.learnt(self.measure)


def learn(network: str, task: Task, arguments: argparse.Namespace) -> Outcome:
    """Trains until the task is learnt, or steps or time are up."""
    model = build(network, task, arguments.units, arguments.rate, arguments.seed)
    inputs, answers = task.batch(FRESH, np.random.default_rng([arguments.seed, 0]))
    generator = np.random.default_rng([arguments.seed, 1])
    began, step, measure = time.process_time(), 0, float("nan")
    while step < arguments.steps and time.process_time() - began < arguments.seconds:
        for _ in range(50):
            model.train_on_batch(*task.batch(arguments.batch, generator))
        step += 50
        measure = task.measure(answers, model.predict(inputs, batch_size=100, verbose=0))
        if arguments.verbose:
            print(
                f"  {network} {task.name} {task.lag}: step {step}, {measure:.4f}, {time.process_time() - began:.0f} s"
            )
        if task.learnt(measure):
            break
    seconds = time.process_time() - began
    [layer] = gradient_reach(model, inputs[:8], lambda said: ops.mean(ops.square(said))).layers
    return Outcome(network, task, measure, step, seconds, layer.verdict.reach)


def table(outcomes: list[Outcome]) -> str:
    """Markdown."""
    lines = [
        "| task | lag | network | learnt | on fresh sequences | steps | minutes | gradient reaches |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in outcomes:
        said = f"MSE {one.measure:.4f}" if one.task.name == "adding" else f"{one.measure:.1%} right"
        lines.append(
            f"| {one.task.name} | {one.task.lag} | {one.network} | {'yes' if one.learnt else 'no'} | {said} | "
            f"{one.steps} | {one.seconds / 60:.1f} | {one.reach} steps |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lags", type=int, nargs="+", default=[100])
    parser.add_argument("--tasks", nargs="+", default=["adding", "copy"])
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--units", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-2)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seconds", type=float, default=120.0, help="for one network, task and lag")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    outcomes: list[Outcome] = []
    for lag in arguments.lags:
        for name in arguments.tasks:
            for network in arguments.networks:
                outcomes.append(learn(network, Task(name, lag), arguments))
                print(table(outcomes[-1:]).splitlines()[-1], flush=True)
                if arguments.out:
                    write(arguments.out, outcomes, arguments)


def write(path: Path, outcomes: list[Outcome], arguments: argparse.Namespace) -> None:
    """The results so far, with what they were made by."""
    about = ", ".join(f"{package} {version(package)}" for package in ("keras", "numpy"))
    head = (
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {about}, one thread. {arguments.units} "
        f"units, batches of {arguments.batch}, Adam at {arguments.rate:g}, clipnorm 1, seed {arguments.seed}; at most "
        f"{arguments.steps} steps and {arguments.seconds:g} seconds of processor time each."
    )
    command = f"    python tests/benchmarks/long_memory.py {' '.join(sys.argv[1:])}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{head}\n\n{command}\n\n{table(outcomes)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
