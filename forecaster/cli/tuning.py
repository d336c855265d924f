"""`tune`: the search, the model file that it writes, and its page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import yaml
from rich.table import Table
from rich.text import Text

from forecaster.cli.console import console
from forecaster.cli.running import Display, Stop, stoppable
from forecaster.config import PipelineDefinition, Project, read_pipeline
from forecaster.config.search import read_space
from forecaster.errors import DefinitionError, ForecasterError, Interrupted
from forecaster.lifecycle.coordination import executor_for
from forecaster.lifecycle.trial_work import TrialWork
from forecaster.lifecycle.tuning import Tuning, tune
from forecaster.pipeline import Listener
from forecaster.reporting.tuning import write_tuning_page
from forecaster.scores import LABELS
from forecaster.words import plural

__all__ = ["tune_pipeline"]

BY_TUNE = "found by forecaster tune"
SHOWN = 10
"""Trials in the terminal's table."""


def tune_pipeline(
    pipeline: Path,
    project: Path | None,
    as_json: bool,
    *,
    minutes: float,
    trials: int | None,
    models: Sequence[str],
    search: Sequence[str],
    out: Path | None,
    offline: bool,
    workers: int = 1,
) -> None:
    """Searches, writes the best model file and the page, and prints what came out.

    Args:
        pipeline: The pipeline file.
        project: Folder that holds models/.
        as_json: One JSON object instead of tables.
        minutes: Budget.
        trials: Most trials.
        models: Names of models to begin from; those of the pipeline where there are none.
        search: What to vary; see `read_space`.
        out: The model file; `models/NAME_tuned.yaml` by default.
        offline: Whether to take tickers from their last snapshots.
        workers: Trials at once on this machine; a pipeline's `executor` may name a cluster instead.
    """
    definition, space = read_pipeline(pipeline), read_space(search)
    if models:
        definition = definition.model_copy(update={"models": list(models)})
    found = Project.find(project)
    file = out or found.models / f"{definition.name}_tuned.yaml"
    _may_write(file)
    work = _work(definition, found, pipeline.parent, workers)
    with _kept(), stoppable() if work is None else nullcontext(Stop()) as stop, Display(as_json) as display:
        read = display.read if work is None else display.facts
        result = tune(
            definition, found, space, base=pipeline.parent, minutes=minutes, trials=trials, offline=offline,
            listener=Listener(read, display.begin, display.progress, stop.asked), work=work,
        )  # fmt: skip
    text = _model_file(result)
    _write(file, text)
    document = {**_document(result), "file": text, "written": str(file)}
    page = write_tuning_page(document, found.models / "reports" / f"{definition.name}_tune.html")
    if as_json:
        print(json.dumps({**document, "report": str(page)}, indent=2))  # noqa: T201
        return
    console.print(_table(result))
    for line in _failures(result):
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"\n{document['verdict']}\n", markup=False, soft_wrap=True)
    console.print(f"Model file  {file}", markup=False, soft_wrap=True)
    console.print(f"Report      {page}", markup=False, soft_wrap=True)


def _model_file(result: Tuning) -> str:
    """The best model as a file: what it is, where it came from, and the keys that are not as they are by default."""
    told = result.best.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
    whence = f"{BY_TUNE} {result.pipeline}: {result.metric} {result.score:.4f} on the validation part"
    return f"# {whence}\n{yaml.safe_dump(told, sort_keys=False)}"


def _work(definition: PipelineDefinition, project: Project, base: Path, workers: int) -> TrialWork | None:
    """Who makes the trials; None for this process, one after the other."""
    place = definition.executor
    if workers == 1 and place == "local":
        return None
    return TrialWork(project, base, lambda: executor_for(place, workers))


@contextmanager
def _kept() -> Iterator[None]:
    """Has an interrupted search say how to go on; one by workers ends at once, in the middle of their trials."""
    try:
        yield
    except Interrupted as interruption:
        raise Interrupted(f"{interruption}; go on with the same command, which keeps the trials") from None
    except KeyboardInterrupt:
        raise Interrupted("ended; go on with the same command, which keeps the trials that had ended") from None


def _may_write(file: Path) -> None:
    """Refuses a place whose file would be lost, before the search."""
    try:
        first = file.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
    except FileNotFoundError:
        return
    except OSError as error:
        raise DefinitionError(f"--out {file}: cannot be replaced ({error.strerror}); name another place") from None
    if BY_TUNE not in first:
        raise DefinitionError(f"{file}: was not written by a search, so it is not replaced; name another with --out")


def _write(file: Path, text: str) -> None:
    beside = file.with_name(f".{file.name}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        raise ForecasterError(f"--out {file}: cannot be written ({error.strerror}); name another place") from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _document(result: Tuning) -> dict[str, Any]:
    return {
        "pipeline": result.pipeline,
        "metric": result.metric,
        "verdict": _verdict(result),
        "score": result.score,
        "before": result.before,
        "model": result.best.model_dump(mode="json", exclude={"name"}),
        "trials": [{**vars(one), "changes": dict(one.changes)} for one in result.trials],
        "stopped": result.stopped,
    }


def _verdict(result: Tuning) -> str:
    made = [one for one in result.trials if one.state != "cut off"]  # such a one is made again
    counted = f"{plural(len(made), 'trial')}, and {result.stopped}."
    said = f"On the validation part the best {LABELS[result.metric]} is {result.score:.4f}"
    if result.before is None:
        compared = "no model was judged as it is."
    elif result.score < result.before:
        compared = f"{1 - result.score / result.before:.1%} below that of the models as they are ({result.before:.4f})."
    else:
        compared = "and the models as they are have it."
    return f"{counted} {said}, {compared} What it is worth on the test part, a run will tell."


def _table(result: Tuning) -> Table:
    table = Table(title="Trials", title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    keys = list(dict.fromkeys(key for one in result.trials for key in one.changes))
    for heading in ("", "model", LABELS[result.metric], *keys, "steps done"):
        table.add_column(heading, justify="left" if heading == "model" else "right", overflow="fold")
    ranked = sorted(result.trials, key=lambda one: one.rank)
    for one in ranked[:SHOWN]:
        score = one.state if one.score is None else f"{one.score:.4f}"
        changes = [_short(one.changes.get(key, "")) for key in keys]
        table.add_row(str(one.number), Text(one.model), score, *map(Text, changes), str(one.steps))
    if len(ranked) > SHOWN:
        table.caption = f"the best {SHOWN} of {len(ranked)}"
        table.caption_justify = "left"
    return table


def _failures(result: Tuning) -> list[str]:
    """Why trials failed: a line a reason, the most frequent first."""
    reasons = Counter(one.error for one in result.trials if one.state == "failed")
    return [f"{plural(count, 'trial')} failed: {reason}" for reason, count in reasons.most_common()]


def _short(value: Any) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)
