import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_publisher import NAME, draft, publish, write
from pydantic import ValidationError

from forecaster.store import FORMAT_VERSION, Manifest, Store
from forecaster.store.groups import group_label


def manifest(**changes: Any) -> Manifest:
    fields = {**draft().model_dump(), "name": NAME, "version": 1, "created": datetime.now(UTC), "files": {}}
    return Manifest(**fields | changes)


def published(store: Store, **changes: Any) -> Manifest:
    with store.stage(NAME) as staging:
        write(staging.folder, "x")
        store.publish(staging, draft(**changes))
    return store.manifest(NAME)


def test_the_manifest_is_json_that_a_person_can_read(store: Store) -> None:
    path = publish(store, "Übung").side / "manifest.json"
    text = path.read_text(encoding="utf-8")
    assert text.startswith('{\n  "format_version": 2,\n  "name": "energy",\n  "version": 1,\n  "created": ')
    assert '"tag": "Übung"' in text
    assert json.loads(text)["files"]["side/model.keras"] == (
        # sha256 of "weights Übung", by sha256sum
        "850b151b2c745e5f7251b17e6e438157615e9668d3400c0aa935f9b1e64991ad"
    )


def test_every_file_is_listed_and_the_manifest_is_not(store: Store) -> None:
    assert sorted(publish(store, "x").manifest.files) == [
        "served/saved_model.pb",
        "served/variables/variables.data",
        "served/variables/variables.index",
        "side/model.keras",
    ]


def test_numbers_that_are_not_finite_are_written_as_null(store: Store) -> None:
    scores = {"lstm": {"mase": math.nan, "rmse": [1.5, math.inf]}, "naive": {"mase": np.float32("nan")}}
    read = published(store, scores=scores)
    assert read.scores == {"lstm": {"mase": None, "rmse": [1.5, None]}, "naive": {"mase": None}}
    assert "NaN" not in (store.read(NAME).side / "manifest.json").read_text()


@pytest.mark.parametrize("field", ["levels", "quantiles"])
@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_levels_and_quantiles_must_be_finite(field: str, number: float) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        draft(**{field: [0.5, number]})


def test_what_is_written_equals_what_is_read(store: Store) -> None:
    data = {
        "rows": np.int64(7),
        "share": np.float32(0.5),
        "start": date(2015, 1, 1),
        "span": (datetime(2020, 1, 1, 12), None),
        "path": "caf\udce9.csv",
        "masked": True,
        "big": 2**70,
        "π": "naïve",
    }
    read = published(store, data=data)
    assert read.data == {
        "rows": 7,
        "share": 0.5,
        "start": "2015-01-01",
        "span": ["2020-01-01T12:00:00", None],
        "path": "caf\\udce9.csv",
        "masked": True,
        "big": 2**70,
        "π": "naïve",
    }
    assert read == store.read(NAME).manifest


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({"lstm": {"mase": {1, 2}}}, "scores.lstm.mase is a set"),
        ({"lstm": [0, b"x"]}, r"scores.lstm\[1\] is a bytes"),
        ({"coverage": {80: 0.8}}, "scores.coverage has the key 80, which is not text: write '80'"),
    ],
)
def test_what_json_has_not_is_refused_with_its_place(scores: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        draft(scores=scores)


def test_unknown_and_missing_fields_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        draft(modle="lstm")
    fields = draft().model_dump()
    fields.pop("seed")
    with pytest.raises(ValidationError, match="seed"):
        type(draft())(**fields)


def test_a_manifest_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        manifest().version = 2


def test_created_is_in_utc_and_never_without_a_zone() -> None:
    noon_in_berlin = datetime(2024, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert manifest(created=noon_in_berlin).created == datetime(2024, 7, 1, 10, tzinfo=UTC)
    assert manifest(created=noon_in_berlin).created.tzinfo is UTC
    with pytest.raises(ValidationError, match="timezone"):
        manifest(created=datetime(2024, 7, 1, 12))


def test_a_new_manifest_is_of_the_current_format() -> None:
    assert manifest().format_version == FORMAT_VERSION == 2


@pytest.mark.parametrize(
    ("data", "label"),
    [
        ({"groups": {"by": "region", "only": "west"}}, "west"),
        ({"groups": {"by": "region", "only": "west", "weights": "even"}}, None),
        ({"groups": None}, None),
        ([], None),
        (None, None),
    ],
)
def test_of_groups_that_another_release_wrote_in_its_own_way_nothing_is_known(data, label):
    told = SimpleNamespace(name="sales-west", definition={} if data is None else {"data": data})
    assert group_label(told, "sales") == label
