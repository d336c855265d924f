"""`run` and `backtest`: progress while it goes on, the leaderboard and the verdict at the end."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from forecaster.cli.console import console, messages, near
from forecaster.cli.tables import apart_table, facts_table, leaderboard_table, whole
from forecaster.config import PipelineDefinition, Project, TickerData, read_pipeline
from forecaster.errors import DefinitionError, Interrupted
from forecaster.forecasting.backend import load_quietly
from forecaster.forecasting.training import Progress as Fit
from forecaster.pipeline import Listener, RunResult
from forecaster.pipeline import run as run_job
from forecaster.pipeline.comparable import refuse_incomparable
from forecaster.pipeline.folds import FoldWork

__all__ = ["Display", "Stop", "resumable", "run_pipeline", "stoppable"]


def run_pipeline(
    pipeline: Path,
    project: Path | None,
    as_json: bool,
    *,
    resume: bool,
    force: bool,
    report: Path | None,
    publishing: bool,
    offline: bool = False,
    warm: bool = False,
    workers: int = 1,
) -> bool:
    """Runs a pipeline file and prints what came out.

    Returns:
        Whether the chosen network beats the naive forecasts.
    """
    definition = read_pipeline(pipeline)
    definition = definition.model_copy(update={"warm_start": True}) if warm else definition
    found = Project.find(project)
    if publishing and definition.schedule:
        refuse_incomparable(definition)
    if definition.split:
        if report:
            told = f"each group of {definition.name} has a report of its own, in {found.models / 'reports'}"
            raise DefinitionError(f"--report {report}: {told}; leave it out")
        from forecaster.cli.group_running import run_split

        return run_split(
            definition, pipeline, found, as_json, resume=resume, force=force, publishing=publishing, workers=workers
        )  # fmt: skip
    folds = _folds(definition, found, pipeline.parent, workers)
    if publishing and report is None:
        report = found.models / "reports" / f"{definition.name}.html"
    if definition.warm_start:  # weights are read before any network is built
        load_quietly()
    # a ticker's prices of now would be other data than those of the checkpoint
    offline_again = offline or isinstance(definition.data, TickerData)
    again = {"--force": force, "--warm-start": warm, "--offline": offline_again}
    with resumable(pipeline, publishing, again), stoppable() as stop, Display(as_json) as display:
        listener = Listener(display.read, display.begin, display.progress, stop.asked)
        result = run_job(
            definition, found, base=pipeline.parent, publishing=publishing, force=force, resume=resume,
            report=report, offline=offline, listener=listener, folds=folds,
        )  # fmt: skip
    if as_json:
        print(result.to_json())  # noqa: T201 - one JSON object, untouched by the console's wrapping
    else:
        _show(result)
    return result.gate.passed


def _folds(definition: PipelineDefinition, project: Project, base: Path, workers: int) -> FoldWork | None:
    """Who fits the folds of a backtest; None for this process."""
    if not definition.backtest.refit or definition.symbolic:
        if workers > 1:
            raise DefinitionError(
                f"--workers: {definition.name} is one fit a model; only groups of series (data.groups) and the folds "
                "of a backtest with refit: true are fitted at once"
            )
        return None
    place = definition.executor
    if workers == 1 and place == "local":
        return None
    from forecaster.lifecycle.coordination import executor_for

    return FoldWork(project, base, lambda: executor_for(place, workers))


def _show(result: RunResult) -> None:
    whole(leaderboard_table(result.leaderboard), console)
    if len(result.apart):
        console.print(apart_table(result.apart))
    console.print(f"\n{result.gate.verdict}\n", markup=False, soft_wrap=True)
    for words in dict.fromkeys(result.warnings.values()):
        models = ", ".join(model for model, told in result.warnings.items() if told == words)
        console.print(f"Warning     {models}: {words}", markup=False, soft_wrap=True)
    for model, words in result.clipping.items():
        console.print(f"Gradient    {model}: {words}", markup=False, soft_wrap=True)
    if result.served:
        console.print(f"SavedModel  {near(result.served)}", markup=False, soft_wrap=True)
    if result.report:
        console.print(f"Report      {near(result.report)}", markup=False, soft_wrap=True)
    console.print(f"Took        {result.seconds:.0f} s")


class Display:
    """A line a model: what is fitted now, how far, and how long it will take.

    Args:
        quiet: Whether what was read is not shown.
        passing: Whether the lines vanish at the end.
    """

    def __init__(self, quiet: bool, passing: bool = False) -> None:
        self._quiet = quiet
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"), TextColumn("{task.description:<16}"), BarColumn(30),
            TextColumn("{task.fields[note]}"), TimeElapsedColumn(), TimeRemainingColumn(compact=True),
            console=messages, transient=passing,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Display:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        for task in self._bars.tasks:
            if task.total is None or task.completed == 0:
                self._bars.update(task.id, total=1, completed=1)
        self._bars.stop()

    def read(self, facts: Mapping[str, Any], inferred: Mapping[str, str]) -> None:
        """Shows what was read and inferred, and gets ready to fit."""
        self.facts(facts, inferred)
        load_quietly()

    def facts(self, facts: Mapping[str, Any], inferred: Mapping[str, str]) -> None:
        """Shows what was read and inferred."""
        if not self._quiet:
            console.print(facts_table(facts, inferred))

    def begin(self, model: str) -> None:
        """Adds the line of a model."""
        self._finish_baselines()
        self._tasks[model] = self._bars.add_task(model, total=None, note="")

    def progress(self, fit: Fit) -> None:
        """Moves the line of a fit; what it made up stands above the lines."""
        if fit.sample and not self._quiet:
            said = " ".join(fit.sample.replace("\n", " ⏎ ").split())
            self._bars.console.print(
                f"{fit.model}, text read {fit.around:.1f} times: {said}",
                style="dim", markup=False, highlight=False, no_wrap=True, overflow="ellipsis",
            )  # fmt: skip
        looked = f"step {fit.step}, loss {fit.validation:.4f} (best {fit.best:.4f})"
        note = f"finishing on all data, step {fit.step}" if fit.finishing else looked
        if fit.members > 1:
            note = f"{fit.member} of {fit.members}: {note}"
        done = (fit.member - 1) * fit.steps + fit.step
        total = done if fit.done and fit.member == fit.members else fit.members * fit.steps
        self._bars.update(self._tasks[fit.model], total=max(total, 1), completed=max(done, 1), note=note)

    def _finish_baselines(self) -> None:
        for task in self._bars.tasks:
            if task.total is None:
                self._bars.update(task.id, total=1, completed=1)


class Stop:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self._asked = False

    def asked(self) -> bool:
        """Whether it was."""
        return self._asked

    def ask(self, number: int, frame: FrameType | None) -> None:
        """What the signal calls; the second time it ends the program at once."""
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        messages.print("stopping after this step; press Ctrl-C again to stop at once")


@contextmanager
def resumable(pipeline: Path, publishing: bool, options: Mapping[str, bool]) -> Iterator[None]:
    """Has an interrupted `run` (or, where nothing is published, `backtest`) say how to go on.

    Args:
        pipeline: The pipeline file.
        publishing: Which of the two it is.
        options: Which ones are to be typed again.
    """
    try:
        yield
    except Interrupted as interruption:
        asked = ["run" if publishing else "backtest", str(pipeline), *(key for key in options if options[key])]
        raise Interrupted(f"{interruption}; go on with: forecaster {' '.join(asked)} --resume") from None


@contextmanager
def stoppable() -> Iterator[Stop]:
    """The first Ctrl-C asks for a clean end with a checkpoint, the second ends at once."""
    stop = Stop()
    before = signal.signal(signal.SIGINT, stop.ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
