"""Accuracy on real benchmarks: the official metrics of each, with time, memory, coverage and quantile loss beside them.

    python tests/benchmarks/accuracy.py --data FOLDER [--rows m4_hourly m3] [--models gru gru*3] [--seeds 1 2 3]
    python tests/benchmarks/accuracy.py --show

FOLDER holds `m4/`, `m3/`, `ett/` and `energy/`. Every network is made with the defaults of the package: what differs
between rows is what a user would write, the data and the horizon, and the official protocol. Each fit runs in a
process of its own, so that its peak memory is its own; results are kept in `results/accuracy.json` and shown as
`results/accuracy.md` beside this file.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from accuracy_sets import ROWS, Part

from forecaster import NaiveForecaster, RecurrentForecaster, RidgeForecaster, naive, naive2, seasonal_naive
from forecaster.config import ModelDefinition, Project
from forecaster.evaluation.backtest import join, roll
from forecaster.evaluation.metrics import coverage, scales, score, weighted_quantile_loss
from forecaster.pipeline.publication import versions

RESULTS = Path(__file__).parent / "results"
LEVELS = (80.0, 95.0)
RIVALS = ("naive", "seasonal_naive", "naive2", "ridge")


def main() -> int:
    """Measures what was asked for and writes the results; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="holds m4/, m3/, ett/ and energy/")
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=list(ROWS), metavar="ROW")
    parser.add_argument("--models", nargs="+", default=["gru"], help="names in models/ (gru*3: an ensemble), or rivals")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--show", action="store_true", help="write the table from the kept results only")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measured(asked.rows[0], asked.models[0], asked.seeds[0], asked.data)))
        return 0
    if not asked.show and asked.data is None:
        parser.error("--data FOLDER is missing")
    for row in () if asked.show else asked.rows:
        for model in asked.models:
            for seed in asked.seeds if model not in RIVALS else [1]:
                keep(in_own_process(row, model, seed, asked.data))
    (RESULTS / "accuracy.md").write_text(page(kept()), encoding="utf-8")
    return 0


def in_own_process(row: str, model: str, seed: int, data: Path) -> dict[str, Any]:
    """One result, measured in a fresh process."""
    told = ["--data", str(data), "--rows", row, "--models", model, "--seeds", str(seed), "--one"]
    done = subprocess.run([sys.executable, __file__, *told], stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    figures = ", ".join(f"{name} {result['scores'][name]:.4f}" for name in ROWS[row].headline)
    spent = f"{result['seconds']:.0f} s ({result['processor']:.0f} s of processor time), {result['memory']:.0f} MiB"
    print(f"{row} {model} seed {seed}: {figures} in {spent}", flush=True)
    return result


def measured(row: str, model: str, seed: int, data: Path) -> dict[str, Any]:
    """Fits and judges one model on one row."""
    parts = ROWS[row].read(data)
    frames, seconds, processor, inferred = [], 0.0, 0.0, {}
    for part in parts:
        frame, spent, worked, reasons = forecast(part, model, seed)
        frames.append(frame)
        seconds += spent
        processor += worked
        inferred[part.name] = reasons
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {part.name: judged(part, frame) for part, frame in zip(parts, frames, strict=True)}
    return {
        "row": row, "model": model, "seed": seed, "seconds": seconds, "processor": processor, "memory": memory,
        "scores": pooled(parts, found), "parts": found, "inferred": inferred,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"), "machine": machine(), "versions": versions(),
    }  # fmt: skip


def forecast(part: Part, model: str, seed: int) -> tuple[pd.DataFrame, float, float, dict[str, str]]:
    """The backtest of one model, its fit's seconds by the clock and of processor time, and what its `auto`s became.

    Naive2 stands beside it where errors have no unit of their own: OWA compares with it.
    """
    made: Any
    if model in RIVALS:
        rules = {"naive": naive, "seasonal_naive": seasonal_naive, "naive2": naive2}
        made = (
            RidgeForecaster(part.horizon)
            if model == "ridge"
            else NaiveForecaster(rules[model], part.horizon, part.season, name="rival")
        )
        made.name = "rival"
    else:
        validation = {"validation": part.validation} if part.validation else {}
        made = RecurrentForecaster(defined(model, part), part.horizon, levels=LEVELS, seed=seed, **validation)
    began, at_work = time.monotonic(), time.process_time()
    made.fit(part.fitting)
    seconds, processor = time.monotonic() - began, time.process_time() - at_work
    base = [] if part.unit else [NaiveForecaster(naive2, part.horizon, part.season)]
    frames = [roll(one, part.panel, part.origins, levels=LEVELS) for one in (made, *base)]
    reasons = getattr(getattr(made, "resolved", None), "reasons", {})
    frames[0] = frames[0].rename(columns=lambda name: name.replace(made.name, "model", 1))
    return join(frames), seconds, processor, reasons


def defined(model: str, part: Part) -> ModelDefinition:
    """The model file of that name with what the protocol sets; of `gru*3` with three networks instead of one."""
    name, _, members = model.partition("*")
    told = {**part.told, "ensemble": int(members or 1)}
    return Project.find().model(name).model_copy(update=told)


def judged(part: Part, frame: pd.DataFrame) -> dict[str, float]:
    """All scores of one part."""
    models = [name for name in ("model", "naive2") if name in frame]
    table = score(frame, models, ["smape", "mase", "rmse"], scales(part.fitting, part.season))
    scores = {name: float(table.loc["model", name]) for name in table.columns}
    if "naive2" in models:
        scores["owa"] = float((table.loc["model"] / table.loc["naive2"])[["smape", "mase"]].mean())
    scores |= {f"coverage-{level:g}": coverage(frame, "model", level) for level in LEVELS}
    scores["wql"] = weighted_quantile_loss(frame, "model", LEVELS)
    if part.unit:
        errors = (frame["y"] - frame["model"]) / frame["unique_id"].map(part.unit)
        scores |= {"mse": float(np.mean(errors**2)), "mae": float(np.mean(np.abs(errors)))}
    scores["points"] = float(len(frame))
    return scores


def pooled(parts: Any, found: dict[str, dict[str, float]]) -> dict[str, float]:
    """Scores over all points of all parts, as M3's are."""
    weights = np.array([found[part.name]["points"] for part in parts])
    names = found[parts[0].name]
    return {name: float(np.average([one[name] for one in found.values()], weights=weights)) for name in names}


def keep(result: dict[str, Any]) -> None:
    """Puts a result into the kept ones, in place of an older one of the same row, model and seed."""
    same = ("row", "model", "seed")
    others = [one for one in kept() if any(one[key] != result[key] for key in same)]
    ordered = sorted([*others, result], key=lambda one: (list(ROWS).index(one["row"]), one["model"], one["seed"]))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "accuracy.json").write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


