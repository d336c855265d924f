"""The page of one pipeline, from its latest forecast to its runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from forecaster.serving.dashboard.board import board, headline
from forecaster.serving.dashboard.front_page import by_group, pipeline_link, pipelines_table, state_chip
from forecaster.serving.dashboard.inside import inside
from forecaster.serving.dashboard.markup import Html, chip, key_list, moment, page, section, table, text
from forecaster.serving.dashboard.overview import Kept, Pipeline
from forecaster.serving.dashboard.standing import standing
from forecaster.serving.dashboard.trying import trying
from forecaster.serving.dashboard.words import NOTHING, duration, number, percent
from forecaster.store import Store
from forecaster.store.ledger_records import Run

__all__ = ["pipeline_page"]

OUTCOMES = {"promoted": "good", "failed": "bad", "running": "plain", "waiting": "unsure"}


def pipeline_page(one: Pipeline, store: Store, served: Mapping[str, float], local: bool) -> bytes:
    """The page.

    Args:
        one: All that is known of the pipeline.
        store: Where inspections lie.
        served: How served forecasts turned out; see `Metrics.turned_out`.
        local: Whether a forecast can be asked for without a token.
    """
    if one.split:
        return _split_page(one)
    parts = [
        ("forecast", "Latest forecast", _forecast(one)),
        ("past", "How past forecasts turned out", _past(one, served)),
    ]
    champion = one.champion
    if champion and champion.manifest:
        parts.append(("leaderboard", "Leaderboard", board(champion.manifest)))
    parts += [("versions", "Versions", _versions(one)), ("runs", "Runs", _runs(one))]
    if champion and champion.manifest:
        parts.append(("inside", "Inside the network", inside(store, one.name, champion.number)))
        parts.append(("try", "Try your own data", trying(one.name, champion.manifest, local)))
    return _page_of(one, parts)


def _split_page(one: Pipeline) -> bytes:
    """The page of a pipeline that has a model for each group: all the rest stands on the pages of these."""
    judged = [(group, standing(group)) for group in one.groups]
    listed = pipelines_table(f"The groups of {one.name}", judged) if judged else (
        "<p>Nothing has been published of any group yet: <code>forecaster run</code> fits a network for each.</p>"
    )  # fmt: skip
    parts = [("groups", "Groups", listed)]
    if one.runs or one.ledger_fault:
        parts.append(("runs", "Runs", _runs(one)))
    return _page_of(one, parts)


def _page_of(one: Pipeline, parts: Sequence[tuple[str, str, str]]) -> bytes:
    """The page of these sections: anchor, title and HTML of each."""
    body = "".join(section(*part) for part in parts)
    contents = {anchor: title for anchor, title, _ in parts}
    return page(one.name, body, above=_summary(one), contents=contents)


def _summary(one: Pipeline) -> str:
    stands = standing(one)
    reasons = "".join(f"<li>{text(reason)}</li>" for reason in stands.reasons)
    champion = one.champion
    manifest = champion.manifest if champion else None
    score, skill = headline(manifest)
    told: dict[str, object] = {"State": state_chip(stands.state)}
    if one.parent:
        told["Group of"] = pipeline_link(one.parent)
    if one.split:
        told["Champion"] = by_group(one)
    if champion:
        told["Champion"] = f"version {champion.number}" + (f", {manifest.model}" if manifest else "")
    if manifest:
        told["Published"] = moment(manifest.created, one.now)
        told["Score on the test part"] = score
        told["Skill"] = skill
        steps = f"{manifest.horizon} step{'' if manifest.horizon == 1 else 's'}"
        told["Forecasts"] = f"{steps} of {manifest.frequency.get('name', '?')} from {manifest.lookback} of the past"
    told["Next due"] = moment(one.next_due, one.now, "no schedule")
    listed = f'<ul class="reasons">{reasons}</ul>' if reasons else ""
    return f"{listed}{key_list(told)}"


def _forecast(one: Pipeline) -> str:
    if one.champion is None:
        return (
            "<p>Nothing has been published, so there is nothing to forecast with: "
            "<code>forecaster run</code> publishes a network that beats the naive forecasts.</p>"
        )
    source = f"/pipelines/{quote(one.name, safe='')}/outlook"
    return f"""<div class="outlook" data-source="{text(source)}">
