"""A pipeline of symbols from its file to what is served: run, report, inside, retraining, drift, rollback, server."""

import base64
import json
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from forecaster.cli.app import app
from forecaster.config import read_pipeline
from forecaster.forecasting.published_symbols import PublishedSymbols
from forecaster.lifecycle.drift import drift
from forecaster.lifecycle.retraining import retrain
from forecaster.pipeline import run
from forecaster.series.source import load
from forecaster.store.inspection import read_inspection
from tests.one_pipeline import OnePipeline
from tests.serving.live import serving

DISHES = np.array(["pizza", "sushi", "waffles"])
FIRST, THEN, KNOWN = 220, 244, 3
"""Days of the first run and of the retraining, and days of which the covariate is known beforehand."""


def dinners(days):
    """Dishes come in turn; who comes home late eats leftovers, and the turn waits."""
    late = np.random.default_rng(5).random(THEN + KNOWN) < 0.25
    dinner = np.where(late, "leftovers", DISHES[np.cumsum(~late) % 3]).astype(object)
    dinner[days:] = None
    stamps = pd.date_range("2024-01-01", periods=len(late))
    return pd.DataFrame({"ds": stamps, "dinner": dinner, "late": late.astype(int)})[: days + KNOWN]


@dataclass
class Kitchen(OnePipeline):
    """A household that writes down its dinners."""

    results: dict = field(default_factory=dict)

    @property
    def path(self):
        return self.folder / "dinners.csv"

    def eaten(self, days):
        dinners(days).to_csv(self.path, index=False)

    def definition(self, steps):
        told = {
            "data": {"kind": "symbols", "path": str(self.path), "target": "dinner", "known": ["late"]},
            "horizon": 1, "lookback": 14, "validation": 20, "backtest": {"windows": 24},
            "models": [{"network": "lstm", "units": 16, "steps": steps, "learning_rate": 0.02, "batch_size": 32,
                        "evaluate_every": 60}],
            "promote": {"min_windows": 20},
        }  # fmt: skip
        return self.defined("kitchen", told)

    def forecaster(self, *arguments):
        answer = CliRunner().invoke(app, ["--project", str(self.folder), *arguments])
        assert answer.exit_code == 0, answer.output
        return answer.stdout


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    """With a first version that has hardly learnt anything, published all the same."""
    folder = tmp_path_factory.mktemp("kitchen")
    kitchen = Kitchen.made_in(folder)
    kitchen.eaten(FIRST)
    definition = kitchen.definition(steps=2)
    kitchen.results["run"] = run(definition, kitchen.project, base=folder, report=folder / "report.html", force=True)
    return kitchen


@pytest.fixture(scope="module")
def retrained(kitchen):
    """A night with three more weeks of dinners and a network that learns."""
    kitchen.eaten(THEN)
    definition = kitchen.definition(steps=120)
    kitchen.results["drift"] = drift(definition, kitchen.project, base=kitchen.folder)
    kitchen.results["night"] = retrain(definition, kitchen.project, base=kitchen.folder)
    return kitchen


def test_a_run_is_reported_with_what_is_inside(kitchen):
    result, page = kitchen.results["run"], (kitchen.folder / "report.html").read_text(encoding="utf-8")
    assert list(result.leaderboard["kind"]).count("naive") == 5
    data = json.loads(page.split('<script id="report-data" type="application/json">')[1].split("</script>")[0])
    assert {"bars-0-0", "reliability", "frequencies", "data-0", "curve-0", "gates-0", "reach"} <= set(data["figures"])
    assert "Log loss" in page and "cross-entropy" in page
    made_up = page.split("Made up by lstm")[1].split("</pre>")[0].partition('<pre class="wrapped">')[2].split(", ")
    assert len(made_up) == KNOWN, "as far as the covariates are known"
    assert set(made_up) <= {"leftovers", *DISHES}


def test_inspect_says_what_the_gates_do_at_each_symbol(kitchen):
    found = read_inspection(kitchen.store.read("kitchen", 1).side)
    assert found["window"]["symbols"] == ["<unknown>", "leftovers", *DISHES]
    [layer] = found["activations"]
    assert layer["by_symbol"]["symbols"] == ["leftovers", *DISHES]
    assert set(layer["by_symbol"]["gates"]) == {"input", "forget", "output"}
    assert len(found["made_up"].split(", ")) == KNOWN and set(found["made_up"].split(", ")) <= {"leftovers", *DISHES}
    said = kitchen.forecaster("inspect", "kitchen")
    assert "The forget gate keeps least at" in said and "waffles" in said


