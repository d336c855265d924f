"""Which slot is due: once each, missed ones made up for by one, whatever the clock does."""

import re
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from forecaster.config.cron import Cron
from forecaster.errors import DefinitionError
from forecaster.lifecycle.due import by_group, due, find_pipelines, read_pipelines
from forecaster.store.ledger_records import Claim, Ending
from tests.lifecycle.conftest import NIGHT, World

DAY = timedelta(days=1)


def run(world: World, pipeline) -> datetime | None:
    """Runs what is due now, and says for which slot."""
    job = due(pipeline, world.ledger, world.clock())
    if job is None:
        return None
    claim = world.ledger.claim(pipeline.name, job.slot, job.cause, allowed=3, missed=job.missed)
    assert isinstance(claim, Claim)
    world.ledger.finish(claim, Ending("kept", ""))
    return job.slot


def test_a_slot_is_due_once_and_the_next_one_not_before_its_time(world):
    pipeline = world.pipeline("a", "keep")
    assert run(world, pipeline) == NIGHT
    assert run(world, pipeline) is None
    world.clock.pass_(hours=23, minutes=54)
    assert run(world, pipeline) is None
    world.clock.pass_(minutes=1)
    assert run(world, pipeline) == NIGHT + DAY


def test_each_group_of_a_split_pipeline_is_due_by_itself(world):
    rows = "shop,region,ds,y\na,north,2024-01-01,1\na,north,2024-01-02,2\nb,south,2024-01-01,1\nb,south,2024-01-02,2\n"
    (world.folder / "sales.csv").write_text(rows)
    data = {"path": str(world.folder / "sales.csv"), "id": "shop", "groups": {"by": "region"}}
    pipeline = world.pipeline("sales", "", data=data)
    members, _ = by_group([pipeline])
    assert [one.name for one in members] == ["sales-north", "sales-south"]
    assert run(world, members[0]) == NIGHT
    assert [due(one, world.ledger, world.clock()) is None for one in members] == [True, False]
    (world.folder / "sales.csv").write_text(rows.replace("region", "area"))
    assert by_group([pipeline]) == ([pipeline], {}), "what is wrong is found, recorded and told by its retraining"


def test_a_pipeline_may_not_be_called_as_the_group_of_another(world):
    """Each would publish over the other's champion; in one folder, of both one stays."""
    rows = "shop,region,ds,y\na,north,2024-01-01,1\na,north,2024-01-02,2\nb,south,2024-01-01,1\nb,south,2024-01-02,2\n"
    (world.folder / "sales.csv").write_text(rows)
    data = {"path": str(world.folder / "sales.csv"), "id": "shop", "groups": {"by": "region"}}
    split, plain = world.pipeline("sales", "", data=data), world.pipeline("sales-north", "keep")
    good, bad = by_group([plain, split])
    assert good == [plain] and [*bad] == [split.path]
    words = rf"sales\.yaml: the name of one of its groups, sales-north, is that of {plain.path}, too; give one of them"
    assert re.search(words, str(bad[split.path]))
    good, bad = by_group([split, plain])
    assert [one.name for one in good] == ["sales-north", "sales-south"]
    assert "sales-north.yaml: its name, sales-north, is that of" in str(bad[plain.path])


def test_missed_slots_are_made_up_for_by_the_latest_and_counted(world):
    pipeline = world.pipeline("a", "keep")
    run(world, pipeline)
    world.clock.pass_(days=5)
    job = due(pipeline, world.ledger, world.clock())
    assert job is not None and (job.slot, job.missed) == (NIGHT + 5 * DAY, 4)
    run(world, pipeline)
    assert world.ledger.runs()[0].missed == 4
    assert run(world, pipeline) is None