def kept() -> list[dict[str, Any]]:
    """The kept results."""
    file = RESULTS / "accuracy.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []


def page(results: list[dict[str, Any]]) -> str:
    """The results as a table in Markdown."""
    lines = ["# Accuracy", "", (__doc__ or "").splitlines()[0], ""]
    for row, told in ROWS.items():
        some = [one for one in results if one["row"] == row]
        if not some:
            continue
        lines += [f"## {told.title}", "", f"References: {told.references}" if told.references else "", ""]
        names = [*told.headline, "wql", "coverage-80", "coverage-95"]
        heads = ["model", "seeds", *names, "seconds", "of processor", "MiB", "date"]
        lines += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        for model in dict.fromkeys(one["model"] for one in some):
            lines.append(table_row(model, [one for one in some if one["model"] == model], names))
        by_part = [one for one in some if len(one["parts"]) > 1 and one["seed"] == some[0]["seed"]]
        for one in by_part:
            said = ", ".join(f"{name} {scores['smape']:.2f}" for name, scores in one["parts"].items())
            lines += ["", f"{one['model']}, sMAPE by period: {said}"]
        lines.append("")
    machines = sorted({one["machine"] for one in results})
    packages = sorted({", ".join(f"{k} {v}" for k, v in one["versions"].items()) for one in results})
    return "\n".join([*lines, "Machine: " + "; ".join(machines), "", "Versions: " + "; ".join(packages), ""])


def table_row(model: str, some: list[dict[str, Any]], names: list[str]) -> str:
    """The mean over the seeds, and from the least to the largest where there are several."""
    cells = []
    for name in names:
        values = [one["scores"][name] for one in some]
        text = f"{np.mean(values):.3f}" if name != "smape" else f"{np.mean(values):.2f}"
        cells.append(text + (f" ({min(values):.3f} to {max(values):.3f})" if len(values) > 1 else ""))
    seconds, processor, memory = (np.mean([one[key] for one in some]) for key in ("seconds", "processor", "memory"))
    date = max(one["date"] for one in some)
    return f"| {model} | {len(some)} | {' | '.join(cells)} | {seconds:.0f} | {processor:.0f} | {memory:.0f} | {date} |"


def machine() -> str:
    """What kind of machine this is."""
    import os

    return f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, {platform.system()}"


if __name__ == "__main__":
    sys.exit(main())
