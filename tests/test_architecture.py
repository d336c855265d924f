"""The rooms and the direction of their imports, read from the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "forecaster"

FLOORS = {
    "errors": 0, "scores": 0, "words": 0, "config": 1, "execution": 2, "series": 3, "store": 4, "networks": 5,
    "forecasting": 6, "evaluation": 7, "reporting": 8, "pipeline": 9, "lifecycle": 10, "serving": 11, "cli": 12,
}  # fmt: skip
"""A room imports rooms on lower floors and itself, never sideways; `__init__` and `__main__` are doors."""

KERAS = {"networks", "forecasting"}
TENSORFLOW = {
    "forecasting/published.py", "forecasting/conversion.py", "networks/lstm_fused.py", "networks/inspection/tape.py",
    "networks/replicas.py", "networks/strings.py", "networks/answering.py", "networks/exporting.py",
    "serving/savedmodel.py", "serving/tensors.py",
}  # fmt: skip
"""Where Keras and TensorFlow may be imported; in `networks` the LSTM's kernel, the gradients of states, several
devices, strings, and the graphs of answers and exports."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found.append(str(node.module))
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_arrow_points_up_or_sideways(path):
    here = room(path)
    if here in ("__init__", "__main__"):
        return
    assert here in FLOORS, f"{here} is no room of DESIGN.md"
    for name in imports(path):
        target = name.split(".")
        if target[0] == "forecaster" and len(target) > 1 and target[1] != here:
            assert FLOORS[target[1]] < FLOORS[here], f"{path}: {here} imports {target[1]}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_keras_and_tensorflow_stay_in_their_rooms(path):
    tops = {name.split(".")[0] for name in imports(path)}
    assert "keras" not in tops or room(path) in KERAS
    assert "tensorflow" not in tops or str(path.relative_to(PACKAGE)) in TENSORFLOW


TRAINING = (
    "networks", "pipeline", "evaluation", "reporting", "lifecycle", "forecasting.recurrent", "forecasting.training",
    "forecasting.backend", "forecasting.baselines", "forecasting.ridge",
)  # fmt: skip
"""What a server must not reach, by itself or through others; imports inside of functions count."""


def module_file(name: str) -> Path | None:
    """The source of one of our modules; None for a name inside of one."""
    place = PACKAGE.parent / name.replace(".", "/")
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def reached_from(room: str) -> dict[str, str]:
    """Every module of ours that a room imports, itself or through others, and who imports it."""
    waiting = [
        f"forecaster.{'.'.join(p.relative_to(PACKAGE).with_suffix('').parts)}" for p in (PACKAGE / room).rglob("*.py")
    ]
    found = dict.fromkeys(waiting, room)
    while waiting:
        name = waiting.pop()
        file = module_file(name) or module_file(name.removesuffix(".__init__"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if file else ():
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module), *(f"{node.module}.{one.name}" for one in node.names)]
            elif isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            else:
                continue
            for other in names:
                if other.startswith("forecaster.") and module_file(other) and other not in found:
                    found[other] = name
                    waiting.append(other)
    return found


def test_the_server_reaches_no_training_code_also_not_through_others():
    reached = reached_from("serving")
    assert "forecaster.store.reading" in reached
    wrong = {name: by for name, by in reached.items() if name.removeprefix("forecaster.").startswith(TRAINING)}
    assert not wrong


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh process has loaded after running some code."""
    script = f"{code}\nimport sys\nprint(' '.join(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in answer.stdout.splitlines()[-1].split()}


def test_a_forecaster_is_there_before_tensorflow_is_loaded():
    assert not loaded_by("import forecaster.forecasting.recurrent") & {"tensorflow", "keras"}


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded_by("import forecaster") & {"tensorflow", "keras", "pandas", "numpy", "pydantic"}


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom forecaster.cli.app import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit as end:\n    assert not end.code"
    )
    assert not loaded_by(code) & {"tensorflow", "keras", "pandas", "numpy", "sklearn", "yfinance", "rich"}


def test_judging_and_naive_forecasting_load_no_keras():
    names = ("leaderboard", "NaiveForecaster", "read_csv", "Store")
    code = "\n".join(["import forecaster", *(f"forecaster.{name}" for name in names)])
    assert not loaded_by(code) & {"tensorflow", "keras"}


def test_a_server_starts_without_scikit_learn_and_training():
    loaded = loaded_by("import forecaster.serving.app\nfrom forecaster.serving.savedmodel import prepare\nprepare()")
    assert "tensorflow" in loaded
    assert not loaded & {"sklearn", "yfinance", "plotly"}


def test_every_public_name_can_be_had():
    import forecaster

    assert [name for name in forecaster.__all__ if getattr(forecaster, name, None) is None] == []
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = forecaster.no_such_name