@pytest.mark.parametrize("weeks", [1, 2])
def test_a_new_schedule_has_missed_no_slots_of_before_it_was_new(world, weeks):
    world.clock.now = NIGHT - timedelta(hours=2)  # Sunday, 01:00
    for _ in range(weeks):
        assert run(world, world.pipeline("a", "keep", schedule="@weekly"))
        world.clock.pass_(days=7)
    often = world.pipeline("a", "keep", schedule="*/10 * * * *")
    assert due(often, world.ledger, world.clock()).missed == 0
    for _ in range(2):
        run(world, often)
        world.clock.pass_(minutes=10)
    world.clock.pass_(minutes=10)
    assert due(often, world.ledger, world.clock()).missed == 1


def test_a_clock_that_is_set_back_doubles_nothing_and_one_that_ran_ahead_skips_nothing(world):
    pipeline = world.pipeline("a", "keep")
    slots = [run(world, pipeline)]
    world.clock.pass_(hours=-1)  # before the slot again
    assert run(world, pipeline) == NIGHT - DAY, "a slot before the first one that was ever run"
    world.clock.pass_(hours=1)
    assert run(world, pipeline) is None
    world.clock.pass_(days=4000)  # years ahead
    assert run(world, pipeline) == NIGHT + 4000 * DAY
    world.clock.pass_(days=-4000)
    assert run(world, pipeline) is None
    for _ in range(3):
        world.clock.pass_(days=1)
        slots.append(run(world, pipeline))
    assert slots == [NIGHT, NIGHT + DAY, NIGHT + 2 * DAY, NIGHT + 3 * DAY]


def test_a_schedule_that_is_changed_after_its_run_waits_for_the_next_slot(world):
    run(world, world.pipeline("a", "keep"))
    assert run(world, world.pipeline("a", "keep", schedule="30 1 * * *")) is None
    assert run(world, world.pipeline("a", "keep", schedule="4 3 * * *")) == NIGHT + timedelta(minutes=4)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Apia"])
def test_daylight_saving_neither_doubles_nor_skips_a_slot(world, zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        cron = Cron.parse("30 * * * *")
        for change in (
            datetime(2026, 3, 8, tzinfo=UTC),
            datetime(2026, 3, 29, tzinfo=UTC),
            datetime(2026, 10, 25, tzinfo=UTC),
        ):
            slots = [cron.latest((change + timedelta(minutes=minute)).astimezone()) for minute in range(0, 1440, 10)]
            different = sorted(set(slots))
            assert len(different) == 25 and {b - a for a, b in pairwise(different)} == {timedelta(hours=1)}
        pipeline = world.pipeline("a", "keep", schedule="30 2 * * *")
        world.clock.now = datetime(2026, 3, 28, 0, tzinfo=UTC).astimezone()
        found = []
        for _ in range(3 * 24 * 4):
            world.clock.pass_(minutes=15)
            found.append(run(world, pipeline))
        assert [slot for slot in found if slot][1:] == [
            datetime(2026, 3, day, 2, 30, tzinfo=UTC) for day in (28, 29, 30)
        ]
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_pipelines_are_found_by_file_name_and_folder_and_a_broken_one_spares_the_others(world):
    world.pipeline("a", "keep")
    world.pipeline("b", "keep", schedule=None)
    home = world.folder / "pipelines"
    (home / "broken.yaml").write_text("horizon: 3\n")
    (home / "copy.yaml").write_text("name: a\nhorizon: 2\ndata: {path: x}\n")
    assert [path.stem for path in find_pipelines(["b", str(home / "a.yaml")], world.project)] == ["b", "a"]
    good, bad = read_pipelines(find_pipelines([], world.project))
    assert [one.name for one in good] == ["a", "b"]
    assert {path.stem: fragment in str(bad[path]) for path, fragment in zip(
        sorted(bad), ("data: missing", "give one of them another `name`"), strict=True
    )} == {"broken": True, "copy": True}  # fmt: skip
    assert due(good[1], world.ledger, world.clock()) is None, "without a schedule it is never due"
    with pytest.raises(DefinitionError, match=r"no such pipeline; .*\(a, b, broken, copy\)"):
        find_pipelines(["c"], world.project)
