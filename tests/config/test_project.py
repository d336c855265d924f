import pytest

from forecaster.config import ModelDefinition, PipelineDefinition, Project
from forecaster.errors import DefinitionError


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.delenv("FORECASTER_PROJECT", raising=False)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "small.yaml").write_text("network: gru\nunits: 8\n")
    (tmp_path / "models" / "lstm.yaml").write_text("network: lstm\nunits: 16\n")
    return Project(tmp_path)


def entries(*models):
    return PipelineDefinition(data={"path": "a.csv"}, horizon=1, models=list(models)).models


class TestFind:
    def test_the_folder_that_was_given_comes_first(self, project, tmp_path, monkeypatch):
        monkeypatch.setenv("FORECASTER_PROJECT", "/")
        found = Project.find(tmp_path, start=tmp_path / "models")
        assert (found.root, found.found_by) == (tmp_path.resolve(), "--project")

    def test_then_the_variable(self, project, tmp_path, monkeypatch):
        monkeypatch.setenv("FORECASTER_PROJECT", str(tmp_path))
        found = Project.find(start=tmp_path / "models")
        assert (found.root, found.found_by) == (tmp_path.resolve(), "FORECASTER_PROJECT")

    def test_then_the_nearest_parent_that_holds_models(self, project, tmp_path):
        inner = tmp_path / "a" / "b"
        inner.mkdir(parents=True)
        assert Project.find(start=inner).root == tmp_path.resolve()
        (tmp_path / "a" / "models").mkdir()
        assert Project.find(start=inner).root == (tmp_path / "a").resolve()

    def test_else_the_working_directory(self, tmp_path, monkeypatch):
        monkeypatch.delenv("FORECASTER_PROJECT", raising=False)
        monkeypatch.chdir(tmp_path)
        found = Project.find()
        assert found.root == tmp_path.resolve()
        assert "no parent holds models/" in found.found_by

    @pytest.mark.parametrize("by", ["--project", "FORECASTER_PROJECT"])
    def test_a_folder_that_does_not_exist(self, project, tmp_path, monkeypatch, by):
        nowhere = tmp_path / "nowhere"
        monkeypatch.setenv("FORECASTER_PROJECT", str(nowhere))
        with pytest.raises(DefinitionError, match=f"{by}: .*nowhere is no folder; name the folder that holds models/"):
            Project.find(nowhere if by == "--project" else None)

    def test_folders(self, project, tmp_path):
        assert (project.models, project.store) == (tmp_path / "models", tmp_path / "models" / "store")


class TestModel:
    def test_a_word_is_a_file_in_models(self, project):
        assert project.model("small") == ModelDefinition(network="gru", units=8, name="small")

    def test_a_file_goes_before_the_program_s_own_network(self, project):
        assert project.model("lstm").units == 16

    def test_without_a_file_the_program_s_own_network_has_its_defaults(self, project):
        assert project.model("gru") == ModelDefinition(network="gru", name="gru")

    def test_without_a_folder_too(self, tmp_path):
        assert project_names(Project(tmp_path / "nowhere")) == ["simple_rnn", "lstm", "gru", "custom_lstm"]

    def test_a_path(self, project, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path / "models")
        for entry in ("models/small.yaml", "small.yaml", str(tmp_path / "models" / "small.yaml")):
            assert project.model(entry).name == "small"

    @pytest.mark.parametrize(("network", "name"), [("gru", "gru"), ("my.module:build", "build")])
    def test_one_in_place_is_called_by_its_network(self, project, network, name):
        (entry,) = entries({"network": network})
        assert project.model(entry).name == name

    def test_a_change_of_another(self, project):
        (entry,) = entries({"extends": "small", "name": "smaller", "units": 4})
        assert project.model(entry) == ModelDefinition(network="gru", units=4, name="smaller")

    @pytest.mark.parametrize(
        ("entry", "fragments"),
        [
            ("lsmt", ["'lsmt' is neither a file in", "(lstm, small)", "nor one of simple_rnn", "did you mean lstm?"]),
            ("quantum", ["'quantum' is neither a file"]),
            ("models/none.yaml", ["models/none.yaml: no such file"]),
            ("./", ["is a folder"]),
        ],
    )
    def test_none_of_that_name(self, project, entry, fragments):
        with pytest.raises(DefinitionError) as error:
            project.model(entry)
        assert all(fragment in str(error.value) for fragment in fragments), error.value

    def test_a_file_with_a_mistake(self, project):
        (project.models / "bad.yaml").write_text("network: gru\nunitz: 3\n")
        with pytest.raises(
            DefinitionError, match=r"bad.yaml:2: unitz: unknown key, did you mean units\? known here: name,"
        ):
            project.model("bad")


def project_names(project, *models):
    return [model.name for model in project.definitions(entries(*models) if models else entries_by_default())]


def entries_by_default():
    return PipelineDefinition(data={"path": "a.csv"}, horizon=1).models


class TestDefinitions:
    def test_in_the_order_of_the_pipeline(self, project):
        assert project_names(project, "small", {"extends": "lstm", "name": "tuned"}, "gru") == ["small", "tuned", "gru"]

    @pytest.mark.parametrize(
        ("models", "name"),
        [
            (["lstm", "lstm"], "lstm"),
            (["lstm", {"extends": "lstm", "steps": 3}], "lstm"),
            (["gru", {"network": "gru", "units": 3}], "gru"),
            ([{"network": "gru", "name": "small"}, "small"], "small"),
        ],
    )
    def test_two_of_one_name(self, project, models, name):
        with pytest.raises(DefinitionError, match=f"two are called '{name}'; give one of them another `name`"):
            project_names(project, *models)

    @pytest.mark.parametrize("name", ["naive", "seasonal_naive", "ridge"])
    def test_the_name_of_a_baseline(self, project, name):
        with pytest.raises(DefinitionError, match=f"'{name}' is the name of a baseline; give the model another `name`"):
            project_names(project, {"network": "gru", "name": name})

    @pytest.mark.parametrize("name", ["y", "cutoff", "series", "metric", "chosen"])
    def test_the_name_of_a_column(self, project, name):
        with pytest.raises(DefinitionError, match=f"'{name}' is a column of the results"):
            project_names(project, {"network": "gru", "name": name})
