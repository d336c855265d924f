"""Versions come and go: labels, faults, challengers, and nobody is cut off."""

import json
import shutil
import threading

import pytest

from forecaster.config import Project
from forecaster.serving.failures import Refused
from forecaster.serving.models import Loaded, Models, Wanted
from forecaster.serving.shelves import StoreShelf
from forecaster.serving.watching import Watcher
from forecaster.store import Store
from tests.serving.live import serving
from tests.serving.published import draft, publish, walk, window

ROW = json.dumps({"instances": window(7.0).tolist()})


@pytest.fixture
def fresh(saved, tmp_path):
    (tmp_path / "models").mkdir()
    store = Store(Project(tmp_path).store)
    publish(store, "walk", saved["walk"])
    return Project(tmp_path), store


def median(live, path="walk"):
    answer = live.client.post(f"/v1/models/{path}:predict", content=ROW)
    return answer.json()["predictions"][0][0][2] if answer.status_code == 200 else answer.status_code


def test_a_new_champion_takes_over_and_the_one_before_keeps_a_label(fresh, saved):
    project, store = fresh
    with serving(project) as live:
        assert median(live) == 7.0
        assert live.client.get("/v1/models/walk/labels/previous").status_code == 400
        publish(store, "walk", saved["walk-1"])
        live.look()
        assert (median(live), median(live, "walk/labels/previous")) == (107.0, 7.0)
        publish(store, "walk", saved["walk"])
        live.look()
        assert (median(live), median(live, "walk/labels/previous")) == (7.0, 107.0)
        assert median(live, "walk/versions/1") == 404
        metrics = live.client.get("/metrics").text
        assert 'forecaster_version_loaded{label="champion",model="walk",version="3"} 1.0' in metrics
        assert 'version="1"' not in metrics
        store.prune("walk", 1)
        live.look()
        assert (median(live), median(live, "walk/labels/previous")) == (7.0, 400)
        shutil.rmtree(store.root / "walk")
        live.look()
        assert median(live) == 404


def damage_weights(store, saved):
    """A byte of the champion is altered after publication."""
    number = publish(store, "walk", saved["walk-1"])
    file = next((store.root / f"walk/{number}/variables").glob("*.data*"))
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(bytes(content))


def no_savedmodel(store, saved):
    """What was published cannot be loaded."""
    with store.stage("walk") as staging:
        (staging.served / "saved_model.pb").write_bytes(b"no graph")
        store.publish(staging, draft())


def fails_when_called(store, saved):
    """It loads, but its first call fails."""
    import tensorflow as tf

    class Broken(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 4, 1], tf.float32, "past")])
        def forecast(self, past):
            with tf.control_dependencies([tf.debugging.Assert(tf.reduce_any(past > 1e9), ["broken"])]):
                return {"quantiles": tf.identity(past)}

    folder = store.root.parent / "broken"
    module = Broken()
    tf.saved_model.save(module, str(folder), {"serving_default": module.forecast})
    publish(store, "walk", folder)


@pytest.mark.parametrize("fault", [damage_weights, no_savedmodel, fails_when_called])
def test_a_version_that_fails_leaves_the_old_one_serving_and_is_reported(fresh, saved, fault):
    project, store = fresh
    with serving(project) as live:
        fault(store, saved)
        live.look()
        assert median(live) == 7.0
        assert median(live, "walk/labels/champion") == 7.0
        states = live.client.get("/v1/models/walk").json()["model_version_status"]
        assert [(one["version"], one["state"]) for one in states] == [("2", "END"), ("1", "AVAILABLE")]
        assert states[0]["status"]["error_message"]
        ready = live.client.get("/readyz").json()
        assert ready["models"] == {"walk": 1} and "2" in ready["failed"]["walk"]
        assert 'forecaster_version_failures_total{model="walk"} 1.0' in live.client.get("/metrics").text
        live.look()  # it is not tried again at once
        assert 'forecaster_version_failures_total{model="walk"} 1.0' in live.client.get("/metrics").text
        publish(store, "walk", saved["walk-1"])
        live.look()
        assert (median(live), median(live, "walk/labels/previous")) == (107.0, 7.0)


