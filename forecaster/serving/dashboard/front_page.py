"""The front page: every pipeline, the troubled ones first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

from forecaster.serving.dashboard.board import headline
from forecaster.serving.dashboard.markup import Html, chip, link, moment, page, section, table, text
from forecaster.serving.dashboard.overview import Pipeline
from forecaster.serving.dashboard.standing import STATES, Standing, State, standing
from forecaster.serving.dashboard.words import NOTHING

__all__ = ["LOOKS", "by_group", "front_page", "pipeline_link", "pipelines_table", "state_chip"]

LOOKS: dict[State, tuple[str, str, str]] = {
    "failing": ("✕ failing", "bad", "Failing"),
    "drifting": ("~ drifting", "unsure", "Drifting"),
    "late": ("! late", "unsure", "Late"),
    "unpublished": ("○ nothing published", "plain", "Unpublished"),
    "healthy": ("✓ healthy", "good", "Healthy"),
}
"""Sign and word, colour, and the word alone."""
HEADS = ("Pipeline", "State", "Champion", "Test score", "Skill", "Latest run", "Next due")
REASON = 300
"""Characters of a reason that are shown here."""
MOST_GROUPS = 10
"""Groups of a split pipeline that are named in its row."""


def state_chip(state: State) -> Html:
    """A state as a chip."""
    words, look, _ = LOOKS[state]
    return chip(words, look)


def front_page(pipelines: Sequence[Pipeline], fault: str) -> bytes:
    """The page.

    Args:
        pipelines: All of them.
        fault: What is wrong with the store or the ledger.
    """
    judged = sorted(
        ((one, standing(one)) for one in pipelines), key=lambda pair: (STATES.index(pair[1].state), pair[0].name)
    )
    warning = f'<p class="verdict bad">{text(fault)}</p>' if fault else ""
    if not judged:
        nothing = (
            "<p>No pipeline yet. Write a file into <code>pipelines/</code>, then publish its first version:</p>"
            "<pre><code>forecaster run pipelines/NAME.yaml</code></pre>"
        )
        return page("Pipelines", warning + section("pipelines", "Nothing here yet", nothing))
    counts = Counter(stands.state for _, stands in judged)
    tiles = "".join(
        f'<li class="tile {LOOKS[state][1]}"><span class="big">{counts[state]}</span> {LOOKS[state][2].lower()}</li>'
        for state in STATES
        if counts[state] or state in ("failing", "drifting", "healthy")
    )
    listed = pipelines_table("All pipelines, the troubled ones first", judged)
    above = f'<ul class="tiles" aria-label="How many pipelines are in which state">{tiles}</ul>'
    every = section("pipelines", "All pipelines", _filter(len(judged)) + listed)
    return page("Pipelines", warning + every, above=above)


def pipelines_table(caption: str, judged: Sequence[tuple[Pipeline, Standing]]) -> str:
    """A row a pipeline."""
    return table(caption, HEADS, [_row(one, stands) for one, stands in judged], kind="pipelines")


def pipeline_link(name: str) -> Html:
    """A link to the page of a pipeline."""
    return link(f"/pipelines/{quote(name, safe='')}", name)


def by_group(one: Pipeline) -> Html:
    """Where a pipeline is split: that there is a model for each group, and links to those that are published."""
    if not one.split:
        return Html(NOTHING)
    groups = [group.name for group in one.groups if group.champion]
    more = f" and {len(groups) - MOST_GROUPS:,} more" if len(groups) > MOST_GROUPS else ""
    links = ", ".join(pipeline_link(name).code for name in groups[:MOST_GROUPS])
    return Html(f"a model for each group: {links or 'none is published yet'}{more}")


def _filter(count: int) -> str:
    """A box that narrows the table; worth its place only where there are many rows."""
    if count < 8:
        return ""
    return (
        '<p><label for="filter">Show only names or states with</label> '
        '<input id="filter" type="search" autocomplete="off"> <output id="filtered" for="filter"></output></p>'
    )


def _row(one: Pipeline, stands: Standing) -> list[object]:
    champion = one.champion
    score, skill = headline(champion.manifest if champion else None)
    model = champion.manifest.model if champion and champion.manifest else ""
    latest = one.runs[0] if one.runs else None
    ran = Html(f"{text(latest.outcome or latest.state)} {moment(latest.slot, one.now).code}") if latest else NOTHING
    why = stands.reasons[0] if stands.reasons else ""
    shown = why if len(why) <= REASON else why[:REASON] + "…"
    return [
        pipeline_link(one.name),
        Html(f'{state_chip(stands.state).code}<span class="under">{text(shown)}</span>'),
        Html(f'{text(champion.number)} <span class="soft">{text(model)}</span>') if champion else by_group(one),
        score, skill, ran, moment(one.next_due, one.now, "no schedule"),
    ]  # fmt: skip
