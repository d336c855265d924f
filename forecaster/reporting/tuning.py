"""The page of a search: how the best score came down, and every trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

from forecaster.reporting.encoding import Json
from forecaster.reporting.markup import figure, key_list, scroll_box, table, text
from forecaster.reporting.page import render_page, write_page
from forecaster.reporting.section import Section
from forecaster.scores import LABELS

__all__ = ["render_tuning", "write_tuning_page"]

Document = Mapping[str, Any]


def write_tuning_page(document: Document, path: Path) -> Path:
    """Writes the page of `forecaster tune`; an older one is replaced whole or not at all.

    Args:
        document: As `render_tuning`.
        path: The file to write.

    Returns:
        The absolute path of the page.

    Raises:
        ForecasterError: The file cannot be written.
    """
    return write_page(render_tuning(document), path)


def render_tuning(document: Document) -> str:
    """The page as HTML text.

    Args:
        document: `pipeline`, `metric`, `verdict`, `file` (the model file as text), `score`, `before` and `trials`, each
            with `number`, `state`, `model`, `changes`, `score`, `steps` and `seconds`.
    """
    chapters = [
        Section("verdict", "Verdict", "Verdict", _verdict(document)),
        _course(document),
        Section("trials", "Trials", "Every trial", _trials(document)),
        Section("file", "Model file", "The model file", _file(document)),
    ]
    return render_page("Search", str(document["pipeline"]), datetime.now(UTC), chapters)


def _verdict(document: Document) -> str:
    before, score = document["before"], document["score"]
    look = "good" if before is not None and score < before else "unsure"
    counted = {
        state: str(sum(one["state"] == state for one in document["trials"]))
        for state in ("complete", "pruned", "failed")
    }
    words = f'<p class="verdict {look}">{text(document["verdict"])}</p>'
    return f"{words}{key_list(counted)}"


def _course(document: Document) -> Section:
    scored = [one for one in document["trials"] if one["score"] is not None]
    lowest = accumulate((float(one["score"]) for one in scored), min)
    best: list[Json] = list(lowest)
    numbers: list[Json] = [one["number"] for one in scored]
    told: list[Json] = [_words(one) for one in scored]
    scores: list[Json] = [one["score"] for one in scored]
    marker: Json = {"color": "--training-line", "size": 8}
    line: Json = {"color": "--validation-line", "width": 2, "shape": "hv"}
    hover = "%{y:.4f}<br>%{text}<extra></extra>"
    traces: list[Json] = [
        {"type": "scatter", "name": "trial", "x": numbers, "y": scores, "text": told, "mode": "markers",
         "marker": marker, "hovertemplate": hover},
        {"type": "scatter", "name": "best", "x": numbers, "y": best, "mode": "lines", "line": line,
         "hovertemplate": "best %{y:.4f}<extra></extra>"},
    ]  # fmt: skip
    layout: dict[str, Json] = {
        "xaxis": {"title": {"text": "trial"}}, "yaxis": {"title": {"text": f"{_label(document)}, validation part"}},
    }  # fmt: skip
    drawn = figure("course", "Scores of all trials that came to their end, and the best so far", size="wide")
    note = "<p>A dot is a trial that came to its end; the line is the best so far. Lower is better.</p>"
    return Section(
        "course", "Course", "How the best came down", note + drawn, {"course": {"data": traces, "layout": layout}}
    )


def _label(document: Document) -> str:
    return LABELS.get(document["metric"], str(document["metric"]))


def _words(trial: Document) -> str:
    return ", ".join([str(trial["model"]), *(f"{key} {_short(value)}" for key, value in trial["changes"].items())])


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _trials(document: Document) -> str:
    trials: Sequence[Document] = document["trials"]
    keys = list(dict.fromkeys(key for one in trials for key in one["changes"]))
    ranked = sorted(trials, key=lambda one: (one["score"] is None, one["score"] or 0.0, one["number"]))
    rows = [
        [str(one["number"]), one["state"], "" if one["score"] is None else f"{one['score']:.4f}", str(one["model"]),
         *(_short(one["changes"].get(key, "")) for key in keys), str(one["steps"]), f"{one['seconds']:.0f} s"]
        for one in ranked
    ]  # fmt: skip
    header = ["Trial", "State", _label(document), "Model", *keys, "Steps done", "Time"]
    return table("Trials, best first", header, rows)


def _file(document: Document) -> str:
    return scroll_box("The model file", f"<pre><code>{text(document['file'])}</code></pre>")
