"""Healthy, drifting, failing: the judgement of a pipeline, case by case."""

from datetime import UTC, datetime, timedelta

import pytest

from forecaster.config import PipelineDefinition
from forecaster.serving.dashboard.overview import Kept, Pipeline
from forecaster.serving.dashboard.standing import standing
from forecaster.store.ledger_records import Run
from forecaster.store.manifest import Manifest
from tests.serving.published import draft

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAILY = PipelineDefinition.model_validate({"data": {"path": "x.csv"}, "horizon": 3, "schedule": "0 3 * * *"})
GOOD = Kept(1, Manifest(**draft().model_dump(), name="a", version=1, created=NOW, files={}))


def run(state="done", outcome="kept", drift=None, hours=9, trouble=None):
    slot = NOW - timedelta(hours=hours)
    return Run(
        1, "a", slot, "schedule", 0, state, outcome, "why", None, None, None, drift, None, 1.0, 3, slot, slot, None,
        trouble=trouble,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "changes"),
    [
        ("healthy", {}),
        ("healthy", {"definition": DAILY, "runs": [run()]}),
        ("unpublished", {"versions": []}),
        ("failing", {"file_fault": "no"}),
        ("failing", {"versions": [Kept(2, None, "damaged"), GOOD]}),
        ("failing", {"load_failures": {1: "no"}}),
        ("failing", {"runs": [run("failed", None)]}),
        ("healthy", {"runs": [run(), run("failed", None, hours=33)]}),
        ("late", {"runs": [run("waiting", None)]}),
        ("healthy", {"runs": [run("running", None)]}),
        ("failing", {"runs": [run("running", None, trouble="its process lives no more")]}),
        ("drifting", {"runs": [run(drift={"drifted": True})]}),
        ("drifting", {"runs": [run(drift={}), run(drift={"drifted": True}, hours=33)]}),
        ("healthy", {"runs": [run(outcome="promoted", drift={"drifted": True})]}),
        ("healthy", {"runs": [run(drift={"drifted": False}), run(drift={"drifted": True}, hours=33)]}),
        ("late", {"definition": DAILY, "runs": [run(hours=33)]}),
        ("healthy", {"definition": DAILY}),
        ("failing", {"runs": [run("failed", None, drift={"drifted": True})]}),
    ],
)
def test_the_worst_that_holds_is_shown(state, changes):
    found = standing(Pipeline(**{"name": "a", "now": NOW, "versions": [GOOD], **changes}))
    assert found.state == state
    assert bool(found.reasons) == (state != "healthy")


SPLIT = PipelineDefinition.model_validate(
    {"data": {"path": "x.csv", "id": "shop", "groups": {"by": "region"}}, "horizon": 3, "schedule": "0 3 * * *"}
)


@pytest.mark.parametrize(
    ("groups", "state", "reasons"),
    [
        ([], "unpublished", ["Nothing has been published yet."]),
        ([{"runs": [run("failed", None)]}], "failing",
         ["Failing, of its groups: a-0", "Nothing has been published yet."]),
        ([{"versions": [GOOD]}, {}], "healthy", []),
        ([{"versions": [GOOD], "runs": [run()]}, {"versions": [GOOD], "runs": [run(hours=33)]}], "late",
         ["Late, of its groups: a-1"]),
        ([{"versions": [GOOD], "runs": [run("failed", None)]}] * 7, "failing",
         ["Failing, of its groups: a-0, a-1, a-2, a-3, a-4 and 2 more"]),
    ],
)  # fmt: skip
def test_a_pipeline_of_groups_stands_as_these_do(groups, state, reasons):
    members = [Pipeline(f"a-{place}", NOW, SPLIT, parent="a", **told) for place, told in enumerate(groups)]
    found = standing(Pipeline("a", NOW, SPLIT, groups=members))
    assert (found.state, list(found.reasons)) == (state, reasons)


def test_where_its_groups_ran_since_it_matters_no_more_that_they_could_not_be_listed_once():
    group = Pipeline("a-0", NOW, SPLIT, versions=[GOOD], runs=[run()], parent="a")
    assert standing(Pipeline("a", NOW, SPLIT, groups=[group], runs=[run("failed", None, hours=33)])).state == "healthy"
    assert standing(Pipeline("a", NOW, SPLIT, groups=[group], runs=[run("failed", None, hours=2)])).state == "failing"


def test_next_due_is_the_next_slot():
    assert Pipeline("a", NOW, DAILY).next_due == datetime(2026, 3, 3, 3, tzinfo=UTC)
    assert Pipeline("a", NOW).next_due is None
