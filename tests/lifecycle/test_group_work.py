"""Groups run by workers: published here and once, whatever became of the workers."""

from forecaster.config import PipelineDefinition
from forecaster.execution import LocalExecutor
from forecaster.lifecycle.group_work import GroupWork
from tests.lifecycle.conftest import Here


def members(**wishes):
    """Pipelines of groups that do what their data's path says."""
    return {
        label: PipelineDefinition(name=f"sales-{label}", data={"path": wish.replace("_", " ")}, horizon=2, keep=2)
        for label, wish in wishes.items()
    }


def work(world, executor=lambda: LocalExecutor(2)) -> GroupWork:
    reports = world.folder / "reports"
    function = "tests.lifecycle.jobs:run_group"
    return GroupWork(world.project, world.folder, executor, reports=reports, function=function)


def test_a_group_whose_worker_is_killed_is_done_by_another_and_published_once(world):
    told = members(north="die_once", south="publish", west="die", east="half_a_file")
    outcomes = {one.label: one for one in work(world)(told)}
    assert {label: one.version for label, one in outcomes.items() if not one.error} == {"north": 1, "south": 1}
    assert (outcomes["west"].exit_code, outcomes["east"].exit_code) == (3, 2)
    assert "killed by SIGKILL" in outcomes["west"].error and outcomes["east"].error == "row 3 is cut off"
    assert world.store.names() == ["sales-north", "sales-south"] and world.store.versions("sales-north") == [1]
    counts = {label: world.began().count(f"sales-{label}") for label in told}
    assert counts == {"north": 2, "south": 1, "west": 2, "east": 1}, "what fails by itself is not tried again"
    assert (world.folder / "reports" / "sales-north.html").read_text() == "<h1>sales-north</h1>"


def test_numbers_go_on_and_old_versions_are_pruned(world):
    told = members(north="publish")
    found = [next(iter(work(world, Here)(told))) for _ in range(3)]
    assert [one.version for one in found] == [1, 2, 3] and world.store.versions("sales-north") == [2, 3]
    result = found[-1].result
    assert result["gate"]["verdict"] == "Well done. Published as sales-north version 3."
    assert result["published"]["path"] == str(world.store.read("sales-north").served) and found[-1].series == 3
    assert result["report"] == str(world.folder / "reports" / "sales-north.html")
