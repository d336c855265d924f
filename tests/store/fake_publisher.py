"""A publisher of fake SavedModels, and a process of its own that can be killed at a chosen step.

As a program it reads one JSON request a line, forks a child for each, lets the child do the job and answers
with how it ended. With `kill_at` k the child kills itself by SIGKILL just before its k-th step on the file
system, so the test decides where, not the clock.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from forecaster.store import ManifestDraft, Store, Version

NAME = "energy"
STEPS = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "fcntl.flock"}


def draft(**changes: Any) -> ManifestDraft:
    fields: dict[str, Any] = {
        "definition": {"name": NAME, "horizon": 48},
        "model": "lstm",
        "model_definition": {"network": "lstm", "units": 8},
        "inferred": {"season": 48},
        "inputs": {"past": ["y"], "known": ["hour"], "static": []},
        "levels": [80.0],
        "quantiles": [0.1, 0.5, 0.9],
        "horizon": 48,
        "lookback": 336,
        "frequency": {"freq": "30min"},
        "data": {"source": "csv", "rows": 1000},
        "scores": {"lstm": {"mase": 0.7}, "naive": {"mase": 1.1}},
        "gate": {"promoted": True},
        "seed": 1,
        "versions": {"python": "3.11"},
    }
    return ManifestDraft(**fields | changes)


def contents(tag: str) -> dict[str, bytes]:
    return {
        "served/saved_model.pb": f"graph {tag}".encode(),
        "served/variables/variables.index": f"index {tag}".encode(),
        "served/variables/variables.data": f"data {tag}".encode() * 1000,
        "side/model.keras": f"weights {tag}".encode(),
    }


def write(folder: Path, tag: str) -> None:
    (folder / "served" / "assets").mkdir(parents=True, exist_ok=True)  # a SavedModel's, and empty
    for name, content in contents(tag).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def publish(store: Store, tag: str, name: str = NAME) -> Version:
    with store.stage(name) as staging:
        write(staging.folder, tag)
        return store.publish(staging, draft(data={"tag": tag}))


def keep(store: Store, tag: str, name: str = NAME) -> Version:
    with store.stage(name) as staging:
        write(staging.folder, tag)
        return store.challengers.keep(staging, draft(data={"tag": tag}))


def tag_of(version: Version) -> str:
    """Return the tag that a version was written with, after a look at every byte of it."""
    tag: str = version.manifest.data["tag"]
    parents = {"served": version.served, "side": version.side}
    for name, content in contents(tag).items():
        prefix, _, rest = name.partition("/")
        if (parents[prefix] / rest).read_bytes() != content:
            raise ValueError(f"{name} is not what {tag} was written with")
    return tag


def die_before_step(k: int) -> None:
    """Kill this process before its k-th change of the file system, fsync or lock."""
    left = k

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT
        if event in STEPS or (event == "open" and isinstance(arguments[2], int) and arguments[2] & writing):
            step()

    def fsync(descriptor: int) -> None:  # has no audit event; and a killed process loses no bytes unsynced
        step()

    sys.addaudithook(hook)
    os.fsync = fsync


def hold(store: Store) -> None:
    """Stage a version, say who did it and where, and wait to be killed."""
    with store.stage(NAME) as staging:
        write(staging.folder, "held")
        sys.stdout.write(f"{os.getpid()}\n{staging.folder}\n")
        sys.stdout.flush()
        signal.pause()


def publish_many(store: Store, tag: str, count: int) -> None:
    for index in range(count):
        publish(store, f"{tag}-{index}")


def roll_back(store: Store) -> None:
    from forecaster.lifecycle.champions import rollback

    rollback(store, NAME)


def promote(store: Store) -> None:
    from forecaster.lifecycle.champions import promote

    promote(store, NAME)


JOBS: dict[str, Callable[..., object]] = {
    "publish": publish,
    "publish_many": publish_many,
    "keep": keep,
    "roll_back": roll_back,
    "promote": promote,
    "quarantine": lambda store, number: store.quarantine(NAME, number),
    "prune_challengers": lambda store, keep: store.challengers.prune(NAME, keep),
    "prune": lambda store, keep: store.prune(NAME, keep),
    "sweep": lambda store: store.sweep(),
    "hold": hold,
}


def run_child(root: str, job: str, kill_at: int = 0, **arguments: Any) -> None:
    store = Store(Path(root))
    if kill_at:
        die_before_step(kill_at)
    JOBS[job](store, **arguments)


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run_child(**json.loads(line))
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
