"""MLflow as an optional mirror: runs, metrics, artifacts, and registered versions with their aliases.

Where MLFLOW_TRACKING_URI names a tracking server (http or https), each retraining is mirrored there over MLflow's REST
interface with the standard library alone: MLflow itself need not be installed, so its own demands on other packages
cannot stand in the way. Credentials are MLflow's: MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or
MLFLOW_TRACKING_TOKEN; the experiment is MLFLOW_EXPERIMENT_NAME or `forecaster`. The mirror is told, never asked: what
it does not hear is written to the log, and nothing is promoted or kept back for its sake.
"""

from __future__ import annotations

import base64
import json
import logging
import math
import os
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode

from forecaster.lifecycle.result import RetrainResult
from forecaster.store import Version

__all__ = ["MLflow", "mirror"]

logger = logging.getLogger(__name__)

TIMEOUT = 10.0
"""Seconds for one request."""
MOST = 200 * 2**20
"""Bytes of a version that are sent; a larger one is mirrored without its files."""


def mirror(name: str, result: RetrainResult, version: Version | None) -> None:
    """Tells MLflow of a retraining, if a server is configured. It never raises.

    Args:
        name: The pipeline's; also of the registered model.
        result: What came of it.
        version: The new champion, or the challenger that is kept; None where nothing was stored.
    """
    address = os.environ.get("MLFLOW_TRACKING_URI", "")
    if not address.startswith(("http://", "https://")):
        return
    try:
        MLflow(address.rstrip("/")).record(name, result, version)
    except (OSError, HTTPException, ValueError, KeyError) as error:
        logger.warning("%s: MLflow could not be told of this run: %s", name, error)


@dataclass(frozen=True)
class MLflow:
    """A tracking server.

    Args:
        address: Of the server, without a slash at its end.
    """

    address: str

    def record(self, name: str, result: RetrainResult, version: Version | None) -> str:
        """Makes a run with its parameters, metrics and files; registers a stored version and sets its alias.

        Returns:
            The run's id.

        Raises:
            OSError: The server cannot be reached, or says no.
        """
        began = int((time.time() - result.seconds) * 1000)
        told = {"experiment_id": self._experiment(), "run_name": name, "start_time": began}
        run = self._call("runs/create", told)["run"]["info"]
        tags = {"pipeline": name, "outcome": result.outcome, "reason": result.reason[:5000]}
        batch = {
            "run_id": run["run_id"],
            "metrics": [{"key": key, "value": value, "timestamp": began} for key, value in _metrics(result)],
            "params": _pairs(_parameters(result, version)),
            "tags": _pairs(tags),
        }
        self._call("runs/log-batch", batch)
        if version:
            self._send_files(run["artifact_uri"], version)
            self._register(name, run, result, version)
        ended = {"run_id": run["run_id"], "status": "FINISHED", "end_time": int(time.time() * 1000)}
        self._call("runs/update", ended)
        return str(run["run_id"])

    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "forecaster")
        try:
            query = urlencode({"experiment_name": name})
            return str(self._call(f"experiments/get-by-name?{query}")["experiment"]["experiment_id"])
        except HTTPError as error:
            if error.code != 404:
                raise
        return str(self._call("experiments/create", {"name": name})["experiment_id"])

    def _register(self, name: str, run: Mapping[str, Any], result: RetrainResult, version: Version) -> None:
        """A version of the registered model, with the alias `champion` or `challenger`."""
        try:
            self._call("registered-models/create", {"name": name})
        except HTTPError as error:  # it is there already
            if error.code != 400:
                raise
        role = "champion" if result.version else "challenger"
        tags = {"forecaster_version": str(version.number), "role": role}
        told = {
            "name": name,
            "source": f"{run['artifact_uri']}/{_PLACE}",
            "run_id": run["run_id"],
            "tags": _pairs(tags),
        }
        made = self._call("model-versions/create", told)["model_version"]
        self._call("registered-models/alias", {"name": name, "alias": role, "version": made["version"]})

    def _send_files(self, place: str, version: Version) -> None:
        """Through the server's own store of artifacts; other stores need their own clients."""
        files = [*_files(version.served, "served"), *_files(version.side, "side")]
        if not place.startswith("mlflow-artifacts:"):
            logger.info("MLflow keeps its artifacts in %s: files are not sent", place.partition(":")[0])
        elif (size := sum(path.stat().st_size for path, _ in files)) > MOST:
            logger.info("MLflow: %d MiB are more than are sent; files are left out", size // 2**20)
        else:
            root = place.removeprefix("mlflow-artifacts:").lstrip("/")
            for path, inside in files:
                target = quote(f"{root}/{_PLACE}/{inside}")
                url = f"{self.address}/api/2.0/mlflow-artifacts/artifacts/{target}"
                self._send(urllib.request.Request(url, path.read_bytes(), method="PUT"))

    def _call(self, what: str, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
        url = f"{self.address}/api/2.0/mlflow/{what}"
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        answer: dict[str, Any] = json.loads(self._send(request) or b"{}")
        return answer

    def _send(self, request: urllib.request.Request) -> bytes:
        user, password = (os.environ.get(f"MLFLOW_TRACKING_{key}") for key in ("USERNAME", "PASSWORD"))
        if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
            request.add_header("Authorization", f"Bearer {token}")
        elif user:
            secret = base64.b64encode(f"{user}:{password or ''}".encode()).decode()
            request.add_header("Authorization", f"Basic {secret}")
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            content: bytes = answer.read()
            return content


_PLACE = "model"


def _files(folder: Path, prefix: str) -> list[tuple[Path, str]]:
    return [
        (path, f"{prefix}/{path.relative_to(folder).as_posix()}")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def _metrics(result: RetrainResult) -> Iterator[tuple[str, float]]:
    """The scores of every model, as `lstm.mase`, and p; only what is finite."""
    if result.p is not None:
        yield "p", result.p
    yield "seconds", result.seconds
    for row in result.scores.get("test", []):
        for key, value in row.items():
            if isinstance(value, float) and math.isfinite(value):
                yield f"{row['model']}.{key}", value


def _parameters(result: RetrainResult, version: Version | None) -> dict[str, str]:
    told = {"data_hash": result.data_hash}
    if version:
        manifest = version.manifest
        told |= {"model": manifest.model, "horizon": str(manifest.horizon), "lookback": str(manifest.lookback),
                 "seed": str(manifest.seed)}  # fmt: skip
    return told


def _pairs(told: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in told.items()]
