"""The README's promises that can be run: its Python example and its pipeline files."""

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


@pytest.mark.parametrize("text", [block for block in blocks("yaml") if "horizon" in block])
def test_pipeline_files_in_the_readme_are_valid(text):
    parse(yaml.safe_load(text), PipelineDefinition, "README.md")


def test_model_files_in_the_readme_are_valid():
    for text in (block for block in blocks("yaml") if block.startswith("network:")):
        parse(yaml.safe_load(text), ModelDefinition, "README.md")


def test_data_blocks_in_the_readme_are_valid():
    for text in (block for block in blocks("yaml") if block.startswith("data:") and "horizon" not in block):
        parse({**yaml.safe_load(text), "horizon": 1}, PipelineDefinition, "README.md")


def test_no_command_in_the_readme_is_unknown():
    from typer.main import get_command

    from forecaster.cli.app import app

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^    forecaster (\w+)", text, re.MULTILINE))
    assert named <= set(get_command(app).commands)
