"""What the groups of a split pipeline come to together: what all their series would have come to as one."""

import numpy as np
import pandas as pd
import pytest

from forecaster.config import PipelineDefinition, Project, read_pipeline
from forecaster.errors import DefinitionError, Interrupted
from forecaster.evaluation import leaderboard, scales
from forecaster.evaluation.metrics import counted
from forecaster.lifecycle.retraining import retrain
from forecaster.pipeline import run
from forecaster.pipeline.group_run import finished as ended
from forecaster.pipeline.group_run import run_groups, together
from forecaster.pipeline.groups import refuse_namesake
from forecaster.pipeline.result import records
from forecaster.series import Columns, panel_from_frame
from forecaster.store import Store
from tests.evaluation.doubles import backtest_frame, fitting_panel
from tests.pipeline.conftest import write_project

MODELS = ["naive", "gru"]
METRICS = ["mase", "smape", "rmse", "coverage-80"]
ALL = [f"s{number}" for number in range(6)]
FRAME = backtest_frame(MODELS, series=6, cutoffs=3, missing=0)


def known(constant: list[str]):
    """The fitting part, in which some series never change."""
    frame = fitting_panel(series=6, missing=0).frame()
    return frame.assign(y=np.where(frame["unique_id"].isin(constant), 5.0, frame["y"]))


def judged(constant: list[str], names: list[str]) -> tuple[pd.DataFrame, dict[str, int]]:
    """The leaderboard of some series, and how many count in each metric."""
    table = known(constant)
    panel = panel_from_frame(table[table["unique_id"].isin(names)], Columns(id="unique_id"))
    frame = FRAME[FRAME["unique_id"].isin(names)]
    return leaderboard(frame, panel, season=1), counted(frame, scales(panel, 1))


def group(label: str, constant: list[str], names: list[str]):
    table, count = judged(constant, names)
    told = {"facts": {"series": len(names)}, "leaderboard": records(table), "gate": {"model": "gru"}, "counted": count}
    return ended(label, label, told)


@pytest.mark.parametrize("constant", [ALL[1:4], ALL[:4], ["s5"], []])
def test_split_or_not_the_scores_are_the_same_also_where_series_have_no_scale(constant):
    board = together([group("a", constant, ALL[:4]), group("b", constant, ALL[4:])]).set_index("model")
    whole = judged(constant, ALL)[0].set_index("model")
    assert board.loc[MODELS, METRICS].to_numpy() == pytest.approx(whole.loc[MODELS, METRICS].to_numpy())
    assert np.isfinite(board.loc["chosen", "skill"]) and list(board.loc["chosen", METRICS]) == list(
        board.loc["gru", METRICS]
    )


def test_where_no_series_has_a_scale_there_is_no_mase_and_the_others_stay():
    board = together([group("a", ALL, ALL[:4]), group("b", ALL, ALL[4:])]).set_index("model")
    assert board["mase"].isna().all() and np.isfinite(board[METRICS[1:]].to_numpy()).all()


@pytest.mark.parametrize("fit", [run, retrain])
def test_a_group_does_not_publish_over_a_pipeline_without_groups_nor_the_other_way_round(finished, fit):
    """Told before the data are read."""
    _, project, plain = finished
    groups = {"path": "sales.csv", "id": "shop", "groups": {"by": "region", "only": "north"}}
    group = PipelineDefinition(name="small", data=groups, horizon=24)
    words = r"small: version 1 is that of a pipeline without groups, and this is a pipeline's group \(north\); give one"
    with pytest.raises(DefinitionError, match=words):
        fit(group, project, base=project.root)
    published = Store(project.store).manifest("small")
    refuse_namesake(plain, published)
    other = published.model_copy(update={"definition": group.model_dump(mode="json")})
    refuse_namesake(group, other)
    with pytest.raises(DefinitionError, match="version 1 is that of a pipeline's group"):
        refuse_namesake(plain, other)


@pytest.fixture
def split(tmp_path):
    """A pipeline of two groups."""
    file = write_project(tmp_path, data={"path": "sales.csv", "id": "shop", "groups": {"by": "region"}}, horizon=6)
    table = pd.DataFrame({"shop": ["a", "b"], "region": ["north", "south"], "ds": "2024-01-01", "y": 1.0})
    table.to_csv(tmp_path / "sales.csv", index=False)
    return read_pipeline(file)


def gone_through(definition, folder, cut=False, **asked):
    """The groups that are done anew; with `cut` the run ends behind the first. What is forced is published."""
    done = []

    def work(members):
        for label, member in members.items():
            done.append(label)
            told = group(label, [], ALL[:2]).result
            published = {"version": 1} if asked.get("force") else None
            yield ended(label, str(member.name), {**told, "published": published})
            if cut:
                raise Interrupted("stopped")

    try:
        run_groups(definition, Project(folder), folder, work, **asked)
    except Interrupted:
        assert cut
    return done


@pytest.mark.parametrize(
    ("before", "now", "anew"),
    [
        ({}, {}, False),
        ({"publishing": False}, {"publishing": False}, False),
        ({"publishing": False}, {}, True),
        ({}, {"publishing": False}, True),
        ({}, {"force": True}, True),
        ({"force": True}, {"force": True}, False),
        ({"force": True}, {}, False),
    ],
)
def test_what_an_interrupted_run_did_is_left_out_where_no_more_is_asked_for_now(split, tmp_path, before, now, anew):
    assert gone_through(split, tmp_path, cut=True, **before) == ["north"]
    assert gone_through(split, tmp_path, resume=True, **now) == (["north", "south"] if anew else ["south"])


def test_another_definition_begins_anew_and_says_so_and_a_schedule_changes_nothing(split, tmp_path, caplog):
    gone_through(split, tmp_path, cut=True)
    scheduled = read_pipeline(tmp_path / "small.yaml").model_copy(update={"keep": 2, "schedule": None})
    assert gone_through(scheduled, tmp_path, cut=True, resume=True) == ["south"] and not caplog.text
    other = split.model_copy(update={"horizon": 7})
    assert gone_through(other, tmp_path, resume=True) == ["north", "south"]
    assert "2 outcomes of another run (another definition, other data, other code" in caplog.text


@pytest.mark.parametrize("damage", [lambda _: b"", lambda told: told[:30]])
def test_a_torn_outcome_is_none(split, tmp_path, damage, caplog):
    gone_through(split, tmp_path, cut=True)
    [file] = (tmp_path / "models/store/.checkpoints/small.groups").glob("*.json")
    file.write_bytes(damage(file.read_bytes()))
    assert gone_through(split, tmp_path, resume=True) == ["north", "south"]
    assert "small-north.json: cannot be read" in caplog.text
