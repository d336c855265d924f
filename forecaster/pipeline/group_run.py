"""One run of a pipeline whose series are split: group after group, and what all of them together come to."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecaster.config import FileData, PipelineDefinition, Project
from forecaster.config.groups import CHOSEN
from forecaster.errors import ForecasterError, Interrupted
from forecaster.pipeline.checkpoints import OPERATING, key_of
from forecaster.pipeline.groups import groups_of
from forecaster.pipeline.result import RunResult, clean
from forecaster.series.source import find_file
from forecaster.store.durable import make_folder, sync, write_file
from forecaster.words import plural

__all__ = ["GroupOutcome", "GroupsResult", "Work", "finished", "one_by_one", "run_groups", "together"]

logger = logging.getLogger(__name__)

WEIGHTED = ("mase", "smape", "rmse")
"""Metrics that are means over series, so that those of several groups have a mean, too."""

FORMAT = 2
"""Of a diary; one that another release wrote in another is not gone on with."""


@dataclass(frozen=True)
class GroupOutcome:
    """The end of one group's run.

    Attributes:
        label: Of the group.
        name: Of its own pipeline.
        series: How many it has.
        result: What `RunResult.to_json` says; None where it failed.
        error: Why it failed.
        exit_code: Of that.
    """

    label: str
    name: str
    series: int = 0
    result: Mapping[str, Any] | None = None
    error: str = ""
    exit_code: int = 0

    @property
    def passed(self) -> bool:
        """Whether its network beats the naive forecasts."""
        return bool(self.result and self.result["gate"]["passed"])

    @property
    def version(self) -> int | None:
        """Under which its network was published."""
        published = self.result and self.result["published"]
        return int(published["version"]) if published else None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"label": self.label, "name": self.name, "series": self.series, "error": self.error or None,
                "result": self.result}  # fmt: skip


@dataclass(frozen=True)
class GroupsResult:
    """The end of a run.

    Attributes:
        name: The pipeline's.
        groups: What came of each.
        leaderboard: Of all series together; see `together`.
        seconds: That the run took.
    """

    name: str
    groups: tuple[GroupOutcome, ...]
    leaderboard: pd.DataFrame
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the networks beat the naive forecasts in every group."""
        return all(group.passed for group in self.groups)

    @property
    def exit_code(self) -> int:
        """The worst of the groups'."""
        return max((group.exit_code for group in self.groups), default=0)

    def to_json(self) -> str:
        """One JSON object; what is not finite is null."""
        table = [clean(row) for row in self.leaderboard.to_dict("records")]
        told = {"name": self.name, "groups": [one.to_dict() for one in self.groups], "leaderboard": table}
        return json.dumps({**told, "seconds": round(self.seconds, 3)}, indent=2)


Work = Callable[[Mapping[str, PipelineDefinition]], Iterator[GroupOutcome]]
"""Runs the pipelines of groups, given by their labels, and tells of each as it ends."""


def run_groups(
    definition: PipelineDefinition,
    project: Project,
    base: Path,
    work: Work,
    *,
    publishing: bool = True,
    force: bool = False,
    resume: bool = False,
    told: Callable[[GroupOutcome, int, int], None] = lambda outcome, done, count: None,
) -> GroupsResult:
    """Runs the groups of a pipeline; one that fails does not keep the others from being run.

    Args:
        definition: The pipeline, with a name; its series are split.
        project: Where the store lies.
        base: Folder of the pipeline file.
        work: Runs them: `one_by_one`, or by workers.
        publishing: Whether networks may be published at all, as `work` is told.
        force: Whether they are published even if they do not beat the naive forecasts, as `work` is told.
        resume: Whether to leave out what an interrupted run, or one in which some groups failed, has done, where
            neither the pipeline nor its data file has changed. With `force`, what it did not publish is done anew.
        told: Hears of each end, with the number of groups done and of all.

    Raises:
        DataError: The groups cannot be listed.
        Interrupted: As `pipeline.run`.
    """
    began, members = time.monotonic(), groups_of(definition, base)
    key = _key(definition, project, base, publishing)
    diary = _Diary(project.store / ".checkpoints" / f"{definition.name}.groups", key)
    if not resume:
        diary.forget()
    done = {label: one for label, one in diary.read(members).items() if one.version or not force}
    for number, outcome in enumerate(list(done.values()), start=1):
        told(outcome, number, len(members))
    for outcome in work({label: member for label, member in members.items() if label not in done}):
        diary.write(outcome)
        done[outcome.label] = outcome
        told(outcome, len(done), len(members))
    outcomes = tuple(done[label] for label in members)
    if not any(outcome.error for outcome in outcomes):
        diary.forget()
    return GroupsResult(str(definition.name), outcomes, together(outcomes), time.monotonic() - began)


def one_by_one(fit: Callable[[PipelineDefinition], RunResult]) -> Work:
    """Work that is done here, one group after the other.

    Args:
        fit: Runs one group's own pipeline.
    """

    def work(members: Mapping[str, PipelineDefinition]) -> Iterator[GroupOutcome]:
        for label, member in members.items():
            try:
                yield finished(label, str(member.name), json.loads(fit(member).to_json()))
            except Interrupted:
                raise
            except ForecasterError as error:
                yield GroupOutcome(label, str(member.name), error=str(error), exit_code=error.exit_code)

    return work


