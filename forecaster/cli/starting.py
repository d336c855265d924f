"""A pipeline file to start from: what is known of the data written out, the rest left to the defaults."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from forecaster.config import FileData, PipelineDefinition
from forecaster.config.reading import parse
from forecaster.errors import DefinitionError
from forecaster.series import find_seasons, natural_seasons
from forecaster.series.account import Account

__all__ = ["path_from", "pipeline_text", "suggest_horizon", "write_pipeline"]

SHARE = 10
"""A horizon is at most this part of the median series."""
CLEAR = 0.4
"""Autocorrelation of a cycle that is worth going by."""
MOST = 30
"""Steps of a horizon that no cycle suggests."""
MODEST = 336
"""Steps of a horizon that a cycle suggests: a week of half hours; more takes long to learn, and must be asked for."""
OTHERWISE = "or none, log, difference, log_return"
"""What `transform` can be, too."""


def suggest_horizon(account: Account) -> tuple[int, str]:
    """One of the shortest cycle, else a tenth of the series; of symbols the next one; and why.

    The calendar's cycles come first, if repeating them beats the last value; then those of the autocorrelation. Of one
    above 336 steps these are suggested.
    """
    if account.panel.symbols:
        return 1, "the next symbol"
    most = max(int(np.median(account.lengths)) // SHARE, 1)
    calendar = [season for season in natural_seasons(account.panel.calendar) if season <= most]
    if calendar and (seasons := find_seasons(account.panel, min(calendar), calendar)):
        return _modest(min(seasons), "season")
    if shown := [lag for lag, height in account.cycles.found.items() if lag <= most and height >= CLEAR]:
        return _modest(min(shown), "cycle of the autocorrelation")
    part = "a tenth of the median series" if most <= MOST else f"no cycle was found to go by, so {MOST}"
    return min(most, MOST), part


def _modest(cycle: int, what: str) -> tuple[int, str]:
    if cycle <= MODEST:
        return cycle, f"one of the shortest {what}"
    return MODEST, f"the shortest {what} has {cycle:,} steps, more than a first run should forecast at once"


def pipeline_text(
    definition: PipelineDefinition,
    frequency: str,
    facts: Mapping[str, str],
    inferred: Mapping[str, str],
    guessed: Mapping[str, str],
) -> str:
    """The text of a pipeline file, with comments.

    Args:
        definition: Data and horizon.
        frequency: Of the data, as it was found.
        facts: What was found in the data.
        inferred: What every default came to; empty where the data do not allow a run.
        guessed: What was guessed about the columns, and the horizon.
    """
    if not isinstance(definition.data, FileData):
        raise DefinitionError("--write: the data are a pipeline's already; copy that file")
    told = _data_block(definition.data, frequency)
    comments = {
        "freq": facts.get("frequency", "").partition(";")[0],
        **guessed,
        "ignore": "to use one, name it under past, known or static",
    }
    lines = [f"# Written by forecaster check on {dt.date.today():%Y-%m-%d}: a file to start from."]
    lines += [f"# {name}: {_flat(facts[name])}" for name in ("series", "span", "gaps") if name in facts]
    lines += ["data:", *(f"  {_entry(key, value, comments.get(key))}" for key, value in told.items())]
    why = guessed.get("horizon", "time steps to forecast").partition(";")[0]
    lines += [_entry("horizon", definition.horizon, why)]
    if inferred:
        lines += ["", "# Left to the data, a run with this file would take:"]
        lines += [f"#   {name}: {_flat(value)}" for name, value in inferred.items()]
    lines += ["", "# More that can be written, each with its default (forecaster schema tells the rest):"]
    lines += [_default("models", definition), _default("seed", definition), "# backtest: {windows: auto, step: auto}"]
    if not definition.symbolic:
        lines += ["# levels: [80, 95]", f"{_default('transform', definition)}   # {OTHERWISE}"]
    return "\n".join(lines) + "\n"


def _data_block(data: FileData, frequency: str) -> dict[str, Any]:
    """What is not as by default, and always path, time, frequency and (but of a wide table) target, in the order of the
    documentation.
    """
    changed = data.model_dump(exclude_defaults=True)
    always: dict[str, Any] = {"path": data.path, "time": data.time}
    if data.layout == "long":
        always["target"] = data.target
    always["freq"] = data.freq or (int(frequency) if frequency.isdigit() else frequency)
    return {key: {**changed, **always}[key] for key in FileData.model_fields if key in changed or key in always}


def _default(key: str, definition: PipelineDefinition) -> str:
    """A key that was left out, with what it is then."""
    return f"# {_entry(key, definition.model_dump(mode='json')[key], None)}"


def _entry(key: str, value: Any, comment: str | None) -> str:
    shown = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    text = shown.removesuffix("\n").removesuffix("\n...")
    why = _flat(comment.removeprefix(f"{value} ").strip("()")) if comment else ""
    return f"{key}: {text}{f'  # {why}' if why else ''}"


def _flat(text: str) -> str:
    """One line that can stand in a comment."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def path_from(data: Path, pipeline: Path) -> str:
    """How a pipeline file names its data: as the user did if that can be found from the file, too, else in full."""
    folder = pipeline.absolute().parent
    found = any((base / data).exists() and (base / data).samefile(data) for base in (folder, folder.parent))
    return str(data if found else data.absolute())


def write_pipeline(text: str, path: Path, force: bool) -> None:
    """Writes the file if it is a valid pipeline.

    Args:
        text: As `pipeline_text` made it.
        path: Where to write.
        force: Whether a file that is there may be replaced.

    Raises:
        DefinitionError: The file exists, cannot be written, or its name cannot name a pipeline.
    """
    parse({"name": path.stem, **yaml.safe_load(text)}, PipelineDefinition, f"--write {path}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise DefinitionError(f"--write {path}: exists; write --force to replace it, or another name") from None
    except OSError as error:
        raise DefinitionError(f"--write {path}: cannot be written ({error.strerror}); name another place") from None
