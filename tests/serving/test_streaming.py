"""Streams: one observation in, one forecast out; the state by request or by session."""

import json
import math
import shutil

import numpy as np
import pandas as pd
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
    assert (state["version"], state["tensors"]) == (1, {"moments": [9.5, 4.0]})


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
    del body["ds"]
    answer = stream.client.post(STREAM, json=body)
    assert answer.status_code == 400, "or stamps and state would part"
    assert "ds is missing, but the session awaits 2024-02-29T01:00:00" in answer.json()["error"]


def test_a_step_whose_answer_was_lost_can_be_asked_for_again_by_its_time_stamp(stream):
    session = step(stream, 1.0, ds="2024-02-28T23:00:00", session="start")["session"]
    told = [step(stream, 3.0, ds="2024-02-29T00:00:00", session=session) for _ in range(3)]
    assert told[0] == told[1] == told[2] and told[0]["forecast"] == pytest.approx(2.0)
    body = {"observation": {"y": 4.0}, "ds": "2024-02-29T00:00:00", "session": session}
    assert stream.client.post(STREAM, json=body).status_code == 400, "another value is no repetition"
    assert step(stream, 5.0, ds="2024-02-29T01:00:00", session=session)["forecast"] == pytest.approx(3.0)
    unstamped = step(stream, 1.0, session="start")["session"]
    assert [step(stream, 4.0, session=unstamped)["forecast"] for _ in range(2)] == pytest.approx([2.5, 3.0])


BAD = [
    ({"observation": {}}, 400, "expected a value or null for y"),
    ({"observation": {"x": 1}}, 400, "expected a value or null for y"),
    ({"observation": {"y": "1.5e"}}, 400, "observation"),
    ({"observation": 5}, 400, "observation"),
    ({}, 400, "observation"),
    ({"observation": {"y": 3e38}}, 400, "above 1e+17"),
    ({"observation": {"y": 1}, "ds": "never"}, 400, "never"),
    ({"observation": {"y": 1}, "ds": ""}, 400, "'' is no date"),
    ({"observation": {"y": 1}, "ds": "nan"}, 400, "'nan' is no date"),
    ({"observation": {"y": 1}, "ds": "2024-02-30T00:00:00"}, 400, "2024-02-30"),
    ({"observation": {"y": 1}, "top": 2}, 400, "forecasts numbers, not symbols"),
    ({"observation": {"y": 1}, "levels": [50]}, 400, "trained levels are 80, 95"),
    ({"observation": {"y": 1}, "state": {"tensors": {}}}, 400, "expected moments"),
    ({"observation": {"y": 1}, "state": {"tensors": {"moments": [1]}}}, 400, "shape [2]"),
    ({"observation": {"y": 1}, "state": {"tensors": {"moments": [[1], [1, 2]]}}}, 400, "shape [2]"),
    ({"observation": {"y": 1}, "state": {"tensors": {"moments": ["a", {}]}}}, 400, "shape [2]"),
    ({"observation": {"y": 1}, "state": {"version": 7, "tensors": {"moments": [1, 1]}}}, 409, "version 7"),
    ({"observation": {"y": 1}, "session": "unknown"}, 404, "no such session"),
    ({"observation": {"y": 1}, "session": "start", "state": {"tensors": {}}}, 409, "both given"),
    ({"observation": {"y": 1}, "version": 3}, 404, "Specific(mean, 3)"),
    ({"observation": {"y": 1}, "version": "previous"}, 404, "no previous version of mean"),
    ({"observation": {"y": 1}, "version": 1, "session": "s"}, 409, "keeps its version"),
]


def with_state(body, live):
    """A body whose state, if it has one, is otherwise one of the served version."""
    own = live.server.models.loaded("mean")[1].network
    return {**body, "state": {"version": 1, "network": own, **body["state"]}} if "state" in body else body


@pytest.mark.parametrize(("body", "status", "fragment"), BAD, ids=lambda part: str(part)[:60])
def test_bad_steps(stream, body, status, fragment):
    answer = stream.client.post(STREAM, json=with_state(body, stream))
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert fragment in answer.json()["error"]


def test_a_state_that_is_no_number_is_refused(stream):
    body = with_state({"observation": {"y": 1}, "state": {"tensors": {"moments": [math.nan, 1]}}}, stream)
    answer = stream.client.post(STREAM, content=json.dumps(body))
    assert answer.status_code == 400
    assert "finite" in answer.json()["error"]


def test_a_number_without_end_beside_nan_is_refused(stream):
    answer = stream.client.post(STREAM, content='{"top": NaN, "top": null, "observation": {"y": 1%s}}' % ("0" * 400))
    assert answer.status_code == 400
    assert "infinity" in answer.json()["error"]


