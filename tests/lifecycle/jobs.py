"""Stand-ins for a retraining, as quick as a thought: what they do stands in the pipeline's file (`data.path`)."""

import io
import json
import os
import signal
import time
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from forecaster.errors import DataError, TrainingError
from forecaster.lifecycle.parcel import pack_answer, unpack
from forecaster.store import Store
from tests.store.fake_publisher import draft, publish, write

RESULT = {"reason": "as told", "p": 0.01, "scores": {}, "data_hash": "ab", "seconds": 0.1, "drift": {}}


def retrain(order: bytes) -> bytes:
    """Publishes, keeps, fails, hangs or dies as `data.path` says; leaves a line in `log` below the project."""
    told, wish, root, name = _begun(order)
    if wish == "hang":
        time.sleep(600)
    if wish == "pid then publish":
        (root / f"{name}.pid").write_text(str(os.getpid()))
    if wish in ("wait", "pid then publish"):
        while not (root / "go").exists():
            time.sleep(0.05)
    if wish == "nan":
        raise TrainingError("the loss is not finite at step 3")
    if wish == "half a file":
        raise DataError("row 3 is cut off")
    if wish == "on drift" and told["only_on_drift"]:
        return pack_answer(RESULT | {"outcome": "up to date", "version": None}, [], [])
    if wish == "drifted":
        found = {"drifted": True, "reason": "the errors have doubled"}
        return pack_answer(RESULT | {"outcome": "kept", "version": None, "drift": found}, [], [])
    if wish == "keep":
        return pack_answer(RESULT | {"outcome": "kept", "version": None}, [], [])
    with TemporaryDirectory() as scratch:
        if wish == "lose":
            private = Store(Path(scratch) / "store")
            unpack(order, Path(scratch))
            with private.stage(name) as staging:
                write(staging.folder, "lost")
                kept = private.challengers.keep(staging, draft())
            scores = {"challenger": kept.number, "champion": None}
            return pack_answer(RESULT | {"outcome": "kept", "version": None, "scores": scores}, [], [kept])
        unpack(order, Path(scratch))
        version = publish(Store(Path(scratch) / "store"), f"{wish} {os.getpid()}", name)
        return pack_answer(RESULT | {"outcome": "promoted", "version": version.number}, [version], [])


def run_group(order: bytes) -> bytes:
    """Runs a group's pipeline: publishes, fails or dies as `data.path` says; leaves a line in `log`, too."""
    _, wish, root, name = _begun(order)
    if wish == "pid then publish":
        (root / f"{name}.pid").write_text(str(os.getpid()))
        while not (root / "go").exists():
            time.sleep(0.05)
    if wish == "half a file":
        raise DataError("row 3 is cut off")
    with TemporaryDirectory() as scratch:
        unpack(order, Path(scratch))
        version = publish(Store(Path(scratch) / "store"), wish, name)
        published = {"version": version.number, "path": str(version.served)}
        gate = {"model": "net", "passed": True, "verdict": f"Well done. Published as {name} version {version.number}."}
        told = {"name": name, "facts": {"series": 3}, "gate": gate, "leaderboard": [], "published": published}
        return pack_answer({"run": told, "report": f"<h1>{name}</h1>"}, [version], [])


def trial(order: bytes) -> bytes:
    """Makes a trial of a search: what becomes of it, `wishes.json` beside the pipeline says by its label."""
    told = json.loads(order)
    base, label = Path(told["base"]), told["label"]
    wish = json.loads((base / "wishes.json").read_text()).get(label, "complete")
    if _note(base, label) == 1 and wish == "pid then complete":
        (base / f"{label}.pid").write_text(str(os.getpid()))
        while not (base / "go").exists():
            time.sleep(0.05)
    if wish == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if wish == "hang":
        time.sleep(600)
    if wish == "half a file":
        raise DataError("row 3 is cut off")
    end = {"state": "complete", "losses": {10: 0.5}, "steps": 10, "score": len(told["others"]) + 1.0}
    return json.dumps(end).encode()


def _begun(order: bytes) -> tuple[dict, str, Path, str]:
    """What the order tells: all of it, the wish, the project's folder, the pipeline's name; some die of it."""
    with zipfile.ZipFile(io.BytesIO(order)) as archive:
        told = json.loads(archive.read("order.json"))
    wish, root, name = told["definition"]["data"]["path"], Path(told["root"]), told["definition"]["name"]
    first = _note(root, name) == 1
    if wish == "die" or (wish == "die once" and first):
        os.kill(os.getpid(), signal.SIGKILL)
    return told, wish, root, name


def _note(root: Path, name: str) -> int:
    """Writes down that work began, and counts how often it has."""
    with (root / "log").open("a") as log:
        log.write(f"{name}\n")
    return (root / "log").read_text().splitlines().count(name)
