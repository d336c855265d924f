"""A pipeline through several nights: the first champion, nothing new, a challenger that loses, damage, drift."""

import json

import numpy as np
import pandas as pd
import pytest

from forecaster.config import PipelineDefinition
from forecaster.errors import DataError, DefinitionError
from forecaster.lifecycle.drift import drift
from forecaster.lifecycle.retraining import retrain
from tests.one_pipeline import OnePipeline

SMALL = {"extends": "gru", "units": 4, "warmup": 2, "evaluate_every": 20, "batch_size": 16, "learning_rate": 0.03}
DAYS = 24


class Shop(OnePipeline):
    """A project whose data grow."""

    def data(self, days, change_on=10**6):
        """Hourly values that repeat from day to day; from some day on they are noise."""
        generator = np.random.default_rng(7)
        steps = np.arange(24 * 60)
        values = 100 + 8 * np.sin(2 * np.pi * steps / 24) + generator.normal(0, 2, len(steps))
        values = values + np.where(steps // 24 >= change_on, 300 * generator.normal(size=len(steps)), 0)
        stamps = pd.date_range("2024-03-01", periods=len(steps), freq="h")
        frame = pd.DataFrame({"ds": stamps, "y": values})[: int(24 * days)]
        frame.to_csv(self.folder / "sales.csv", index=False)

    def definition(self, steps=60, **changes) -> PipelineDefinition:
        told = {
            "data": {"path": str(self.folder / "sales.csv")}, "horizon": 6, "lookback": 24, "season": 24,
            "models": [{**SMALL, "steps": steps}], "baselines": ["naive", "seasonal_naive"],
            "backtest": {"windows": 8}, "validation": 3, "promote": {"min_windows": 8}, **changes,
        }  # fmt: skip
        return self.defined("shop", told)

    def retrain(self, definition=None, **options):
        return retrain(definition or self.definition(), self.project, base=self.folder, **options)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Before its first night."""
    shop = Shop.made_in(tmp_path_factory.mktemp("shop"))
    shop.data(DAYS)
    return shop


EASY = {"promote": {"min_windows": 8, "beat": ["champion"], "significance": 1e-6}}
"""No champion beside it: nothing to beat; with one, hardly to be beaten."""


@pytest.fixture(scope="module")
def first(shop):
    """A champion that has hardly learnt."""
    return shop.retrain(shop.definition(steps=1, **EASY))


def test_the_first_night_publishes_what_beats_all_that_there_is_to_beat(shop, first):
    assert (first.outcome, first.version, first.p) == ("promoted", 1, None)
    told = json.loads(first.to_json())
    assert set(told) == {"outcome", "reason", "version", "p", "scores", "data_hash", "seconds", "drift"}
    assert {row["model"] for row in told["scores"]["test"]} == {"gru", "naive", "seasonal_naive"}


def test_the_manifest_says_how_far_training_and_data_reached(shop, first):
    """24 days from 1 March: the last hour is the 24th, 23:00; eight windows of six hours are the test part."""
    training = shop.store.manifest("shop").training
    told = {name: training[name] for name in ("learnt_until", "until", "data_until")}
    days = {"learnt_until": "2024-03-22T05:00:00", "until": "2024-03-22T23:00:00", "data_until": "2024-03-24T23:00:00"}
    assert told == days, "a warm start goes on from weights that had not seen the validation part"


def test_nothing_new_is_said_and_nothing_is_fitted(shop, first, monkeypatch):
    monkeypatch.setattr("forecaster.lifecycle.retraining.hold_contest", None)
    again = shop.retrain(shop.definition(steps=1, **EASY))
    assert again.outcome == "up to date" and "version 1" in again.reason
    assert again.data_hash == first.data_hash and again.scores == {"champion": 1}


def test_a_challenger_that_is_no_better_is_kept_out_and_not_trained_again(shop, first):
    """The same network fitted on one more day."""
    shop.data(DAYS + 1)
    night = shop.retrain(shop.definition(steps=1, **EASY))
    assert night.outcome == "kept" and "version 1 stays" in night.reason
    assert night.p >= 1e-6 and [one["rival"] for one in night.scores["comparisons"]] == ["champion"]
    assert shop.store.versions("shop") == [1]
    number = night.scores["challenger"]
    assert shop.store.challengers.manifest("shop", number).gate["promotion"]["outcome"] == "kept"
    again = shop.retrain(shop.definition(steps=1, **EASY))
    assert again.outcome == "up to date" and f"challenger {number}" in again.reason


def test_new_cutoffs_must_lie_after_what_the_champion_has_seen(shop, first):
    """A champion that was fitted on all data meets nobody until enough new data have come."""
    version = shop.store.read("shop", 1)
    training = {**version.manifest.training, "until": version.manifest.training["data_until"]}
    seen = version.manifest.model_copy(update={"training": training})
    shop.store.republish(version, seen)
    shop.data(DAYS + 1.5)
    night = shop.retrain(shop.definition(steps=1, **EASY))
    assert night.outcome == "not enough new data" and night.version is None
    assert "only 6 forecast origins" in night.reason and "the rule wants 8" in night.reason
    shop.store.republish(version, version.manifest)


def test_a_sensor_that_is_stuck_is_told_before_a_fit_by_its_name(shop, first, monkeypatch):
    """There are enough new cutoffs; what they want is a scale."""
    monkeypatch.setattr("forecaster.lifecycle.retraining.hold_contest", None)
    shop.data(DAYS + 3)
    table = pd.read_csv(shop.folder / "sales.csv")
    table.assign(y=5.0).to_csv(shop.folder / "sales.csv", index=False)
    with pytest.raises(DataError, match=r"shop: no series has a scale for MASE .*; write `promote: {metric: smape}`"):
        shop.retrain(shop.definition(steps=1, **EASY))
    by_smape = {"promote": {**EASY["promote"], "metric": "smape"}}
    with pytest.raises(TypeError, match="not callable"):  # on to the fit
        shop.retrain(shop.definition(steps=1, **by_smape))
    shop.data(DAYS + 1.5)


def test_a_damaged_champion_is_replaced_by_the_last_good_one(shop, first):
    newest = shop.store.champion("shop")
    path = shop.store.read("shop").served / "saved_model.pb"
    path.write_bytes(path.read_bytes()[:-1])
    shop.retrain(shop.definition(steps=1, **EASY))
    assert shop.store.champion("shop") != newest and newest > 1
    assert (shop.store.root / ".quarantine" / "shop" / str(newest) / "side" / "manifest.json").is_file()


def test_a_challenger_that_is_better_takes_the_champions_place(shop, first):
    """At a level at which nearly everything is better."""
    shop.data(DAYS + 3)
    before = shop.store.champion("shop")
    easy = {**EASY["promote"], "significance": 0.9999}
    night = shop.retrain(shop.definition(steps=1, promote=easy))
    assert night.outcome == "promoted" and night.version == shop.store.champion("shop") > before
    manifest = shop.store.read("shop").manifest
    assert manifest.gate["promotion"] == {"outcome": "promoted", "p": night.p, "champion": before}
    assert len(manifest.reference["errors"]["losses"]) == 8
    assert night.drift["inputs"]["target"]["psi"] > 0 and not night.drift["drifted"]


def test_drift_of_errors_and_inputs_is_found_and_told(shop, first):
    shop.data(DAYS + 7, change_on=DAYS + 3)
    found = drift(shop.definition(), shop.project, base=shop.folder)
    assert found["drifted"] and found["errors"]["drifted"] and found["inputs"]["target"]["drifted"]
    assert "errors have grown" in found["reason"] and "PSI" in found["reason"]
    shop.data(DAYS + 3)
    calm = drift(shop.definition(), shop.project, base=shop.folder)
    assert not calm["drifted"] and calm["errors"] == {} and calm["reason"] == "no drift"


def test_on_drift_fits_only_when_something_has_drifted(shop, first, monkeypatch):
    fitted = []
    monkeypatch.setattr("forecaster.lifecycle.retraining.hold_contest", lambda *said, **more: fitted.append(said))
    shop.data(DAYS + 4)
    calm = shop.retrain(shop.definition(**EASY), only_on_drift=True)
    assert (calm.outcome, calm.reason) == ("up to date", "not fitted, since nothing has drifted: no drift")
    assert calm.drift["inputs"]["target"]["psi"] > 0 and not fitted
    shop.data(DAYS + 7, change_on=DAYS + 3)
    with pytest.raises(AttributeError):  # there is no contest to settle
        shop.retrain(shop.definition(**EASY), only_on_drift=True)
    assert fitted


def test_on_drift_fits_once_where_the_champions_manifest_recorded_nothing(shop, first, monkeypatch):
    """As one of the first format: the next nights hold the inputs against those of the challenger that lost."""
    fitted = []
    monkeypatch.setattr("forecaster.lifecycle.retraining.hold_contest", lambda *said, **more: fitted.append(said))
    newest = shop.store.read("shop")
    shop.store.republish(newest, newest.manifest.model_copy(update={"reference": {}}))
    shop.data(DAYS + 5)
    for number in shop.store.challengers.numbers("shop"):
        lost = shop.store.challengers.read("shop", number)
        night = shop.retrain(shop.definition(**EASY), only_on_drift=True)
        assert night.outcome == "up to date" and night.drift["inputs"]["target"]["psi"] > 0 and not fitted
        shop.store.challengers.remove("shop", [lost.number])
    with pytest.raises(AttributeError):  # it was fitted; there is no contest to settle
        shop.retrain(shop.definition(**EASY), only_on_drift=True)
    assert fitted
    shop.store.republish(newest, newest.manifest)


@pytest.mark.parametrize(
    ("changes", "fragment"),
    [
        ({"backtest": {"windows": 5}}, r"backtest.windows is 5 and promote.min_windows 8"),
        ({"horizon": 5, "season": 24}, r"forecasts 6 steps of numbers and the pipeline 5"),
        (
            {"data": {"path": "sales.csv", "calendar": [], "known": ["y2"]}},
            r"cannot be compared on these data: gru was trained with the known covariates none, the data have y2.* or "
            r"publish the changed pipeline once with forecaster run, or give it another `name`",
        ),
    ],
)
def test_what_can_never_be_compared_is_refused_with_the_remedy(shop, first, changes, fragment):
    shop.data(DAYS + 8)
    if "data" in changes:
        frame = pd.read_csv(shop.folder / "sales.csv")
        frame.assign(y2=1.0).to_csv(shop.folder / "sales.csv", index=False)
    with pytest.raises(DefinitionError, match=fragment):
        shop.retrain(shop.definition(steps=1, **changes))