<p class="status" role="status">Reading the data and forecasting …</p>
<p class="choice" hidden><label for="series">Series</label> <select id="series"></select></p>
<div class="chart" id="outlook-chart"></div>
<details hidden><summary>The forecast as a table</summary><div class="as-table"></div></details>
<noscript><p>The plot needs JavaScript; the same numbers come from
<code>POST /api/forecast/{text(one.name)}</code>.</p></noscript>
</div>"""


def _past(one: Pipeline, served: Mapping[str, float]) -> str:
    before = (
        "<p>The champion's forecasts from earlier origins, one horizon apart, made now from what was known then, "
        "beside what came.</p>"
        '<div id="past-table"><p class="soft">Comes with the forecast above.</p></div>'
        if one.champion
        else "<p>Nothing has been published yet.</p>"
    )
    told: dict[str, object] = {}
    symbols = bool(one.champion and one.champion.manifest and one.champion.manifest.vocabulary)
    if served and symbols:
        told["Served since this server began"] = (
            f"{percent(served['error'])} of {served['steps']:,.0f} steps named wrongly; "
            f"{percent(served['naive'])} by the last symbol again"
        )
    elif served:
        told["Served since this server began"] = (
            f"mean absolute error {number(served['error'])} over {served['steps']:,.0f} steps; "
            f"{number(served['naive'])} for the last value"
        )
    for run in one.runs:
        if run.drift and "drifted" in run.drift:
            words = f"{text(run.drift.get('reason', ''))}{_course(run.drift.get('errors'))}"
            told["Errors and inputs at the last look"] = Html(f"{words} {moment(run.slot, one.now).code}")
            break
    return before + (key_list(told) if told else "")


def _course(errors: Any) -> str:
    if not isinstance(errors, Mapping) or "now" not in errors:
        return ""
    told = str(errors.get("metric", "error"))
    metric = text(told.replace("_", " ") if "_" in told else told.upper())
    now, then = number(errors.get("now")), number(errors.get("then"))
    return f" ({metric} {now} on {text(errors.get('cutoffs'))} new origins, {then} when it was published)"


def _versions(one: Pipeline) -> str:
    rows = [*_kept(one, one.versions, True), *_kept(one, one.challengers, False)]
    if not rows:
        return "<p>None yet.</p>"
    heads = ("Version", "Model", "Score", "Skill", "Published", "Why")
    return table(f"Versions and challengers of {one.name}, the newest first", heads, rows, kind="versions")


def _kept(one: Pipeline, entries: Sequence[Kept], versions: bool) -> Iterator[list[object]]:
    for place, entry in enumerate(entries):
        role = ("champion" if not place else "") if versions else "challenger"
        mark = chip(role, "good" if role == "champion" else "plain") if role else Html("")
        head = Html(f"{entry.number} {mark.code}")
        manifest = entry.manifest
        if manifest is None:
            yield [head, NOTHING, NOTHING, NOTHING, NOTHING, Html(f"{chip('damaged', 'bad').code} {text(entry.fault)}")]
            continue
        score, skill = headline(manifest)
        why = Html(f'<span class="why">{text(manifest.gate.get("verdict", "") or NOTHING)}</span>')
        yield [head, manifest.model, score, skill, moment(manifest.created, one.now), why]


def _runs(one: Pipeline) -> str:
    if one.ledger_fault:
        return f'<p class="verdict bad">{text(one.ledger_fault)}</p>'
    if not one.runs:
        return (
            "<p>The ledger holds no run of this pipeline. Give its file a <code>schedule:</code> and let "
            "<code>forecaster schedule</code> run, or call <code>forecaster retrain</code>.</p>"
        )
    heads = ("Due", "Outcome", "Version", "p", "Tries", "Missed", "Took", "Why")
    return table(
        f"Retrainings of {one.name}, the newest first", heads, [_run(one, run) for run in one.runs], kind="runs"
    )


def _run(one: Pipeline, run: Run) -> list[object]:
    outcome = run.outcome or run.state
    p = NOTHING if run.p is None else "< 0.001" if run.p < 0.001 else f"{run.p:.3f}"
    tries = f"{len(run.attempts)} of {run.allowed}" if run.cause == "schedule" else "by hand"
    return [
        moment(run.slot, one.now), chip(outcome, OUTCOMES.get(outcome, "plain")), run.version or NOTHING, p, tries,
        run.missed or NOTHING, duration(run.seconds), Html(f'<span class="why">{text(_why(run))}</span>'),
    ]  # fmt: skip


def _why(run: Run) -> str:
    if run.state == "waiting" and run.retry_at:
        return f"{run.reason or 'interrupted'} (again at {run.retry_at:%H:%M} UTC)"
    if run.state == "running" and run.attempts:
        return run.trouble or f"since {run.attempts[-1].began:%H:%M} UTC by {run.attempts[-1].owner}"
    return run.reason or ""
