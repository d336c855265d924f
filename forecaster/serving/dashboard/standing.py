"""Whether a pipeline is healthy, drifting or failing, and the reasons in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from forecaster.serving.dashboard.overview import Pipeline
from forecaster.store.ledger_records import Run

__all__ = ["STATES", "Standing", "State", "standing"]

State = Literal["failing", "drifting", "late", "unpublished", "healthy"]
STATES: tuple[State, ...] = ("failing", "drifting", "late", "unpublished", "healthy")
"""The worst first."""
TROUBLES: tuple[State, ...] = ("failing", "drifting", "late")
MOST_NAMES = 5
"""Groups in trouble that are named one by one."""
GRACE = timedelta(hours=1)
"""That a slot may be past before its absence is remarked upon: schedulers look every ten minutes or so."""


@dataclass(frozen=True)
class Standing:
    """How a pipeline stands.

    Attributes:
        state: The worst thing that holds.
        reasons: Everything that holds, the worst first.
    """

    state: State
    reasons: tuple[str, ...]


def standing(pipeline: Pipeline) -> Standing:
    """Judges a pipeline by its file, its champion, its latest run and its schedule; and by those of its groups."""
    found = sorted(_found(pipeline), key=lambda one: STATES.index(one[0]))
    if found:
        return Standing(found[0][0], tuple(reason for _, reason in found))
    return Standing("healthy", ())


def _found(pipeline: Pipeline) -> Iterator[tuple[State, str]]:
    if pipeline.file_fault:
        yield "failing", f"Its file cannot be used: {pipeline.file_fault}"
    champion = pipeline.champion
    if champion is not None and champion.fault:
        yield "failing", f"The champion, version {champion.number}, is damaged: {champion.fault}"
    for number, reason in pipeline.load_failures.items():
        if champion is None or number != champion.number or not champion.fault:
            yield "failing", f"Version {number} cannot be loaded: {reason}"
    latest = _latest(pipeline)
    own = latest if latest in pipeline.runs else None
    if own is not None and own.state == "failed":
        yield "failing", f"The latest retraining failed: {own.reason or 'no reason was written'}"
    if own is not None and own.trouble:
        yield "failing", f"The latest retraining goes on no more: {own.trouble}"
    if own is not None and own.state == "waiting":
        yield "late", f"The latest attempt failed and is tried again: {own.reason or 'interrupted'}"
    if drifted := drift_now(pipeline):
        yield "drifting", str((drifted.drift or {}).get("reason", "drift was found"))
    if pipeline.last_due is not None and _overdue(pipeline, latest):
        yield "late", f"Due {pipeline.last_due:%Y-%m-%d %H:%M} UTC and not run; is forecaster schedule running?"
    if not pipeline.published and not pipeline.file_fault:
        yield "unpublished", "Nothing has been published yet."
    yield from _of_groups(pipeline)


def _latest(pipeline: Pipeline) -> Run | None:
    """The newest run, a group's or its own; a split pipeline has its own where its groups could not be listed."""
    newest = [one.runs[0] for one in (pipeline, *pipeline.groups) if one.runs]
    return max(newest, key=lambda run: run.slot, default=None)


def _of_groups(pipeline: Pipeline) -> Iterator[tuple[State, str]]:
    """Which groups of a split pipeline are in trouble; why stands on their own pages."""
    states = {group.name: standing(group).state for group in pipeline.groups}
    for state in TROUBLES:
        if names := [name for name, own in states.items() if own == state]:
            more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
            yield state, f"{state.capitalize()}, of its groups: {', '.join(names[:MOST_NAMES])}{more}"


def drift_now(pipeline: Pipeline) -> Run | None:
    """The run that found drift, if the latest one that looked for it did and nothing was promoted since."""
    for run in pipeline.runs:
        if run.outcome == "promoted":
            return None
        if run.drift and "drifted" in run.drift:
            return run if run.drift["drifted"] else None
    return None


def _overdue(pipeline: Pipeline, latest: Run | None) -> bool:
    due = pipeline.last_due
    if due is None or pipeline.now - due < GRACE:
        return False
    if latest is not None:
        return latest.slot < due
    champion = pipeline.champion
    manifest = champion.manifest if champion else None
    return manifest is not None and manifest.created < due
