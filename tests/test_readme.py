"""The README's promises that can be run: its Python examples and its pipeline and model files."""

import re
from pathlib import Path

import pytest
import yaml

from forecaster.config import ModelDefinition, PipelineDefinition
from forecaster.config.reading import parse

ROOT = Path(__file__).parent.parent


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_python_example_runs(monkeypatch, capsys):
    """With fewer steps: what is tested is that it runs as written."""
    from forecaster.config import Project

    monkeypatch.chdir(ROOT)
    whole = Project.model
    short = {"steps": 20, "warmup": 2, "units": 8}
    monkeypatch.setattr(Project, "model", lambda self, entry: whole(self, entry).model_copy(update=short))
    exec(blocks("python")[0], {})
    printed = capsys.readouterr().out
    assert "seasonal_naive" in printed and "lstm-hi-95" in printed


def test_the_example_that_needs_tensorflow_only_runs(monkeypatch, tmp_path):
    """With the pipeline's network at its beginning: what is tested is that it runs as written."""
    from forecaster.config import Project, read_pipeline
    from forecaster.pipeline import run

    definition = read_pipeline(ROOT / "pipelines" / "energy_demand.yaml")
    small = ModelDefinition(network="gru", units=4, steps=2, warmup=1)
    changes = {"models": [small], "backtest": {"windows": 2}, "validation": 2, "lookback": 96}
    few = PipelineDefinition(**{**definition.model_dump(), **changes})
    assert run(few, Project(tmp_path), base=ROOT, force=True).version == 1
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(blocks("python")[1], names)
    assert names["quantiles"].shape == (1, 48, 5)
    assert len(blocks("python")) == 2, "every block is run"


@pytest.mark.parametrize("text", [block for block in blocks("yaml") if "horizon" in block])
def test_pipeline_files_in_the_readme_are_valid(text):
    parse(yaml.safe_load(text), PipelineDefinition, "README.md")


def test_model_files_in_the_readme_are_valid():
    for text in (block for block in blocks("yaml") if block.startswith("network:")):
        parse(yaml.safe_load(text), ModelDefinition, "README.md")


@pytest.mark.parametrize("text", [block for block in blocks("yaml") if block.startswith("network:")])
def test_model_files_in_the_readme_can_be_looked_into(text):
    from forecaster.forecasting.inspection.untrained import inspect_untrained

    definition = parse(yaml.safe_load(text), ModelDefinition, "README.md").named("block")
    assert inspect_untrained(definition, lookback=24, horizon=2).document()["gradient_reach"]["layers"]


def test_data_blocks_in_the_readme_are_valid():
    for text in (block for block in blocks("yaml") if block.startswith("data:") and "horizon" not in block):
        parse({**yaml.safe_load(text), "horizon": 1}, PipelineDefinition, "README.md")


def test_no_command_in_the_readme_is_unknown():
    from typer.main import get_command

    from forecaster.cli.app import app

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^    forecaster (\w+)", text, re.MULTILINE))
    assert named <= set(get_command(app).commands)
