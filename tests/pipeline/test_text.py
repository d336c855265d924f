"""`pipelines/characters.yaml` in small form, from the text to what the published network makes up."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from forecaster.cli.generating import generate_published
from forecaster.config import Project, read_pipeline
from forecaster.errors import DataError, Interrupted
from forecaster.evaluation.symbols import roll_symbols
from forecaster.forecasting.published_symbols import PublishedSymbols
from forecaster.pipeline import Listener, run
from forecaster.pipeline.contest import Contest
from forecaster.series import cutoffs
from forecaster.series.text import read_text
from forecaster.store import Store

PIPELINE = Path(__file__).parents[2] / "pipelines" / "characters.yaml"
LENGTH = 9000


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The run's result, the project's folder, and all progress that was told."""
    folder = tmp_path_factory.mktemp("text")
    (folder / "models").mkdir()
    whole = read_text("pydoc")
    text = "".join(whole.symbols[int(place)] for place in whole.target[:LENGTH])
    (folder / "text.txt").write_text(text, encoding="utf-8")
    content = yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))
    content["data"]["path"] = str(folder / "text.txt")
    content["lookback"] = 16
    small = {"units": 8, "steps": 20, "evaluate_every": 10, "batch_size": 8}
    content["models"] = [{**content["models"][1], **small}]
    (folder / "letters.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    seen = []
    result = run(
        read_pipeline(folder / "letters.yaml"), Project(folder), base=folder, force=True,
        listener=Listener(progress=seen.append),
    )  # fmt: skip
    return result, folder, seen


def test_every_symbol_of_the_last_tenth_is_forecast_by_all(told):
    result, _, _ = told
    assert len(result.forecasts) == LENGTH // 10
    assert result.forecasts["cutoff"].tolist() == list(range(LENGTH - LENGTH // 10, LENGTH))
    assert Contest(result.forecasts, result.leaderboard, {}, "gru").origins == LENGTH // 10
    unseen = result.forecasts.assign(y=result.forecasts["y"].where(result.forecasts.index > 4))
    assert Contest(unseen, result.leaderboard, {}, "gru").origins == LENGTH // 10 - 5, "nothing came after five"
    board = result.leaderboard.set_index("model")
    assert set(board.index) == {"most_frequent", "last", "bigram", "ngram", "gru"}
    assert board["bits"].to_numpy() == pytest.approx(board["log_loss"].to_numpy() / np.log(2))
    assert board.loc["bigram", "bits"] < board.loc["most_frequent", "bits"]
    assert "every symbol of the last tenth" in result.inferred["test"]
    assert "carried" in result.inferred["training"]
    assert "batch size" not in result.inferred, "the model file says 8"


def test_a_run_stops_between_the_fit_of_a_baseline_and_its_forecasts(told):
    """The first two looks are those of the baseline before; both go through the text in one go."""
    _, folder, _ = told
    begun, looks = [], iter(range(10_000))
    listener = Listener(begin=begun.append, stop=lambda: next(looks) == 3)
    definition = read_pipeline(folder / "letters.yaml")
    with pytest.raises(Interrupted, match=f"stopped before {definition.baselines[1]} had forecast the test part"):
        run(definition, Project(folder), base=folder, publishing=False, listener=listener)
    assert begun == definition.baselines[:2]


def test_samples_are_told_while_it_learns(told):
    _, _, seen = told
    samples = [progress for progress in seen if progress.sample]
    assert len(samples) >= 2
    assert all(len(progress.sample) == 80 for progress in samples)
    assert samples[0].around > 0


def test_a_forecast_is_where_the_likeliest_sequence_begins(told, capsys):
    _, folder, _ = told
    version = Store(folder / "models/store").read("letters")
    assert version.manifest.model_definition["carry_state"] is True
    forecast = PublishedSymbols(version).predict(read_text(folder / "text.txt"))
    generate_published("letters", folder, None, None, None, True, {"beam": 1, "length": 3})
    row = json.loads(capsys.readouterr().out)[0]
    assert row["symbols"][0] == forecast["gru"].iloc[0]
    assert row["log_probability"] < np.log(forecast["gru-p"].iloc[0]) + 1e-3


def test_the_published_version_goes_through_the_text_as_the_network_did(told):
    result, folder, _ = told
    version = PublishedSymbols(Store(folder / "models/store").read("letters"))
    panel = read_text(folder / "text.txt")
    frame = roll_symbols(version, panel, cutoffs(panel, 1, LENGTH // 10, 1)[:40])
    assert frame["y"].tolist() == result.forecasts["y"].tolist()[:40]
    assert frame["gru-y-p"].to_numpy() == pytest.approx(result.forecasts["gru-y-p"].to_numpy()[:40], abs=1e-5)


def test_the_rest_of_a_beginning(told, capsys, tmp_path):
    _, folder, _ = told
    wish = {"begin": "The ö", "length": 12, "samples": 2, "seed": 3}
    generate_published("letters", folder, None, None, None, False, wish)
    said = capsys.readouterr()
    assert said.out.count("\nThe ö") == 2
    assert "read as the unknown symbol: 'ö'" in said.err
    generate_published("letters", folder, None, tmp_path / "more.txt", None, False, {**wish, "samples": 1})
    first = (tmp_path / "more.txt").read_text(encoding="utf-8")
    assert first.startswith("The ö") and len(first) == 5 + 12 + 1
    assert first in said.out


@pytest.mark.parametrize(
    ("data", "wish", "superfluous", "fragment"),
    [
        (None, {"begin": ""}, [], "nothing to begin with"),
        (Path("other.txt"), {"begin": "The"}, [], "--data and --begin both say"),
        (None, {"begin": "The", "beam": 3, "samples": 2}, [], "--beam searches and draws nothing"),
        (None, {"begin": "The"}, ["--from"], "--from does not go with --begin"),
        (None, {"begin": "The", "until": "ö"}, [], "'ö' is no symbol of the training part"),
    ],
)
def test_what_cannot_be_asked(told, data, wish, superfluous, fragment):
    with pytest.raises(DataError, match=fragment):
        generate_published("letters", told[1], data, None, None, False, wish, superfluous)