def test_a_number_that_is_used_again_ends_streams_of_the_version_before(saved, tmp_path):
    (tmp_path / "models").mkdir()
    store = Store(Project(tmp_path).store)
    publish(store, "mean", saved["mean"], streaming=STREAMING)
    with serving(Project(tmp_path)) as live:
        state, session = step(live, 1.0)["state"], step(live, 1.0, session="start")["session"]
        shutil.rmtree(store.root)
        other = shutil.copytree(saved["mean"], tmp_path / "other")
        (other / "trained").write_text("otherwise")
        publish(store, "mean", other, streaming=STREAMING)
        live.look()
        for kept in ({"state": state}, {"session": session}):
            answer = live.client.post(STREAM, json={"observation": {"y": 1.0}, **kept})
            assert answer.status_code == 409
            assert "its number is another network's; start anew" in answer.json()["error"]
        shutil.rmtree(store.root)
        publish(store, "mean", saved["mean"], streaming=STREAMING)
        live.look()
        assert step(live, 3.0, state=state)["forecast"] == 2, "the same files are the same network"


def test_a_model_without_carried_state_says_why(stream):
    answer = stream.client.post("/api/stream/walk", json={"observation": {"y": 1}})
    assert answer.status_code == 400
    assert "carries no state" in answer.json()["error"]
    assert "POST /api/forecast/walk" in answer.json()["error"]


def test_sessions_expire_and_are_bounded():
    now = [0.0]
    sessions = Sessions(most=2, seconds=10, clock=lambda: now[0])
    first, second = (sessions.start(Session("m", 1, "n", {"s": np.zeros(1)})) for _ in range(2))
    with pytest.raises(Refused, match="2 sessions are open") as refused:
        sessions.start(Session("m", 1, "n", {}))
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


def carrying(known, vocabulary=()):
    """A network that carries state, untrained but not without opinions."""
    from forecaster.config import ModelDefinition
    from forecaster.networks.recursive import build_recursive
    from forecaster.networks.shape import Shape

    keys = {"strategy": "recursive", "carry_state": True, "units": 3, "samples": 20, "batch_size": 2}
    if vocabulary:
        shape = Shape(8, 1, (), known=known, vocabulary=vocabulary, novelty=0.01)
    else:
        shape = Shape(8, 2, (0.025, 0.1, 0.5, 0.9, 0.975), known=known, seasons=(1,))
    made = build_recursive(ModelDefinition(network="gru", **keys), shape, seed=1, gapless=False)
    kernel = made.forecast.stepper.head.kernel
    kernel.assign(np.random.default_rng(3).normal(0, 0.3, kernel.shape))
    return made


def test_a_recurrent_network_streams_what_one_pass_from_the_start_says(tmp_path):
    """The real thing, with calendar features and a gap."""
    from forecaster.forecasting.published import PublishedForecaster
    from tests.synthetic import seasonal_panel

    (tmp_path / "models").mkdir()
    panel = seasonal_panel(steps=30).with_calendar(["hour"])
    panel.values[10:13, 0] = np.nan
    network, known = carrying(known=2), list(panel.known_inputs)
    store = Store(Project(tmp_path).store)
    with store.stage("wave") as staging:
        network.export(staging.served)
        told = {
            "horizon": 2, "lookback": 8, "streaming": network.streaming,
            "inputs": {"past": ["y", *known], "known": known, "static": []},
            "calendar": {"features": ["hour"], "zone": None, "columns": panel.features.definitions},
        }  # fmt: skip
        version = store.publish(staging, draft(**told))
    said = PublishedForecaster(version).quantiles(panel)[0, 0]
    with serving(Project(tmp_path)) as live:
        state = None
        for stamp, value in zip(panel.stamps(panel.first[0] + np.arange(30)), panel.target, strict=True):
            body = {"observation": {"y": None if np.isnan(value) else float(value)}, "ds": stamp.isoformat()}
            answer = live.client.post("/api/stream/wave", json={**body, "state": state})
            assert answer.status_code == 200, answer.text
            state = answer.json()["state"]
        again = live.client.post("/api/forecast/wave", json={"observations": rows_of(panel)}).json()["forecasts"][0]
    told = answer.json()
    for one in (told, again):
        low, high = one["intervals"]["95"], one["intervals"]["80"]
        assert [low[0], high[0], one["forecast"], high[1], low[1]] == pytest.approx(said.tolist(), rel=1e-5)
    assert told["ds"] == again["ds"]


DINNERS = ["pizza", "sushi", "fondue", None, "pizza", "pizza", "sushi"]
DAYS = [("Friday", 0), ("Saturday", 1), ("Sunday", 0), ("Friday", 1), ("Friday", 0), ("Monday", 1), ("Friday", 2)]
"""Of the day behind each dinner: its name, of which the version knows two, and how late it gets."""


