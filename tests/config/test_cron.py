"""Cron expressions against slots written down by hand, and against a slow scan of every minute."""

from datetime import UTC, datetime, timedelta

import pytest

from forecaster.config import PipelineDefinition
from forecaster.config.cron import Cron
from forecaster.config.reading import parse
from forecaster.errors import DefinitionError


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "moment", "latest", "following"),
    [
        ("0 3 * * *", "2026-03-01T03:00", "2026-03-01T03:00", "2026-03-02T03:00"),
        ("0 3 * * *", "2026-03-01T02:59", "2026-02-28T03:00", "2026-03-01T03:00"),
        ("*/20 9-17 * * mon-fri", "2026-03-06T18:00", "2026-03-06T17:40", "2026-03-09T09:00"),
        ("0 0 1,15 * *", "2026-03-14T00:00", "2026-03-01T00:00", "2026-03-15T00:00"),
        ("0 12 29 2 *", "2026-03-01T00:00", "2024-02-29T12:00", "2028-02-29T12:00"),
        ("0 12 29 2 *", "2097-01-01T00:00", "2096-02-29T12:00", "2104-02-29T12:00"),
        ("0 0 29 2 */5", "2026-03-01T00:00", "2008-02-29T00:00", "2032-02-29T00:00"),  # if it is a Sunday or a Friday
        ("0 0 29 2 */7", "2088-03-01T00:00", "2088-02-29T00:00", "2128-02-29T00:00"),
        ("0 0 13 * 5", "2026-03-12T00:00", "2026-03-06T00:00", "2026-03-13T00:00"),  # a 13th or a Friday
        ("0 0 * * 7", "2026-03-05T00:00", "2026-03-01T00:00", "2026-03-08T00:00"),  # Sunday
        ("0 0 * * 0", "2026-03-05T00:00", "2026-03-01T00:00", "2026-03-08T00:00"),
        ("5/25 1 * jan,Jul *", "2026-03-01T00:00", "2026-01-31T01:55", "2026-07-01T01:05"),
        ("@weekly", "2026-03-05T00:00", "2026-03-01T00:00", "2026-03-08T00:00"),
    ],
)
def test_slots_by_hand(cron, moment, latest, following):
    found = Cron.parse(cron)
    assert (found.latest(at(moment)), found.following(at(moment))) == (at(latest), at(following))


def test_slots_between_two_are_counted_up_to_a_limit():
    cron = Cron.parse("*/15 * * * *")
    assert cron.between(at("2026-03-01T00:00"), at("2026-03-01T01:00")) == 3
    assert cron.between(at("2026-03-01T00:00"), at("2027-03-01T01:00")) == 1000


def test_a_moment_of_another_zone_is_taken_for_what_it_is():
    berlin = datetime.fromisoformat("2026-07-01T04:30:00+02:00")
    assert Cron.parse("0 3 * * *").latest(berlin) == at("2026-06-30T03:00")


def test_against_a_scan_of_every_minute():
    cron = Cron.parse("7-50/13 */5 2-6,28 * 2,4")
    start = at("2026-02-20T00:00")
    minutes = [start + timedelta(minutes=minute) for minute in range(20 * 1440)]
    wanted = [
        one
        for one in minutes
        if one.minute in (7, 20, 33, 46)
        and one.hour % 5 == 0
        and (one.day in (2, 3, 4, 5, 6, 28) or one.isoweekday() in (2, 4))
    ]
    found, slot = [], cron.following(start - timedelta(minutes=1))
    while slot <= minutes[-1]:
        found.append(slot)
        slot = cron.following(slot)
    assert found == wanted


@pytest.mark.parametrize(
    ("said", "fragments"),
    [
        ("0 3 * *", ["schedule: a cron expression has five fields", "found 4"]),
        ("0 24 * * *", ["hour: '24' should be a whole number from 0 to 23"]),
        ("0 3 * * funday", ["day of the week: 'funday' should be", "sun to sat"]),
        ("0 3 31 2 *", ["names a day that never comes"]),
        ("0 5-3 * * *", ["hour: the range '5-3' runs backwards"]),
        ("*/0 * * * *", ["the step of '*/0' is 0"]),
        ("0 3.5 * * *", ["'3.5' is no number, range or step"]),
        (["0 3 * * *"], ['should be a line of cron such as "0 3 * * *"']),
        (
            {"cron": "0 3 * * *", "time_limit": 7},
            ["schedule.time_limit: should be a number with a unit", "2h", "found 7"],
        ),
        ({"cron": "0 3 * * *", "memory_limit": "much"}, ["schedule.memory_limit", "4GiB", "'much'"]),
        ({"cron": "0 3 * * *", "attempt": 2}, ["schedule.attempt: unknown key, did you mean attempts?"]),
    ],
)
def test_a_schedule_that_makes_no_sense_says_what_to_write(said, fragments):
    with pytest.raises(DefinitionError) as caught:
        parse({"data": {"path": "x.csv"}, "horizon": 2, "schedule": said}, PipelineDefinition, "p.yaml")
    assert [fragment for fragment in fragments if fragment not in str(caught.value)] == []


def test_limits_have_units_and_survive_the_manifest():
    said = {"cron": "@daily", "time_limit": "90min", "memory_limit": "1.5GiB"}
    definition = parse(
        {"data": {"path": "x"}, "horizon": 2, "schedule": said, "executor": {"dask": "tcp://a:8786"}},
        PipelineDefinition, "p.yaml",
    )  # fmt: skip
    assert definition.schedule is not None
    assert (definition.schedule.time_limit, definition.schedule.memory_limit) == (timedelta(minutes=90), 1_610_612_736)
    again = parse(definition.model_dump(mode="json"), PipelineDefinition, "manifest.json")
    assert again == definition
