"""Ends where not all goes well: a ledger that is busy, a lease that is lost, and what nobody has foreseen."""

import pytest

from forecaster.errors import StoreError
from forecaster.lifecycle import coordination
from forecaster.lifecycle.due import Job
from forecaster.store.ledger import Ledger
from tests.lifecycle.conftest import NIGHT, Here


@pytest.fixture
def busy(monkeypatch):
    """Lets the ledger be busy as often as is said when the end of a run is to be written down."""
    left = [0]

    def if_it_can(step):
        def taken(ledger, claim, ending):
            if left[0] > 0:
                left[0] -= 1
                raise StoreError("the ledger: database is locked")
            return step(ledger, claim, ending)

        return taken

    for step in (Ledger.finish, Ledger.amend):
        monkeypatch.setattr(Ledger, step.__name__, if_it_can(step))
    return left


@pytest.mark.parametrize("cause", ["schedule", "hand"])
def test_a_ledger_that_is_busy_after_the_publication_hears_of_it_all_the_same(world, pool, busy, heard, cause):
    """Within the tries with all that was found; else what the attempt's mark tells, as behind one that was killed."""
    pipeline, waits = world.pipeline("a", "publish"), []
    busy[0] = 2
    job = Job(pipeline, NIGHT, cause)
    (report,) = world.coordinator(pool, sleep=waits.append).retrain([job])
    assert (report.exit_code, report.run.outcome, report.run.version, report.run.p) == (0, "promoted", 1, 0.01)
    assert waits == [10, 10]
    world.clock.pass_(days=1)
    busy[0] = 3
    (report,) = world.coordinator(pool, sleep=waits.append).retrain([Job(pipeline, world.clock(), cause)])
    assert (report.exit_code, report.run.state, report.run.version) == (0, "done", 2)
    assert "published as version 2" in report.text and "database is locked" in report.text
    world.clock.pass_(days=1)
    busy[0] = 4
    with pytest.raises(StoreError, match="locked"):
        world.coordinator(pool, sleep=waits.append).retrain([Job(pipeline, world.clock(), cause)])
    assert [(run.outcome, run.version) for run in world.ledger.runs()] == [("promoted", n) for n in (3, 2, 1)]
    assert [one.details["version"] for one in heard if one.kind == "promotion"] == [1, 2, 3]


@pytest.mark.parametrize("found", [False, True], ids=["before it was there", "after it was there"])
@pytest.mark.parametrize("wish", ["publish", "lose"])
def test_what_is_stored_by_one_that_has_lost_its_lease_is_recorded_and_told_once(
    world, pool, monkeypatch, heard, wish, found
):
    receive, pipeline, told = coordination.receive, world.pipeline("a", wish), []

    def meanwhile() -> None:
        with monkeypatch.context() as seen:
            seen.setattr("forecaster.store.ledger.is_dead", lambda owner: True)
            told.extend(world.coordinator(Here()).retrain([], ["a"]))

    def receive_and_be_buried(*given, **more):
        if not found:
            meanwhile()
        received = receive(*given, **more)
        if found:
            meanwhile()
        return received

    monkeypatch.setattr(coordination, "receive", receive_and_be_buried)
    (report,) = world.coordinator(pool).retrain(world.due(pipeline))
    end = {"publish": ("promoted", 1), "lose": ("kept", None)}[wish]
    assert (report.exit_code, report.run.outcome, report.run.version) == (0, *end)
    assert (
        "dropped" not in report.text
        and ("published as version 1" if wish == "publish" else "challenger 1") in report.text
    )
    assert [one.run.outcome for one in told] == ([end[0]] if found else []), "else it waits for its next attempt"
    assert [one.kind for one in heard] == ["promotion"] * (wish == "publish")
    assert world.ledger.runs() == [report.run] and world.ledger.leased() == {} and world.due(pipeline) == []


def test_what_nobody_has_foreseen_ends_one_run_and_no_other(world, pool, monkeypatch):
    wishes = {"before": "publish", "well": "publish", "after": "publish"}
    pipelines = [world.pipeline(name, wish) for name, wish in wishes.items()]

    def failing_for(name, step):
        return lambda *told, **more: 1 / 0 if name in repr(told) else step(*told, **more)

    for name, step in {"before": "pack_order", "after": "receive"}.items():
        place = f"forecaster.lifecycle.coordination.{step}"
        monkeypatch.setattr(place, failing_for(f"'{name}'", getattr(coordination, step)))
    reports = {one.pipeline: one for one in world.coordinator(pool).retrain(world.due(*pipelines))}
    assert {name: one.exit_code for name, one in reports.items()} == {"before": 3, "well": 0, "after": 3}
    for name in ("before", "after"):
        assert "a fault, ZeroDivisionError" in reports[name].text and reports[name].run.state == "waiting"
    assert world.ledger.leased() == {}
