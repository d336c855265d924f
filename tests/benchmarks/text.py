"""Tiny Shakespeare by the character: bits per character of a two-layer LSTM, and characters per second beside others.

    python tests/benchmarks/text.py --data FOLDER [--minutes 15] [--torch-python PATH] [--speed-only]

FOLDER holds `text/tinyshakespeare.txt.gz`. The network is char-rnn's default: two layers of 128 units, 50 lanes, chunks
of 50 characters. It is trained for as many steps as fit into the minutes, and forecasts every character of the last
tenth, which it has not seen; so do the n-grams.

Speed is that of training the same network on the same shapes, one-hot characters and Adam in all of them: this
program's step, plain Keras (`keras.layers.LSTM`, stateful), and torch (`torch.nn.LSTM`) in the Python that
`--torch-python` names. Each is a process of its own; they take turns, and the fastest round of each counts.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

LANES, CHUNK, UNITS, LAYERS, SYMBOLS = 50, 50, 128, 2, 65
WARM, TIMED = 5, 30
TENTH = 10
VALIDATION = 20_000
LOOKS = 25


def main() -> int:
    """Prints the speeds, then the scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--torch-python", default=None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--speed-only", action="store_true")
    parser.add_argument("--peer", choices=[*PEERS])
    told = parser.parse_args()
    if told.peer:
        print(json.dumps(PEERS[told.peer]()))
        return 0
    speeds = _speeds(told.torch_python, told.rounds)
    for name, speed in speeds.items():
        print(f"{name:<16} {speed:>9,.0f} characters a second", flush=True)
    if told.speed_only:
        return 0
    if told.data is None:
        parser.error("--data FOLDER is needed, or --speed-only")
    steps = max(int(0.85 * told.minutes * 60 * speeds["forecaster"] / (LANES * CHUNK)), LOOKS)
    print(json.dumps(_scores(told.data / "text" / "tinyshakespeare.txt.gz", steps), indent=2))
    return 0


def _speeds(torch_python: str | None, rounds: int) -> dict[str, float]:
    """The best round of each, in characters a second."""
    pythons = {"forecaster": sys.executable, "keras": sys.executable}
    if torch_python:
        pythons["torch"] = torch_python
    found: dict[str, float] = {}
    for _ in range(rounds):
        for peer, python in pythons.items():
            command = [python, __file__, "--peer", peer]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            found[peer] = max(found.get(peer, 0.0), float(json.loads(said.splitlines()[-1])))
    return found


def _timed(step: Any) -> float:
    """Characters a second of a training step."""
    for number in range(WARM):
        step(number)
    began = time.perf_counter()
    for number in range(TIMED):
        step(WARM + number)
    return TIMED * LANES * CHUNK / (time.perf_counter() - began)


def _definition(steps: int) -> Any:
    from forecaster.config import ModelDefinition

    return ModelDefinition(
        network="custom_lstm", name="lstm", strategy="recursive", carry_state=True, units=UNITS, layers=LAYERS,
        batch_size=LANES, truncate=CHUNK, learning_rate=0.006, weight_decay=0.0, clipnorm=5.0, steps=steps,
        evaluate_every=max(steps // LOOKS, 1), patience=steps,
    )  # fmt: skip


def _forecaster() -> float:
    import numpy as np

    from forecaster.networks.build import Shape
    from forecaster.networks.recursive import build_recursive

    vocabulary = tuple(str(number) for number in range(SYMBOLS + 1))
    network = build_recursive(_definition(1000), Shape(CHUNK, 1, (), vocabulary=vocabulary, novelty=1e-6), 1, True)
    places = np.random.default_rng(1).integers(1, SYMBOLS + 1, (LANES, CHUNK + 1)).astype(np.float32)
    inputs = {"values": places[:, :, None], "begins": np.zeros(LANES, np.float32)}
    return _timed(lambda number: float(network.train.train_on_batch(inputs, places[:, 1:])))


def _keras() -> float:
    import keras
    import numpy as np

    layers = [keras.layers.LSTM(UNITS, return_sequences=True, stateful=True) for _ in range(LAYERS)]
    model = keras.Sequential([keras.Input((CHUNK, SYMBOLS), batch_size=LANES), *layers, keras.layers.Dense(SYMBOLS)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    places = np.random.default_rng(1).integers(0, SYMBOLS, (LANES, CHUNK + 1))
    hot = np.eye(SYMBOLS, dtype=np.float32)
    return _timed(lambda number: float(model.train_on_batch(hot[places[:, :-1]], places[:, 1:])))


def _torch() -> float:
    import torch

    torch.set_num_threads(2)
    recurrence = torch.nn.LSTM(SYMBOLS, UNITS, LAYERS, batch_first=True)
    head = torch.nn.Linear(UNITS, SYMBOLS)
    adam = torch.optim.Adam([*recurrence.parameters(), *head.parameters()])
    places = torch.randint(0, SYMBOLS, (LANES, CHUNK + 1))
    carried: list[Any] = [None]

    def step(number: int) -> float:
        hot = torch.nn.functional.one_hot(places[:, :-1], SYMBOLS).float()
        output, state = recurrence(hot, carried[0])
        carried[0] = tuple(part.detach() for part in state)
        loss = torch.nn.functional.cross_entropy(head(output).flatten(0, 1), places[:, 1:].flatten())
        adam.zero_grad()
        loss.backward()
        adam.step()
        return float(loss)

    return _timed(step)


PEERS = {"forecaster": _forecaster, "keras": _keras, "torch": _torch}


def _scores(path: Path, steps: int) -> dict[str, Any]:
    """Bits per character of the last tenth, the time of the fit, and something made up."""
    from forecaster.evaluation.symbols import roll_symbols, symbol_scores
    from forecaster.forecasting.generation import Wish
    from forecaster.forecasting.symbol_baselines import SymbolBaseline
    from forecaster.forecasting.symbols import SymbolForecaster
    from forecaster.forecasting.training import Control, Progress
    from forecaster.series import cutoffs
    from forecaster.series.text import read_text

    panel = read_text(path)
    origins = cutoffs(panel, 1, len(panel.target) // TENTH, 1)
    fitting = panel.until(origins[0])

    def report(progress: Progress) -> None:
        if progress.sample:
            bits = progress.validation / math.log(2)
            print(f"step {progress.step} of {progress.steps}, validation {bits:.3f} bits", file=sys.stderr, flush=True)

    network = SymbolForecaster(
        _definition(steps), 1, lookback=CHUNK, validation=VALIDATION, step=1, season=1, control=Control(report=report)
    )
    rows: dict[str, Any] = {"steps": steps, "held out": len(origins)}
    for one in (SymbolBaseline("bigram", 1), SymbolBaseline("ngram", 1), network):
        began = time.monotonic()
        one.fit(fitting)
        taken = time.monotonic() - began
        found = symbol_scores(roll_symbols(one, panel, origins), one.name)
        rows[one.name] = {key: round(found[key], 3) for key in ("bits", "log_loss", "accuracy")}
        rows[one.name]["seconds"] = round(taken)
    made = network.generate(list("ROMEO:\n"), Wish(length=300, temperature=0.7))[0]
    return {**rows, "made up": "ROMEO:\n" + "".join(made.symbols)}


if __name__ == "__main__":
    sys.exit(main())