def test_a_better_network_is_promoted_by_its_log_loss(retrained):
    night = retrained.results["night"]
    assert night.outcome == "promoted", night.reason
    assert night.version == 2
    rivals = {one["rival"]: one for one in night.scores["comparisons"]}
    assert set(rivals) == {"champion", "most_frequent", "last", "seasonal", "bigram", "ngram"}
    assert rivals["champion"]["cutoffs"] == THEN - FIRST
    assert rivals["champion"]["loss"] < 0.5 < 1 < rivals["champion"]["rival_loss"] < 2
    assert "log loss" in night.reason
    manifest = retrained.store.read("kitchen").manifest
    assert manifest.gate["promotion"]["champion"] == 1
    assert manifest.reference["inputs"]["symbols"]["counts"].keys() == {"leftovers", *DISHES}


def test_errors_and_frequencies_are_watched(retrained):
    found = retrained.results["drift"]
    assert found["errors"]["cutoffs"] == THEN - FIRST
    assert found["errors"]["metric"] == "log_loss"
    assert set(found["inputs"]) == {"symbols", "late"}
    assert not found["inputs"]["symbols"]["drifted"]


def test_predict_goes_through_days_that_were_not_written_down(retrained):
    """Leftovers after a late evening, then the turn goes on where it was."""
    for day, dish in enumerate(["leftovers", "pizza", "sushi"]):
        date = str(pd.Timestamp("2024-01-01") + pd.Timedelta(days=THEN + day))[:10]
        said = retrained.forecaster("predict", "kitchen", "--from", date).splitlines()
        row = dict(zip(said[0].split(","), said[1].split(","), strict=True))
        assert (row["ds"][:10], row["lstm"]) == (date, dish)


def test_a_sequence_goes_on_as_far_as_the_covariates_are_known(retrained):
    assert retrained.forecaster("predict", "kitchen", "--beam", "1") == "leftovers, pizza, sushi\n"
    known = retrained.folder / "known.csv"
    dates = pd.date_range("2024-01-01", periods=THEN + 6)[THEN + KNOWN :]
    pd.DataFrame({"ds": dates, "late": [0, 0, 1]}).to_csv(known, index=False)
    told = json.loads(retrained.forecaster("predict", "kitchen", "--beam", "1", "--known", str(known), "--json"))
    assert told[0]["symbols"] == ["leftovers", "pizza", "sushi", "waffles", "pizza", "leftovers"]


@pytest.mark.parametrize(
    ("options", "fragment"),
    [
        (["--length", "5"], "known for 3 steps behind 2024-08-31 00:00:00"),
        (["--begin", "pizza, sushi"], "reads the covariates late, which a beginning does not tell"),
        (["--begin", "pizza", "--known", "known.csv"], "leave one of the two out"),
    ],
)
def test_what_cannot_be_gone_on_from(retrained, options, fragment):
    answer = CliRunner().invoke(app, ["--project", str(retrained.folder), "predict", "kitchen", *options])
    assert fragment in str(answer.exception)


@pytest.fixture(scope="module")
def live(retrained):
    """A server of what was retrained."""
    with serving(retrained.project) as live:
        yield live


def asked(live, body=None, **options):
    answer = live.client.post("/api/forecast/kitchen", json=body, **options)
    return answer.status_code, answer.json()


def test_the_served_forecast_is_that_of_predict(retrained, live):
    status, told = asked(live)
    panel = load(read_pipeline(retrained.folder / "kitchen.yaml").data, retrained.folder, retrained.folder)
    said = PublishedSymbols(retrained.store.read("kitchen")).predict(panel).iloc[0]
    [step] = told["forecasts"]
    assert (status, told["version"], told["unknown"]) == (200, 2, [])
    assert (step["ds"], step["forecast"]) == (said["ds"].isoformat(), said["lstm"])
    named = {one["symbol"]: one["probability"] for one in step["likeliest"]}
    assert named == pytest.approx({said[name]: said[f"{name}-p"] for name in ("lstm", "lstm-2", "lstm-3")}, abs=1e-6)


