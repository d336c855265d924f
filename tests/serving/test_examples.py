"""The examples that users copy: what can be run here is run, the rest is read by its own format's reader."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import forecaster.serving

EXAMPLES = Path(forecaster.serving.__file__).parent / "examples"


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_the_python_client(live):
    answer = run(sys.executable, str(EXAMPLES / "client.py"), live.url, "walk")
    assert answer.stdout.splitlines() == [
        "y 2024-01-01T06:00:00 106 {'80': [105.0, 107.0], '95': [104.0, 108.0]}",
        "y 2024-01-01T07:00:00 106 {'80': [105.0, 107.0], '95': [104.0, 108.0]}",
        "y 2024-01-01T08:00:00 106 {'80': [105.0, 107.0], '95': [104.0, 108.0]}",
        "next step's quantiles: [201.0, 202.0, 203.0, 204.0, 205.0]",
    ]
    answer = run(sys.executable, str(EXAMPLES / "client.py"), live.url, "none")
    assert "404: " in answer.stderr and "none" in answer.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_curl_client(live, tmp_path):
    answer = run("sh", str(EXAMPLES / "client.sh"), live.url, "walk")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1].startswith("y,2024-01-01 08:00:00,2024-01-01 05:00:00,106.0")
    (tmp_path / "newer.csv").write_text("ds,y\n2024-05-01T00:00,1\n2024-05-01T01:00,2\n")
    answer = run("sh", str(EXAMPLES / "client.sh"), live.url, "walk", str(tmp_path / "newer.csv"))
    assert answer.stdout.splitlines()[-1].startswith("y,2024-05-01 04:00:00,2024-05-01 01:00:00,102.0")


def test_tensorflow_servings_configuration():
    pb = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2")
    from google.protobuf import text_format

    config = text_format.Parse(
        (EXAMPLES / "models.config").read_text(), pb.ModelServerConfig()
    ).model_config_list.config
    assert [one.name for one in config] == ["energy_demand", "energy_demand-challenger", "sensor_data"]
    assert dict(config[0].version_labels) == {"champion": 2, "previous": 1}


def test_kubernetes_manifests():
    kinds = [one["kind"] for one in yaml.safe_load_all((EXAMPLES / "kubernetes.yaml").read_text())]
    assert kinds == ["Deployment", "Service", "InferenceService"]
