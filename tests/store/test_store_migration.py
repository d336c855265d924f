"""A store that the first released format wrote is read, rolled back and published over."""

import json
from pathlib import Path

from fake_publisher import NAME, draft, publish, tag_of

from forecaster.lifecycle.champions import rollback
from forecaster.store import Store

FORMAT_1 = {"training", "reference"}
"""Fields that format 1 did not have."""


def as_format_1(side: Path, **data: object) -> bytes:
    """Rewrites a manifest as forecaster 0.1 wrote it."""
    path = side / "manifest.json"
    fields = {key: value for key, value in json.loads(path.read_text()).items() if key not in FORMAT_1}
    fields = {**fields, "format_version": 1, "data": {**fields["data"], **data}}
    path.write_text(json.dumps(fields))
    return path.read_bytes()


def test_a_version_of_format_1_is_read_and_its_training_is_taken_to_reach_to_the_end_of_its_data(store: Store) -> None:
    version = publish(store, "old")
    before = as_format_1(version.side, span="2000-06-05 to 2000-08-27T23:30:00")
    read = store.read(NAME)
    assert tag_of(read) == "old" and read.manifest.format_version == 2
    assert read.manifest.training == {"until": "2000-08-27T23:30:00", "data_until": "2000-08-27T23:30:00"}
    assert read.manifest.reference == {}
    assert (version.side / "manifest.json").read_bytes() == before, "what was published is not rewritten"


def test_a_version_of_format_1_that_does_not_say_its_span_is_read_all_the_same(store: Store) -> None:
    as_format_1(publish(store, "old").side)
    assert store.read(NAME).manifest.training == {}


def test_versions_of_both_formats_live_together_and_a_rollback_writes_the_current_one(store: Store) -> None:
    as_format_1(publish(store, "old").side, span="0 to 149")
    publish(store, "new")
    again = rollback(store, NAME)
    assert tag_of(store.read(NAME)) == "old" and again.number == 3
    assert json.loads((again.side / "manifest.json").read_text())["format_version"] == 2
    assert store.read(NAME).manifest.training["until"] == "149"


def test_a_draft_says_nothing_of_training_unless_told() -> None:
    assert draft().training == {} == draft().reference