def finished(label: str, name: str, result: Mapping[str, Any]) -> GroupOutcome:
    """The end of a group's run that came to a good end, from what `RunResult.to_json` says."""
    return GroupOutcome(label, name, int(result["facts"]["series"]), result)


def together(outcomes: Sequence[GroupOutcome]) -> pd.DataFrame:
    """The leaderboard of all groups that did not fail: means over all series.

    A group weighs in each metric by the series that this is a mean of there: MASE leaves out those without a scale.

    Returns:
        A row a model that ran in every group, best first by the metric that decides: model, kind, the metrics, skill
        and seconds (the sum). `chosen` is in each group the network that was chosen there. There is no p: significance
        is judged group by group.
    """
    done = [outcome.result for outcome in outcomes if outcome.result]
    if not done:
        return pd.DataFrame(columns=["model", "kind"])
    tables = [_with_chosen(result) for result in done]
    common = [model for model in tables[0].index if all(model in table.index for table in tables)]
    board = tables[0].loc[common, ["kind"]].rename_axis("model")
    shown = [name for name in tables[0].columns if name in WEIGHTED or name.startswith("coverage-")]
    for name in shown:
        series = [result["counted"][name.partition("-")[0]] for result in done]
        board[name] = _mean([table.loc[common, name].to_numpy(float) for table in tables], series)
    first = shown[0]
    board["skill"] = 1 - board[first] / board.loc[board["kind"] == "naive", first].min()
    board["seconds"] = sum(table.loc[common, "seconds"].astype(float) for table in tables)
    return board.sort_values(first, kind="stable").reset_index()


def _mean(scores: Sequence[np.ndarray], series: Sequence[int]) -> np.ndarray:
    """Of the groups' scores, each by model; a group of which no series counts has none."""
    weights = np.array(series, float)
    having = weights > 0
    if not having.any():
        return np.full_like(scores[0], np.nan)
    return np.asarray(np.average(np.stack(scores)[having], axis=0, weights=weights[having]))


def _with_chosen(result: Mapping[str, Any]) -> pd.DataFrame:
    """A group's leaderboard by model, with one row more: that of the network that was chosen."""
    table = pd.DataFrame(result["leaderboard"]).set_index("model")
    table.loc[CHOSEN] = table.loc[result["gate"]["model"]]
    return table


def _key(definition: PipelineDefinition, project: Project, base: Path, publishing: bool) -> str:
    """What a diary belongs to: this definition, these models, this state of the data file, and what was asked for."""
    said = definition.model_dump(mode="json", exclude=set(OPERATING))
    models = [key_of(definition, model, "") for model in project.definitions(definition.models)]
    stat: list[int] = []
    if isinstance(definition.data, FileData) and (file := find_file(definition.data.path, base)).exists():
        stat = [file.stat().st_mtime_ns, file.stat().st_size]
    return hashlib.sha256(json.dumps([FORMAT, said, models, stat, publishing]).encode()).hexdigest()


@dataclass(frozen=True)
class _Diary:
    """What an unfinished run has done, a file a group.

    Attributes:
        folder: Of the files.
        key: Of the run; files of another are not read.
    """

    folder: Path
    key: str

    def read(self, members: Mapping[str, PipelineDefinition]) -> dict[str, GroupOutcome]:
        """The outcomes of the groups that are done, by their labels; says how many of another run there are."""
        done, others = {}, 0
        for label, member in members.items():
            told = self._told(str(member.name))
            if told.get("key") != self.key:
                others += bool(told)
            elif not told["error"]:
                done[label] = GroupOutcome(label, str(member.name), told["series"], told["result"])
        if others:
            why = "another definition, other data, other code, or `backtest` for `run`"
            logger.warning("%s: %s of another run (%s); begun anew", self.folder, plural(others, "outcome"), why)
        return done

    def write(self, outcome: GroupOutcome) -> None:
        """Keeps it: beside its place, then renamed, so that it is there whole or not at all."""
        make_folder(self.folder)
        beside = self.folder / f"{outcome.name}.tmp"
        write_file(beside, json.dumps({"key": self.key, **outcome.to_dict()}))
        beside.replace(self.folder / f"{outcome.name}.json")
        sync(self.folder)

    def forget(self) -> None:
        """Removes all that was kept."""
        for file in self._files():
            file.unlink()
        if self.folder.is_dir():
            self.folder.rmdir()

    def _told(self, name: str) -> dict[str, Any]:
        """What the file of a group says; nothing where there is none, or none that can be read."""
        file = self.folder / f"{name}.json"
        try:
            told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        except ValueError as error:
            logger.warning("%s: cannot be read (%s); the group is begun anew", file, error)
            return {}
        return told

    def _files(self) -> Iterator[Path]:
        yield from self.folder.glob("*.json")
        yield from self.folder.glob("*.tmp")
