"""Speed of the custom LSTM beside the layers people use, on two cores.

    python tests/benchmarks/recurrence.py [--torch-python PATH] [--rounds 5] [--seconds 0.3] [--cases 0,3] [--write]

Peers are `keras.layers.LSTM` as a user gets it, with XLA, and `torch.nn.LSTM` in the Python that `--torch-python` names
(`pip install torch numpy` in an environment of its own). Each peer is a process of its own that stays; they take
turns, case by case and round by round, so that whatever else the machine does meets all of them; the fastest counts.
Measured are

- a training step on one batch: forward, mean squared error on the last output, gradient, SGD, in the framework's loop;
- inference on a batch, and on a single window;
- seconds to the first step, tracing and compiling included;
- the rate of a plain matrix product of 1024 × 1024 in each process.

Rates are GFLOP/s of useful matrix work: 2 × batch × time × 4 units × (units + features) forward, three times that to
train.
`--write` keeps the table in `tests/benchmarks/results/recurrence.md`.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

GRID = [
    (64, 96, 64, 8),
    (256, 48, 64, 1),
    (1024, 24, 32, 1),
    (32, 336, 128, 8),
    (1024, 96, 64, 8),
]
"""Batch, length, units, features: the cases by which the target is judged."""
MORE = [(64, 7, 128, 96), (256, 24, 256, 16)]
"""What a pipeline with segments trains; and wide layers."""
PEERS = {
    "ours": "custom LSTM, default",
    "loop": "custom LSTM, loop",
    "ours_xla": "custom LSTM, XLA",
    "dropout": "custom LSTM, recurrent dropout",
    "keras": "keras.layers.LSTM, default",
    "keras_xla": "keras.layers.LSTM, XLA",
    "keras_dropout": "keras.layers.LSTM, recurrent dropout",
    "torch": "torch.nn.LSTM",
}
KINDS = {"train": "Training step", "batch": "Inference, batch", "single": "Inference, single window"}
TARGET = 1.3
THREADS = 2


def main() -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch-python", type=Path, help="a Python that has torch; else torch is left out")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each peer")
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a turn")
    parser.add_argument("--cases", default="", help="numbers of the cases, 0,3 say; default all")
    parser.add_argument("--peers", default="", help="names of the peers; default all")
    parser.add_argument("--write", action="store_true", help="keep the tables")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.worker:
        return work(told.worker)
    cases = [(GRID + MORE)[int(number)] for number in told.cases.split(",")] if told.cases else GRID + MORE
    names = told.peers.split(",") if told.peers else list(PEERS)
    peers = {name: Peer(name, told.torch_python) for name in names if name != "torch" or told.torch_python}
    try:
        figures = measure(peers, cases, told.rounds, told.seconds)
        text = report(figures, cases, {name: peer.version for name, peer in peers.items()})
    finally:
        for peer in peers.values():
            peer.close()
    print(text)
    if told.write:
        folder = Path(__file__).parent / "results"
        folder.mkdir(exist_ok=True)
        (folder / "recurrence.md").write_text(text + "\n", encoding="utf-8")
    return 0


class Peer:
    """A process that makes layers and times them when told to."""

    def __init__(self, name: str, torch_python: Path | None) -> None:
        python = str(torch_python) if name == "torch" else sys.executable
        environment = os.environ | {"OMP_NUM_THREADS": str(THREADS), "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.process = subprocess.Popen(
            [python, __file__, "--worker", name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip
        self.version = str(self.read())

    def ask(self, **told: Any) -> Any:
        """One question, one answer."""
        assert self.process.stdin
        print(json.dumps(told), file=self.process.stdin, flush=True)
        return self.read()

    def read(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()  # TensorFlow does not always end with its iterators open


def measure(peers: dict[str, Peer], cases: list[Any], rounds: int, seconds: float) -> dict[Any, float]:
    """Least seconds by (peer, kind, case), by (peer, "first", case), and by (peer, "matmul")."""
    figures: dict[Any, float] = {}
    for case in cases:
        for name, peer in peers.items():
            figures[name, "first", case] = peer.ask(make=case)
        for _ in range(rounds):
            for kind in (*KINDS, "matmul"):
                for name, peer in peers.items():
                    key = (name, kind, case) if kind in KINDS else (name, kind)
                    figures[key] = min(figures.get(key, math.inf), peer.ask(kind=kind, seconds=seconds))
        print(f"{case} measured", file=sys.stderr)
    return figures


def work(name: str) -> int:
    """The process of a peer: answers questions until there are none."""
    version, make, product = torch_peer() if name == "torch" else keras_peer(name)
    runs: dict[str, Any] = {}
    kept = []  # TensorFlow may wait forever where it destroys an iterator
    print(json.dumps(version), flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        if "make" in told:
            kept.append(runs)
            runs = make(*told["make"]) | {"matmul": product}
            begun = time.perf_counter()
            runs["train"]()
            print(json.dumps(time.perf_counter() - begun), flush=True)
        else:
            print(json.dumps(fastest(runs[told["kind"]], told["seconds"])), flush=True)
    return 0


def fastest(run: Callable[[], Any], seconds: float) -> float:
    """Least time of one run, after one to warm up."""
    run()
    best, end, count = math.inf, time.perf_counter() + seconds, 0
    while count < 3 or time.perf_counter() < end:
        begun = time.perf_counter()
        run()
        best, count = min(best, time.perf_counter() - begun), count + 1
    return best


def keras_peer(name: str) -> tuple[str, Callable[..., dict[str, Any]], Callable[[], Any]]:
    """Its version, what makes its runs, and a matrix product."""
    import keras
    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from forecaster.networks.lstm import LSTM

    def make(batch: int, length: int, units: int, features: int) -> dict[str, Any]:
        keras.backend.clear_session()
        options: dict[str, Any] = {"implementation": "loop"} if name == "loop" else {}
        options |= {"recurrent_dropout": 0.2} if name.endswith("dropout") else {}
        layer = (keras.layers.LSTM if name.startswith("keras") else LSTM)(units, **options)
        model = keras.Sequential([keras.Input((length, features)), layer])
        model.compile(keras.optimizers.SGD(1e-3), "mse", jit_compile=name.endswith("_xla"))
        draw = np.random.default_rng(1)
        x = draw.normal(size=(batch, length, features)).astype("float32")
        y = draw.normal(size=(batch, units)).astype("float32")
        endless = iter(tf.data.Dataset.from_tensors((x, y)).repeat())
        model.make_train_function()
        # as an exported model: the batch's size is open
        signature = [tf.TensorSpec((None, length, features))]
        answer = tf.function(lambda x: model(x, training=False), signature, jit_compile=name.endswith("_xla"))
        whole, single = tf.constant(x), tf.constant(x[:1])
        return {
            "train": lambda: model.train_function(endless)["loss"].numpy(),
            "batch": lambda: answer(whole).numpy(),
            "single": lambda: answer(single).numpy(),
        }

    square = tf.random.normal((1024, 1024))
    product = tf.function(lambda: tf.matmul(square, square)[0, 0])
    return f"Keras {keras.__version__}, TensorFlow {tf.__version__}", make, lambda: product().numpy()


def torch_peer() -> tuple[str, Callable[..., dict[str, Any]], Callable[[], Any]]:
    """Its version, what makes its runs, and a matrix product."""
    import torch

    torch.set_num_threads(THREADS)

    def make(batch: int, length: int, units: int, features: int) -> dict[str, Any]:
        layer = torch.nn.LSTM(features, units, batch_first=True)
        optimizer = torch.optim.SGD(layer.parameters(), 1e-3)
        x, y = torch.randn(batch, length, features), torch.randn(batch, units)

        def train() -> float:
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(layer(x)[0][:, -1], y)
            loss.backward()
            optimizer.step()
            return float(loss)

        def infer(x: Any) -> Any:
            with torch.inference_mode():
                return layer(x)[0][:, -1].numpy()

        return {"train": train, "batch": lambda: infer(x), "single": lambda: infer(x[:1])}

    square = torch.randn(1024, 1024)
    return f"PyTorch {torch.__version__}", make, lambda: float((square @ square)[0, 0])


def rate(kind: str, case: tuple[int, ...], seconds: float) -> float:
    """GFLOP/s of useful matrix work."""
    batch, length, units, features = case
    work = 2 * (1 if kind == "single" else batch) * length * 4 * units * (units + features)
    return (3 if kind == "train" else 1) * work / seconds / 1e9


def report(figures: dict[Any, float], cases: list[Any], versions: dict[str, str]) -> str:
    """The tables as Markdown."""
    lines = [
        "# Recurrent layers: speed",
        "",
        f"Made by `tests/benchmarks/recurrence.py` on {datetime.date.today()}: {processor()}, {THREADS} cores, "
        f"Python {platform.python_version()}, {', '.join(sorted(set(versions.values())))}, "
        f"NumPy {importlib.metadata.version('numpy')}.",
        "",
        "GFLOP/s of useful matrix work. Cases are (batch, length, units, features); ratios are of the default of the",
        f"custom LSTM, their mean is geometric and over the first {len(GRID)}; {TARGET} and nowhere below 1 is wanted.",
        "A plain matrix product reaches "
        + ", ".join(f"{2 * 1024**3 / figures[name, 'matmul'] / 1e9:.0f} ({name})" for name in versions)
        + ".",
    ]
    for kind, title in KINDS.items():
        lines += ["", f"## {title}", "", *table(kind, figures, cases, list(versions))]
    head = "| seconds | " + " | ".join(PEERS[name] for name in versions) + " |"
    lines += ["", "## Time to the first training step", "", head, "|---" * (len(versions) + 1) + "|"]
    for case in cases:
        lines.append(f"| {case} | " + " | ".join(f"{figures[name, 'first', case]:.1f}" for name in versions) + " |")
    return "\n".join(lines)


def table(kind: str, figures: dict[Any, float], cases: list[Any], names: list[str]) -> list[str]:
    """Rates and ratios of one kind."""
    rivals = [name for name in ("keras", "torch") if name in names and "ours" in names]
    ratios: dict[str, list[float]] = {rival: [] for rival in rivals}
    heads = ["case", *(PEERS[name] for name in names), *(f"to {rival}" for rival in rivals)]
    rows = []
    for case in cases:
        rates = {name: rate(kind, case, figures[name, kind, case]) for name in names}
        row = [str(case), *(f"{rates[name]:.{0 if rates[name] >= 10 else 1}f}" for name in names)]
        for rival in rivals:
            row.append(f"{rates['ours'] / rates[rival]:.2f}")
            if case in GRID:
                ratios[rival].append(rates["ours"] / rates[rival])
        rows.append(row)
    means = [f"{math.exp(sum(map(math.log, those)) / len(those)):.2f}" if those else "" for those in ratios.values()]
    rows.append(["mean", *("" for _ in names), *means])
    return ["| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows]]


def processor() -> str:
    """The kind of CPU."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    sys.exit(main())