def test_recent_dinners_are_rows_or_csv_and_strange_ones_are_told(live):
    rows = [
        {"ds": "2025-03-01", "dinner": "pizza", "late": 0},
        {"ds": "2025-03-02", "dinner": "fondue", "late": 0},
        {"ds": "2025-03-03", "dinner": None, "late": 1},
    ]
    status, told = asked(live, {"observations": rows, "top": 5})
    [step] = told["forecasts"]
    assert (status, step["ds"], step["cutoff"]) == (200, "2025-03-03T00:00:00", "2025-03-02T00:00:00")
    assert (step["forecast"], told["unknown"]) == ("leftovers", ["fondue"])
    assert sum(one["probability"] for one in step["likeliest"]) == pytest.approx(1, abs=1e-5)
    text = "ds,dinner,late\n" + "".join(f"{row['ds']},{row['dinner'] or ''},{row['late']}\n" for row in rows)
    same = live.client.post("/api/forecast/kitchen?top=5", content=text, headers={"Content-Type": "text/csv"}).json()
    assert same == told
    known = {"observations": rows[:2], "known": [{"ds": "2025-03-03", "late": 1}], "top": 5}
    assert asked(live, known)[1]["forecasts"] == told["forecasts"]


@pytest.mark.parametrize(
    ("body", "fragment"),
    [
        ({"levels": [80]}, "symbols have no intervals"),
        ({"text": "pizza sushi"}, "was not trained on a text"),
        ({"symbols": ["pizza"], "text": "pizza"}, "text and symbols are both there"),
        ({"observations": [{"ds": "2025-03-01", "dinner": "pizza", "late": 0}]}, "do not reach over the horizon"),
        ({"observations": [{"ds": "2025-03-01", "dinner": None, "late": 0}]}, "no symbol at all"),
        ({"top": 0}, "top"),
    ],
)
def test_what_cannot_be_forecast_is_refused_in_words(live, body, fragment):
    status, told = asked(live, body)
    assert status == 400
    assert fragment in told["error"]


def test_strings_go_through_tensorflow_servings_protocol(retrained, live):
    eaten = dinners(THEN)
    past = eaten["dinner"][THEN - 14 : THEN].tolist()
    pizza = {"b64": base64.b64encode(past[-1].encode()).decode()}
    instance = {
        "past": [*past[:-1], pizza], "past_known": [[float(late)] for late in eaten["late"][THEN - 14 : THEN]],
        "known": [[float(eaten["late"][THEN])]], "seed": 1,
    }  # fmt: skip
    told = live.client.post("/v1/models/kitchen:predict", json={"instances": [instance]}).json()["predictions"][0]
    [step] = asked(live)[1]["forecasts"]
    assert told["symbols"][0][0] == step["forecast"]
    assert told["top_probabilities"][0][0] == pytest.approx(step["probability"], abs=1e-6)


def test_the_dashboard_shows_bars_scores_and_versions(live, caplog):
    front = live.client.get("/").text
    assert "Log loss" in front and "kitchen" in front
    page = live.client.get("/pipelines/kitchen").text
    assert "Accuracy" in page and "best n-gram" in page and "The forget gate keeps least at" in page
    made_up = page.split('<pre class="made-up">')[1].split("</pre>")[0].split(", ")
    assert len(made_up) == KNOWN and set(made_up) <= {"leftovers", *DISHES}
    told = live.client.get("/pipelines/kitchen/outlook").json()
    assert told["kind"] == "symbols" and told["colours"] == ["leftovers", *DISHES]
    assert len(told["past"]) == 28 and len(told["next"]) == 1
    last = told["past"][-1]
    assert last["came"] == dinners(THEN)["dinner"][THEN - 1]
    assert last["given"] == pytest.approx(dict(last["named"])[last["came"]])
    assert told["tally"]["steps"] == 28 and told["tally"]["hits"] > 24
    assert "are not used" not in caplog.text, "nobody asked to leave them out"


def test_a_rollback_publishes_the_first_version_again(retrained):
    retrained.forecaster("models", "rollback", "kitchen")
    store = retrained.store
    assert store.champion("kitchen") == 3
    one, three = (store.read("kitchen", number).manifest for number in (1, 3))
    assert one.files["served/saved_model.pb"] == three.files["served/saved_model.pb"]