def test_a_server_that_starts_with_a_damaged_champion_serves_the_one_before(fresh, saved):
    project, store = fresh
    damage_weights(store, saved)
    with serving(project) as live:
        assert median(live) == 7.0


def test_a_store_made_anew_is_noticed_although_the_number_is_the_same(fresh, saved):
    project, store = fresh
    with serving(project) as live:
        shutil.rmtree(store.root)
        publish(store, "walk", saved["walk-1"])
        live.look()
        assert median(live) == 107.0


def test_a_challenger_is_a_model_of_its_own(fresh, saved):
    project, store = fresh
    for name in ("walk", "walk-1"):
        with store.stage("walk") as staging:
            shutil.copytree(saved[name], staging.served, dirs_exist_ok=True)
            store.challengers.keep(staging, draft())
    with serving(project) as live:
        assert (median(live), median(live, "walk-challenger")) == (7.0, 107.0)
        assert live.client.get("/v1/models/walk-challenger").json()["model_version_status"][0]["version"] == "2"
        assert live.client.get("/v1/models/.challengers").status_code == 404


def test_links_are_not_followed(fresh, saved, tmp_path):
    project, store = fresh
    outside = walk(tmp_path / "outside", mark=5.0)
    (store.root / "linked").symlink_to(store.root / "walk")
    (store.root / "walk/9").symlink_to(outside)
    with serving(project) as live:
        assert live.client.get("/readyz").json()["models"] == {"walk": 1}


def test_a_server_that_is_told_to_stop_loads_nothing_more(fresh, saved, monkeypatch):
    _, store = fresh
    for _ in range(2):
        publish(store, "other", saved["walk"])
    models, shelf, loaded = Models(), StoreShelf(store), []
    watcher = Watcher([shelf], models, poll=1)

    def read(name, number):
        loaded.append((name, number))
        watcher.stop()  # while this one is being loaded
        return store.read(name, number)

    monkeypatch.setattr(shelf, "read", read)
    watcher.look()
    assert loaded == [("other", 2)] and models.names() == ["other"]
    assert not watcher.ready.is_set()
    models.close()


def test_no_store_is_an_empty_server(tmp_path):
    with serving(Project(tmp_path)) as live:
        assert live.client.get("/readyz").json() == {"status": "ready", "models": {}, "failed": {}}
        assert live.client.get("/healthz").json() == {"status": "alive"}
        assert median(live) == 404


def test_reload_under_load_mixes_nothing_and_fails_nobody(fresh, saved):
    """Every answer is wholly one version's, and whichever was champion at the time."""
    project, store = fresh
    wrong: list[object] = []
    over = threading.Event()
    with serving(project) as live:

        def ask():
            import httpx

            body = json.dumps({"instances": window(7.0, rows=3).tolist()})
            with httpx.Client(base_url=live.url, timeout=30) as client:
                while not over.is_set():
                    answer = client.post("/v1/models/walk:predict", content=body)
                    medians = {step[2] for row in answer.json().get("predictions", ()) for step in row}
                    if answer.status_code != 200 or medians not in ({7.0}, {107.0}):
                        wrong.append((answer.status_code, medians))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for turn in range(8):
            publish(store, "walk", saved["walk-1" if turn % 2 == 0 else "walk"])
            store.prune("walk", 1)
            live.look()
        over.set()
        for thread in threads:
            thread.join()
        assert len(live.server.models.loaded("walk")) == 1
    assert not wrong


class _Counted:
    def __init__(self):
        self.closed = 0

    def close(self):
        self.closed += 1


def test_a_retired_version_is_closed_by_its_last_user():
    models, old, new = Models(), _Counted(), _Counted()
    first, second = Loaded(None, old), Loaded(None, new)
    models.replace("walk", {1: first}, {})
    with models.lease(Wanted("walk")) as one, models.lease(Wanted("walk")):
        models.replace("walk", {2: second}, {})
        assert one is first and old.closed == 0
        with models.lease(Wanted("walk")) as other:
            assert other is second
    assert (old.closed, new.closed) == (1, 0)
    models.close()
    assert (old.closed, new.closed) == (1, 1)
    with pytest.raises(Refused, match=r"Latest\(walk\)"), models.lease(Wanted("walk")):
        pass