@pytest.fixture(scope="module")
def dinners(tmp_path_factory):
    """A server of a network of symbols with two covariates, its store, and the data as a table."""
    root = tmp_path_factory.mktemp("dinners")
    (root / "models").mkdir()
    store = Store(Project(root).store)
    network, known = carrying(known=3, vocabulary=("<unknown>", "pizza", "sushi")), ["day=Friday", "day=Sunday", "late"]
    with store.stage("dinner") as staging:
        network.export(staging.served)
        told = {
            "horizon": 1, "lookback": 8, "streaming": network.streaming, "frequency": {"name": "1"}, "levels": [],
            "quantiles": [], "vocabulary": ["<unknown>", "pizza", "sushi"],
            "inputs": {"past": ["dinner", *known], "known": known, "static": []},
            "definition": {"name": "dinner", "horizon": 1, "data": {
                "kind": "symbols", "path": "dinners.csv", "target": "dinner", "known": ["day", "late"],
            }},
        }  # fmt: skip
        store.publish(staging, draft(**told))
    table = pd.DataFrame(
        {"ds": range(1, 9), "dinner": [*DINNERS, None], "day": ["Monday", *(name for name, _ in DAYS)],
         "late": [0, *(late for _, late in DAYS)]}
    )  # fmt: skip
    with serving(Project(root)) as live:
        yield live, store, table


def tonight(live, number, **told):
    day, late = DAYS[number]
    body = {"observation": {"dinner": DINNERS[number]}, "known": {"day": day, "late": late}, **told}
    answer = live.client.post("/api/stream/dinner", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_symbols_go_on_one_by_one_as_in_one_pass(dinners):
    from forecaster.forecasting.published_symbols import PublishedSymbols
    from forecaster.series import Columns
    from forecaster.series.symbols import symbol_panel

    live, store, table = dinners
    session, unknown = "start", []
    for number in range(len(DINNERS)):
        told = tonight(live, number, session=session, ds=number + 1, top=3)
        session = told["session"]
        unknown += told["unknown"]
    assert (told["ds"], unknown) == (8, ["day=Saturday", "fondue", "day=Monday"])
    panel = symbol_panel(table, Columns(target="dinner", known=["day", "late"]))
    said = PublishedSymbols(store.read("dinner")).predict(panel).iloc[0]
    assert [one["symbol"] for one in told["likeliest"]] == [said["walk"], said["walk-2"], said["walk-3"]]
    shares = [said["walk-p"], said["walk-2-p"], said["walk-3-p"]]
    assert [one["probability"] for one in told["likeliest"]] == pytest.approx(shares, abs=1e-6)
    assert (told["forecast"], told["probability"]) == (said["walk"], pytest.approx(shares[0], abs=1e-6))


def test_categories_that_the_version_does_not_know_are_told_with_the_forecasts_too(dinners):
    live, _, table = dinners
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    told = live.client.post("/api/forecast/dinner", json={"observations": rows[:-1], "known": rows[-1:]})
    assert told.status_code == 200, told.text
    assert told.json()["unknown"] == ["fondue", "day=Monday", "day=Saturday"]


def test_the_state_of_symbols_travels_with_the_requests(dinners):
    live, _, _ = dinners
    first = tonight(live, 0)
    second, again = (tonight(live, 1, state=first["state"]) for _ in range(2))
    assert second == again != tonight(live, 1)
    assert len(second["likeliest"]) == 3 and "intervals" not in second


@pytest.mark.parametrize(
    ("changes", "fragment"),
    [
        ({"observation": {"dinner": "pizza", "late": 0}}, "expected a symbol or null for dinner"),
        ({"observation": {"dinner": ""}}, "send null for a missing symbol"),
        ({"known": {"late": 0}}, "expected a value or null for day, late"),
        ({"known": {"day": "Friday", "late": "very"}}, "late is 'very'; expected a number"),
        ({"levels": [80]}, "symbols have no intervals"),
    ],
)
def test_bad_steps_of_symbols(dinners, changes, fragment):
    body = {"observation": {"dinner": "pizza"}, "known": {"day": "Friday", "late": 0}, **changes}
    answer = dinners[0].client.post("/api/stream/dinner", json=body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert fragment in answer.json()["error"]


def rows_of(panel):
    stamps = panel.stamps(panel.first[0] + np.arange(len(panel.target)))
    return [
        {"ds": stamp.isoformat(), "y": None if np.isnan(value) else float(value)}
        for stamp, value in zip(stamps, panel.target, strict=True)
    ]
