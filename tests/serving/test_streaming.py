"""Streams: one observation in, one forecast out; the state by request or by session."""

import math

import numpy as np
import pytest

from forecaster.config import Project
from forecaster.serving.failures import Refused
from forecaster.serving.sessions import Session, Sessions
from forecaster.store import Store
from tests.serving.live import serving
from tests.serving.published import draft, publish

STREAM = "/api/stream/mean"
STREAMING = {"state": {"moments": {"shape": [2], "dtype": "float32"}}}


@pytest.fixture(scope="module")
def stream(saved, tmp_path_factory):
    root = tmp_path_factory.mktemp("streams")
    (root / "models").mkdir()
    store = Store(Project(root).store)
    publish(store, "walk", saved["walk"])
    publish(store, "mean", saved["mean"], streaming=STREAMING)
    with serving(Project(root)) as live:
        yield live


def step(live, value, **told):
    answer = live.client.post(STREAM, json={"observation": {"y": value}, **told})
    assert answer.status_code == 200, answer.text
    return answer.json()


VALUES = [1.0, 3.0, None, 5.0, 0.5]


def means(values):
    seen = []
    for value in values:
        seen += [] if value is None else [value]
        yield sum(seen) / len(seen)


def test_the_state_in_the_request(stream):
    state = None
    for value, mean in zip(VALUES, means(VALUES), strict=True):
        told = step(stream, value, state=state)
        assert (told["version"], told["forecast"]) == (1, pytest.approx(mean))
        assert told["intervals"]["80"] == [pytest.approx(mean - 1), pytest.approx(mean + 1)]
        assert told["intervals"]["95"] == [pytest.approx(mean - 2), pytest.approx(mean + 2)]
        state = told["state"]
    assert state == {"version": 1, "tensors": {"moments": [9.5, 4.0]}}


def test_the_state_in_a_session(stream):
    told = step(stream, VALUES[0], session="start", levels=[80])
    session, found = told["session"], [told["forecast"]]
    assert "state" not in told and told["expires"] > 0
    for value in VALUES[1:]:
        found.append(step(stream, value, session=session)["forecast"])
    assert found == pytest.approx(list(means(VALUES)))
    assert list(told["intervals"]) == ["80"]


def test_time_stamps_go_on_by_the_calendar(stream):
    told = step(stream, 1.0, ds="2024-02-28T23:00:00", session="start")
    assert told["ds"] == "2024-02-29T00:00:00"
    assert step(stream, 1.0, ds="2024-02-29T00:00", session=told["session"])["ds"] == "2024-02-29T01:00:00"
    body = {"observation": {"y": 1}, "ds": "2024-02-29T03:00:00", "session": told["session"]}
    answer = stream.client.post(STREAM, json=body)
    assert answer.status_code == 400
    assert "awaits 2024-02-29T01:00:00" in answer.json()["error"]


BAD = [
    ({"observation": {}}, 400, "expected a value or null for y"),
    ({"observation": {"x": 1}}, 400, "expected a value or null for y"),
    ({"observation": {"y": "1.5e"}}, 400, "observation"),
    ({"observation": 5}, 400, "observation"),
    ({}, 400, "observation"),
    ({"observation": {"y": 1e39}}, 400, "beyond 32 bits"),
    ({"observation": {"y": 1}, "ds": "never"}, 400, "never"),
    ({"observation": {"y": 1}, "ds": "2024-02-30T00:00:00"}, 400, "2024-02-30"),
    ({"observation": {"y": 1}, "levels": [50]}, 400, "trained levels are 80, 95"),
    ({"observation": {"y": 1}, "state": {"version": 1, "tensors": {}}}, 400, "expected moments"),
    ({"observation": {"y": 1}, "state": {"version": 1, "tensors": {"moments": [1]}}}, 400, "shape [2]"),
    ({"observation": {"y": 1}, "state": {"version": 1, "tensors": {"moments": [[1], [1, 2]]}}}, 400, "shape [2]"),
    ({"observation": {"y": 1}, "state": {"version": 1, "tensors": {"moments": ["a", {}]}}}, 400, "shape [2]"),
    ({"observation": {"y": 1}, "state": {"version": 7, "tensors": {"moments": [1, 1]}}}, 409, "version 7"),
    ({"observation": {"y": 1}, "session": "unknown"}, 404, "no such session"),
    ({"observation": {"y": 1}, "session": "start", "state": {"version": 1, "tensors": {}}}, 409, "both given"),
    ({"observation": {"y": 1}, "version": 3}, 404, "Specific(mean, 3)"),
    ({"observation": {"y": 1}, "version": "previous"}, 404, "no previous version of mean"),
    ({"observation": {"y": 1}, "version": 1, "session": "s"}, 409, "keeps its version"),
]


