"""`forecaster models` on versions that were made up."""

import json

import pytest
from typer.testing import CliRunner

from forecaster.cli.app import app
from forecaster.errors import ForecasterError, StoreError
from forecaster.store import Store
from tests.store.fake_publisher import draft, write


def publish(store, tag):
    with store.stage("energy") as staging:
        write(staging.folder, tag)
        store.publish(staging, draft(gate={"verdict": f"{tag} was best."}))


@pytest.fixture
def project(tmp_path):
    """Two versions and a challenger."""
    store = Store(tmp_path / "models" / "store")
    publish(store, "a")
    publish(store, "b")
    with store.stage("energy") as staging:
        write(staging.folder, "c")
        store.challengers.keep(staging, draft(gate={"verdict": "c lost."}))
    return tmp_path


def models(project, *arguments):
    """What is printed; errors as they are raised."""
    answer = CliRunner().invoke(app, ["--project", str(project), "models", *map(str, arguments)])
    if isinstance(answer.exception, ForecasterError):
        raise answer.exception
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_list_shows_champion_versions_and_challengers(project):
    rows = json.loads(models(project, "list", "--json"))
    assert [(row["version"], row["role"], row["verdict"]) for row in rows] == [
        (2, "champion", "b was best."), (1, "version", "a was best."), (1, "challenger", "c lost."),
    ]  # fmt: skip
    assert "challenger" in models(project, "list")


def test_list_shows_a_damaged_version_as_such(project):
    (project / "models/store/.manifests/energy/1/manifest.json").write_text("{")
    rows = json.loads(models(project, "list", "--json"))
    assert "CANNOT BE USED" in rows[1]["verdict"] and rows[0]["role"] == "champion"


def test_show_tells_of_challengers_too(project):
    assert json.loads(models(project, "show", "energy", "--challenger", 1))["gate"]["verdict"] == "c lost."


def test_rollback_and_promote_say_what_serves_now(project):
    told = json.loads(models(project, "rollback", "energy", "--json"))
    assert told["version"] == 3 and told["verdict"].startswith("Rolled back from version 2 to version 1.")
    text = models(project, "promote", "energy")
    assert "energy version 4 is the champion. Challenger 1 was promoted by hand." in text
    with pytest.raises(StoreError, match="no challenger"):
        models(project, "promote", "energy")


def test_export_copies_and_refuses_to_replace(project):
    out = project / "out"
    models(project, "export", "energy", "--format", "savedmodel", "--out", out)
    assert (out / "saved_model.pb").read_bytes() == b"graph b"
    with pytest.raises(ForecasterError, match="write --force"):
        models(project, "export", "energy", "--format", "savedmodel", "--out", out)
