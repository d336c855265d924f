"""What becomes of runs whose process has died, and who hears of it."""

import pytest

from forecaster.store.ledger_records import Claim
from tests.lifecycle.conftest import NIGHT
from tests.store.fake_publisher import draft, write


def killed(world, monkeypatch, cause="schedule", allowed=1) -> Claim:
    """A claim whose process has died."""
    claim = world.ledger.claim("a", NIGHT, cause, allowed=allowed)
    assert isinstance(claim, Claim)
    monkeypatch.setattr("forecaster.store.ledger.is_dead", lambda owner: True)
    return claim


@pytest.mark.parametrize("then", ["the same slot", "the next slot", "by hand"])
def test_a_run_that_ended_with_its_process_is_told_with_its_reason(world, pool, monkeypatch, heard, then):
    pipeline = world.pipeline("a", "keep", schedule={"cron": "0 3 * * *", "attempts": 1})
    killed(world, monkeypatch, "hand" if then == "by hand" else "schedule")
    world.clock.pass_(days=then == "the next slot")
    jobs = [] if then == "by hand" else world.due(pipeline)
    first, *others = world.coordinator(pool).retrain(jobs, ["a"])
    assert (first.exit_code, first.run.state) == (3, "failed") and "ended without a word" in first.text
    assert [one.run.outcome for one in others] == ["kept"] * (then == "the next slot")
    assert [(one.kind, one.text) for one in heard] == [("failure", first.text)]
    assert world.coordinator(pool).retrain([], ["a"]) == [] and len(heard) == 1


@pytest.mark.parametrize("outcome", ["promoted", "kept"])
def test_what_a_killed_one_had_stored_is_recorded_with_its_verdict(world, pool, monkeypatch, heard, outcome):
    pipeline = world.pipeline("a", "publish")
    claim = killed(world, monkeypatch)
    told = {"gate": {"promotion": {"p": 0.4}}, "scores": {"champion": None}, "data": {"sha256": "ab"}}
    with world.store.stage("a") as staging:
        write(staging.folder, "killed")
        keep = world.store.publish if outcome == "promoted" else world.store.challengers.keep
        keep(staging, draft(attempt=claim.mark, **told))
    (report,) = world.coordinator(pool).retrain(world.due(pipeline))
    run = report.run
    assert (report.exit_code, run.state, run.outcome, run.p, run.data_hash) == (0, "done", outcome, 0.4, "ab")
    assert run.version == (1 if outcome == "promoted" else None) and "ended without a word" in report.text
    assert run.scores == {"champion": None} | ({} if outcome == "promoted" else {"challenger": 1})
    assert [one.kind for one in heard] == ["promotion"] * (outcome == "promoted") and world.began() == []