@pytest.mark.parametrize(("body", "status", "fragment"), BAD, ids=lambda part: str(part)[:60])
def test_bad_steps(stream, body, status, fragment):
    answer = stream.client.post(STREAM, json=body)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert fragment in answer.json()["error"]


def test_a_state_that_is_no_number_is_refused(stream):
    text = '{"observation": {"y": 1}, "state": {"version": 1, "tensors": {"moments": [NaN, 1]}}}'
    answer = stream.client.post(STREAM, content=text)
    assert answer.status_code == 400
    assert "finite" in answer.json()["error"]


def test_a_model_without_carried_state_says_why(stream):
    answer = stream.client.post("/api/stream/walk", json={"observation": {"y": 1}})
    assert answer.status_code == 400
    assert "carries no state" in answer.json()["error"]
    assert "POST /api/forecast/walk" in answer.json()["error"]


def test_sessions_expire_and_are_bounded():
    now = [0.0]
    sessions = Sessions(most=2, seconds=10, clock=lambda: now[0])
    first, second = (sessions.start(Session("m", 1, {"s": np.zeros(1)})) for _ in range(2))
    with pytest.raises(Refused, match="2 sessions are open") as refused:
        sessions.start(Session("m", 1, {}))
    assert (refused.value.status, refused.value.retry_after) == (503, 60)
    now[0] = 9
    assert sessions.get(first, "m").version == 1
    now[0] = 11  # the second was last used at 0
    with pytest.raises(Refused, match="no such session"):
        sessions.get(second, "m")
    with pytest.raises(Refused, match="no such session"):
        sessions.get(first, "other")
    assert len(sessions) == 1 and first != second and len(first) >= 24
    assert not math.isinf(sessions.get(first, "m").expires)


def test_a_trained_network_streams_what_one_pass_from_the_start_says(tmp_path):
    """The real thing: calendar features, a static covariate and a gap."""
    from forecaster.forecasting.published import PublishedForecaster
    from forecaster.forecasting.recurrent import RecurrentForecaster
    from tests.synthetic import seasonal_panel, tiny

    (tmp_path / "models").mkdir()
    panel = seasonal_panel(steps=80, static_size=np.repeat(2.0, 80)).with_calendar(["hour"])
    panel.values[30:33, 0] = np.nan
    keys = {"strategy": "recursive", "carry_state": True, "truncate": 8, "samples": 20, "steps": 4, "evaluate_every": 4}
    network = RecurrentForecaster(tiny("gru", **keys), 2, season=12, lookback=24).fit(panel)
    store = Store(Project(tmp_path).store)
    with store.stage("wave") as staging:
        network.export(staging.served, staging.side)
        features = panel.features
        told = {
            "model": network.name, "horizon": 2, "lookback": 24, "streaming": network.streaming, "seed": 1,
            "levels": network.levels, "inputs": {
                "past": ["y", *panel.known_inputs], "known": list(panel.known_inputs), "static": list(panel.static),
            },
            "calendar": {"features": list(features.names), "zone": None, "columns": features.definitions},
        }  # fmt: skip
        version = store.publish(staging, draft(**told))
    said = PublishedForecaster(version).quantiles(panel)[0, 0]
    with serving(Project(tmp_path)) as live:
        state = None
        for stamp, value in zip(panel.stamps(np.arange(80) + panel.first[0]), panel.target, strict=True):
            body = {"observation": {"y": None if np.isnan(value) else float(value)}, "ds": stamp.isoformat()}
            body |= {"static": {panel.static[0]: 2.0}, "state": state}
            answer = live.client.post("/api/stream/wave", json=body)
            assert answer.status_code == 200, answer.text
            state = answer.json()["state"]
    bounds = answer.json()["intervals"]
    found = [bounds["95"][0], bounds["80"][0], answer.json()["forecast"], bounds["80"][1], bounds["95"][1]]
    assert found == pytest.approx(said.tolist(), rel=1e-4)
