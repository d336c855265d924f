"""The shipped pipelines of symbols in small form: their own data and definitions, small networks, few steps."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from forecaster.config import Project, read_pipeline
from forecaster.pipeline import run
from forecaster.series.text import read_text

ROOT = Path(__file__).parents[2]
SMALL = {"units": 4, "steps": 10, "evaluate_every": 5}


def small_form(name, folder, **changes):
    """What a run of it says with its networks made small; nothing is published."""
    told = yaml.safe_load((ROOT / "pipelines" / f"{name}.yaml").read_text(encoding="utf-8")) | changes
    told["models"] = [{**one, **SMALL} for one in told["models"]]
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(told), encoding="utf-8")
    return run(read_pipeline(file), Project(folder), base=ROOT, publishing=False)


def log_losses(result):
    board = result.leaderboard.set_index("model")
    assert np.isfinite(board["log_loss"]).all()
    assert board["perplexity"].to_numpy() == pytest.approx(np.exp(board["log_loss"].to_numpy()))
    return board["log_loss"]


def test_whats_for_dinner(tmp_path):
    fewer = {"lookback": 10, "backtest": {"windows": 36, "step": 1}, "validation": 10}
    result = small_form("whats_for_dinner", tmp_path, **fewer)
    losses = log_losses(result)
    networks = {"no_memory", "simple_rnn", "lstm"}
    assert set(losses.index) == {"most_frequent", "last", "seasonal", "bigram", "ngram", *networks}
    assert losses["bigram"] < losses["most_frequent"], "dishes come in turn"
    missing = result.forecasts["y"].isna()
    assert (len(missing), missing.sum()) == (36, 14), "two weeks were not written down"
    assert result.forecasts.loc[missing, "lstm-p"].notna().all(), "and are gone through"


def test_childrens_book(tmp_path):
    losses = log_losses(small_form("childrens_book", tmp_path))
    best = (np.log(3) + np.log(2)) / 4
    assert losses["ngram"] == pytest.approx(best, abs=0.02), "it looks back as far as a sentence"
    assert losses["bigram"] == pytest.approx(2 * best, abs=0.05)


def test_min_char(tmp_path):
    whole = read_text("pydoc")
    text = "".join(whole.symbols[int(place)] for place in whole.target[:3000])
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    result = small_form("min_char", tmp_path, data={"source": "text", "path": str(tmp_path / "text.txt")})
    losses = log_losses(result)
    assert losses["ngram"] < losses["bigram"] < losses["simple_rnn"] < np.log(len(set(text)) + 1)
    assert len(result.forecasts) == 300
