"""Each topology on series of a known structure, against the alternative that it is meant to beat.

    python tests/benchmarks/topologies.py [--steps 400] [--seeds 2] [--out tests/benchmarks/results/topologies.md]

The series are made here, 3,000 steps from a seed; forecasts are from 40 origins of the last fifth, which no fit has
seen. The score is the mean absolute error in shares of the naive forecast's; below one beats it. `floor` is that of a
forecast by the formula that made the series, without the noise to come.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from forecaster.config import ModelDefinition
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.series import Columns, Panel, panel_from_frame

LENGTH, ORIGINS = 3_000, 40
Rule = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""History, what is known of the horizon, horizon to what the formula says comes."""


def driven(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, Rule]:
    """A tank that a known inflow fills and that runs empty: y[t] = 0.9 y[t−1] + u[t] + noise."""
    inflow = (generator.random(LENGTH) < 0.2) * generator.uniform(1, 3, LENGTH)
    noise, values = generator.normal(0, 0.05, LENGTH), np.zeros(LENGTH)
    for step in range(1, LENGTH):
        values[step] = 0.9 * values[step - 1] + inflow[step] + noise[step]

    def rule(history: np.ndarray, known: np.ndarray, horizon: int) -> np.ndarray:
        said = [history[-1]]
        for step in range(horizon):
            said.append(0.9 * said[-1] + known[step])
        return np.array(said[1:])

    return values, inflow, rule


def bent(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, Rule]:
    """A population with crowding (Ricker 1954), chaotic: y[t] = y[t−1] exp(2.8 (1 − y[t−1])) + noise."""
    noise, values = generator.normal(0, 0.002, LENGTH), np.full(LENGTH, 0.5)
    for step in range(1, LENGTH):
        before = values[step - 1]
        values[step] = max(before * np.exp(2.8 * (1 - before)) + noise[step], 0.01)

    def rule(history: np.ndarray, known: np.ndarray, horizon: int) -> np.ndarray:
        said = [history[-1]]
        for _ in range(horizon):
            said.append(said[-1] * np.exp(2.8 * (1 - said[-1])))
        return np.array(said[1:])

    return values, np.zeros(LENGTH), rule


def swinging(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, Rule]:
    """A swing with friction and shocks, y[t] = 1.9 y[t−1] − 0.95 y[t−2] + noise: the last value tells no direction."""
    noise, values = generator.normal(0, 0.1, LENGTH), np.zeros(LENGTH)
    for step in range(2, LENGTH):
        values[step] = 1.9 * values[step - 1] - 0.95 * values[step - 2] + noise[step]

    def rule(history: np.ndarray, known: np.ndarray, horizon: int) -> np.ndarray:
        said = list(history[-2:])
        for _ in range(horizon):
            said.append(1.9 * said[-1] - 0.95 * said[-2])
        return np.array(said[2:])

    return values, np.zeros(LENGTH), rule


def echoing(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, Rule]:
    """Shocks that come again 64 steps later: y[t] = 0.9 y[t−64] + noise, of no use to who cannot look so far back."""
    values = generator.normal(0, 1, LENGTH)
    for step in range(64, LENGTH):
        values[step] = 0.9 * values[step - 64] + np.sqrt(1 - 0.81) * values[step]

    def rule(history: np.ndarray, known: np.ndarray, horizon: int) -> np.ndarray:
        return 0.9 * history[len(history) - 64 :][:horizon]

    return values, np.zeros(LENGTH), rule


