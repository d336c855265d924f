"""What a fit and a backtest cost, counted instead of timed: windows and bytes copied, graphs built, steps taken."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import tensorflow as tf

from forecaster.evaluation import backtest
from forecaster.forecasting.finishing import OF_WINDOWS
from forecaster.forecasting.lessons import SAMPLE
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.networks import network
from forecaster.networks.network import Learning
from forecaster.series.windows import Windows
from tests.synthetic import seasonal_panel, tiny

STEPS, BATCH, ORIGINS, SERIES = 20, 8, 10, 2
WINDOW = 24 + 6


@dataclass
class Counts:
    """What was done; graphs are counted as often as Python goes through what they are built from."""

    gathered: list[int] = field(default_factory=list)
    bytes: int = 0
    losses: int = 0
    answers: int = 0
    forecaster: RecurrentForecaster | None = None


@pytest.fixture(scope="module")
def counts():
    """A network is fitted once, and forecasts from ten origins."""
    done = Counts()
    gather, loss, fit, answers = Windows.gather, Learning.compute_loss, RecurrentForecaster.fit, network.answers

    def gathered(windows, chosen):
        batch = gather(windows, chosen)
        done.gathered.append(len(batch.past))
        done.bytes += sum((part if part.base is None else part.base).nbytes for part in (batch.past, batch.static))
        return batch

    def compute_loss(*args, **kwargs):
        done.losses += not tf.executing_eagerly()
        return loss(*args, **kwargs)

    def answering(*args, **kwargs):
        done.answers += 1
        return answers(*args, **kwargs)

    def fitted(*args, **kwargs):
        done.forecaster = fit(*args, **kwargs)
        return done.forecaster

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Windows, "gather", gathered)
        patch.setattr(Learning, "compute_loss", compute_loss)
        patch.setattr(network, "answers", answering)
        patch.setattr(RecurrentForecaster, "fit", fitted)
        model = RecurrentForecaster(tiny(steps=STEPS, batch_size=BATCH), 6, season=12, lookback=24)
        backtest(model, seasonal_panel(series=SERIES), windows=ORIGINS, step=3)
    return done


def finishing(counts):
    """Steps of the finish."""
    curve = counts.forecaster.curve
    return round(OF_WINDOWS * curve["step"].iloc[int(curve["validation"].argmin())])


def test_each_step_gathers_its_own_batch_and_nothing_is_gathered_twice(counts):
    usual, sample, held_out, *rest = counts.gathered
    assert usual <= SAMPLE and sample <= SAMPLE and held_out <= SAMPLE
    steps = STEPS + finishing(counts)
    assert rest[:steps] == [BATCH] * steps
    assert sum(rest[steps:]) == ORIGINS * SERIES


def test_a_window_is_copied_once(counts):
    assert counts.bytes == sum(counts.gathered) * WINDOW * np.dtype(np.float32).itemsize


def test_a_fit_builds_one_graph_to_learn(counts):
    assert counts.losses == 1


def test_looks_at_the_validation_part_and_forecasts_have_one_graph_together(counts):
    assert counts.answers == 1