FEEDBACK = {"network": "gru", "strategy": "seq2seq", "teacher_forcing": 1.0}
TRIALS = [
    ("a decoder sums up what is known of the horizon", driven, 24, 48, "encoder_decoder", FEEDBACK, "many_to_one", {}),
    ("so does a recurrence over the horizon, from one value", driven, 24, 48, "one_to_many",
     {"network": "gru", "topology": "one_to_many"}, "many_to_one", {}),
    ("scheduled sampling against true values only", driven, 24, 48, "linear", FEEDBACK,
     "teacher forcing only", {**FEEDBACK, "scheduled_sampling": "none"}),
    ("and with a faster fall of the chance of a true value", driven, 24, 48, "linear", FEEDBACK,
     "exponential", {**FEEDBACK, "scheduled_sampling": "exponential"}),
    ("and against own outputs only", driven, 24, 48, "linear", FEEDBACK,
     "own outputs only", {**FEEDBACK, "teacher_forcing": 0.0}),
    ("and against true values at half of the steps to begin with, the default", driven, 24, 48, "linear", FEEDBACK,
     "linear, from a half", {**FEEDBACK, "teacher_forcing": 0.5}),
    ("one rule for all steps, where the last value is all", bent, 5, 192, "one_to_one",
     {"network": "feed_forward", "strategy": "recursive"}, "many_to_one", {"segment": 8}),
    ("memory, where the last value is not all", swinging, 12, 48, "many_to_one", {}, "one_to_one",
     {"network": "feed_forward", "strategy": "recursive"}),
    ("dilated layers, where what counts is far back", echoing, 8, 128, "dilations 1, 4, 16",
     {"dilations": [1, 4, 16]}, "three plain layers", {"layers": 3}),
]  # fmt: skip


def error(
    made: tuple[np.ndarray, np.ndarray, Rule],
    panel: Panel,
    model: ModelDefinition,
    horizon: int,
    lookback: int,
    seed: int,
) -> tuple[float, float, float]:
    """Mean absolute errors in shares of the naive forecast's: of the network, and of the rule; and seconds to fit."""
    values, known, rule = made
    border = LENGTH - LENGTH // 5
    began = time.monotonic()
    network = RecurrentForecaster(model, horizon, lookback=lookback, season=1, seed=seed).fit(panel.until(border - 1))
    seconds = time.monotonic() - began
    origins = np.linspace(border, LENGTH - horizon, ORIGINS).astype(int)
    said = np.stack([network.quantiles(panel.until(one - 1))[0, :, 2] for one in origins])
    came = np.stack([values[one : one + horizon] for one in origins])
    naive = np.abs(values[origins - 1][:, None] - came).mean()
    best = np.stack([rule(values[:one], known[one : one + horizon], horizon) for one in origins])
    return float(np.abs(said - came).mean() / naive), float(np.abs(best - came).mean() / naive), seconds


def main() -> None:
    """Prints the table, and writes it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", default="", help="trials whose description holds this")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    lines = [
        "| what is tried | series | topology | error | alternative | error | floor |",
        "|---|---|---|---|---|---|---|",
    ]
    for what, series, horizon, lookback, name, keys, other, other_keys in TRIALS:
        if told.only not in what:
            continue
        rows = []
        for seed in range(told.seeds):
            made = series(np.random.default_rng(seed))
            frame = pd.DataFrame({"ds": np.arange(LENGTH), "y": made[0], "u": made[1]})
            columns = Columns(known=["u"]) if made[1].any() else Columns(ignore=["u"])
            panel = panel_from_frame(frame, columns)
            scores = []
            for one in (keys, other_keys):
                options = {
                    "network": "gru",
                    "units": 32,
                    "segment": 1,
                    "steps": told.steps,
                    "learning_rate": 5e-3,
                    **one,
                }
                scores.append(error(made, panel, ModelDefinition(name="one", **options), horizon, lookback, seed))
            rows.append((scores[0][0], scores[1][0], scores[0][1]))
            print(what, seed, *(f"{score:.3f} ({seconds:.0f} s)" for score, _, seconds in scores), flush=True)
        ours, theirs, floor = np.mean(rows, axis=0)
        lines.append(f"| {what} | {series.__name__} | {name} | {ours:.3f} | {other} | {theirs:.3f} | {floor:.3f} |")
    table = "\n".join(lines) + f"\n\nMeans of {told.seeds} seeds, {told.steps} steps of training, GRU of 32 units.\n"
    print(table)
    if told.out:
        told.out.parent.mkdir(parents=True, exist_ok=True)
        told.out.write_text(f"# Topologies\n\n{__doc__.split(chr(10) + chr(10), 2)[2]}\n{table}", encoding="utf-8")


if __name__ == "__main__":
    main()
