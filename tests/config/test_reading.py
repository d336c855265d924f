import datetime as dt
import json

import pytest

from forecaster.config import (
    FileData,
    ModelDefinition,
    PipelineDefinition,
    TickerData,
    read_model,
    read_pipeline,
    schema,
)
from forecaster.config.reading import parse
from forecaster.errors import DefinitionError

GOOD = "data: {path: a.csv}\nhorizon: 4\n"


@pytest.fixture
def written(tmp_path):
    def write(content, name="demand.yaml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def faults(path, read=read_pipeline):
    """The lines of the message, without the path."""
    with pytest.raises(DefinitionError) as error:
        read(path)
    return [line.removeprefix(str(path)).removeprefix(":").lstrip() for line in str(error.value).splitlines()]


class TestPipeline:
    def test_two_keys_are_enough(self, written):
        pipeline = read_pipeline(written(GOOD))
        assert pipeline.name == "demand"
        assert pipeline.data == FileData(path="a.csv")
        assert pipeline.horizon == 4
        assert pipeline.models == ["simple_rnn", "lstm", "gru", "custom_lstm"]
        assert pipeline.levels == [80, 95]

    def test_a_name_of_its_own(self, written):
        assert read_pipeline(written(GOOD + "name: other\n")).name == "other"
        assert read_pipeline(written(GOOD + "name:\n")).name == "demand"

    @pytest.mark.parametrize(("season", "read"), [("auto", "auto"), ("48", 48), ("[48, 336]", [48, 336])])
    def test_seasons(self, written, season, read):
        assert read_pipeline(written(GOOD + f"season: {season}\n")).season == read

    def test_tickers(self, written):
        content = "data: {source: ticker, symbols: [AAPL, 'ON'], start: 2015-01-01, past: [Volume]}\nhorizon: 5\n"
        data = read_pipeline(written(content)).data
        assert isinstance(data, TickerData)
        assert (data.symbols, data.start, data.target) == (["AAPL", "ON"], dt.date(2015, 1, 1), "Close")

    def test_models_by_name_by_change_and_in_place(self, written):
        content = (
            GOOD + "models:\n- lstm\n- {extends: gru, units: 8, name: small}\n- {network: my.package:build, units: 9}\n"
        )
        name, variant, definition = read_pipeline(written(content)).models
        assert name == "lstm"
        assert (variant.extends, variant.model_extra) == ("gru", {"units": 8, "name": "small"})
        assert definition == ModelDefinition(network="my.package:build", units=9)

    def test_what_was_read_can_be_written_and_read_again(self, written):
        content = GOOD + "models: [lstm, {extends: gru, units: 8}, {network: gru}]\nseason: [2, 4]\n"
        pipeline = read_pipeline(written(content))
        stored = json.loads(json.dumps(pipeline.model_dump(mode="json")))
        assert parse(stored, PipelineDefinition, "manifest.json") == pipeline

    def test_a_byte_order_mark_and_windows_lines(self, written):
        assert read_pipeline(written(("\ufeff" + GOOD).replace("\n", "\r\n"))).horizon == 4


class TestModel:
    def test_its_name_is_the_file_s(self, written):
        model = read_model(written("network: gru\nunits: 7\n", "small.yaml"))
        assert (model.name, model.network, model.units) == ("small", "gru", 7)

    def test_a_name_of_its_own(self, written):
        assert read_model(written("network: gru\nname: other\n")).name == "other"

    @pytest.mark.parametrize("network", ["lstm", "my_package.module:build", "module:Build2"])
    def test_networks(self, written, network):
        assert read_model(written(f"network: {network}\n")).network == network


ONE_FAULT = {
    "season: 0": "season: should be greater than 0, a list or 'auto'; found 0",
    "season: weekly": "season: should be a whole number, a list or 'auto'; found 'weekly'",
    "season: [48, 0]": "season[1]: should be greater than 0; found 0",
    "season: []": "season: should be a whole number, a list of at least 1 or 'auto'; found []",
    "lookback: -3": "lookback: should be greater than 0 or 'auto'; found -3",
    "lookback: 1.5": "lookback: should be a whole number or 'auto'; found 1.5",
    "seed: 1e3": "seed: should be a whole number; found '1e3'",
    "seed: -1": "seed: should be at least 0; found -1",
    "levels: 80": "levels: should be a list; found 80",
    "levels: [80, 100]": "levels[1]: should be at most 99.999; found 100",
    "levels: [0]": "levels[0]: should be at least 0.001; found 0",
    "levels: [80, 99.9999]": "levels[1]: should be at most 99.999; found 99.9999",
    "levels: [80, 80]": "levels: 80.0 is there twice; write each once",
    "levels: []": "levels: should be a list of at least 1; found []",
    "metrics: [mase, mse]": "metrics[1]: should be 'mase', 'smape', '",
    "metrics: [rmse, mase, rmse]": "metrics: rmse is there twice; write each once",
    "baselines: [ridge]": "baselines: no naive forecast to compare with; add one of naive, seasonal_naive, drift",
    "promote: {metric: rmse}\nmetrics: [mase]": "promote: metric 'rmse' is not among metrics ['mase']; add it there",
    "promote: {significance: 1}": "promote.significance: should be less than 1; found 1",
    "promote: yes": "promote: should be a mapping of keys; found True",
    "backtest: {windows: 0}": "backtest.windows: should be greater than 0 or 'auto'; found 0",
    "backtest: {refit: maybe}": "backtest.refit: should be true or false; found 'maybe'",
    "models: [{network: lsdm}]": "models[0].network: 'lsdm' is no network (did you mean lstm?); write simple_rnn, lstm",
    "models: [{network: 'a b'}]": "models[0].network: 'a b' is no network; write",
    "models: [5]": "models[0]: should be a name in models/, a path, or a mapping with `network` or `extends`",
    "models: lstm": "models: should be a list; found 'lstm'",
    "models: []": "models: should be a list of at least 1; found []",
    "models: [{units: 3}]": "models[0].network: missing; it has no default",
    "models: [{extends: 3}]": "models[0].extends: should be text; found 3; write it in quotes",
    "models: [{extends: lstm, dropout: 1}]": "models[0].dropout: should be less than 1; found 1",
    "models: [{extends: lstm, unit: 3}]": "models[0].unit: unknown key, did you mean units? known here: extends, name,",
    "name: a b": "name: 'a b' cannot be a name; write letters, digits, dots, _ and single -, 80 at most",
    "name: 2024-01-01": "name: should be text; found 2024-01-01; write it in quotes",
    "horizn: 3": "horizn: unknown key, did you mean horizon? known here: name, data, horizon, lookback, season",
    "zzz: 3": "zzz: unknown key; known here: name, data, horizon",
    "backtest: {stp: 3}": "backtest.stp: unknown key, did you mean step? known here: windows, step, refit",
    "5: 3": "[5]: a key must be text; write it in quotes",
}


@pytest.mark.parametrize(("extra", "message"), ONE_FAULT.items(), ids=ONE_FAULT)
def test_one_mistake_is_one_readable_line(written, extra, message):
    (told,) = faults(written(GOOD + extra + "\n"))
    line, _, rest = told.partition(" ")
    assert rest.startswith(message) if line == "3:" else told.startswith(message)
    assert line == "3:" or extra == "5: 3"


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        ("{}", ["1: data.path: missing; it has no default"]),
        ("a.csv", ["1: data: should be a mapping of keys; found 'a.csv'"]),
        ("{path: a, source: tiker}", ["1: data: source should be 'csv', 'parquet', 'ticker' or 'text'"]),
        ("{path: a, source: [csv]}", ["1: data: source should be 'csv', 'parquet', 'ticker' or 'text'"]),
        ("{path: a, freq: 0}", ["1: data.freq: should be text or greater than 0; found 0"]),
        ("{path: a, id: 5}", ["1: data.id: should be text; found 5; write it in quotes"]),
        ("{path: a, known: promo}", ["1: data.known: should be a list; found 'promo'"]),
        (
            "{path: a, tme: x}",
            ["1: data.tme: unknown key, did you mean time? known here: source, kind, path, id, time"],
        ),
        ("{path: a, file: x}", ["1: data.file: unknown key"]),
        ("{path: a, missing: drop}", ["1: data.missing: should be 'mask', 'interpolate', 'forward' or 'error'"]),
        ("{path: a, decimal: x}", ["1: data.decimal: should be '.' or ','; found 'x'"]),
        ("{path: a, decimal: ',', thousands: ','}", ["1: data.thousands: is ',' as `decimal` is; write another"]),
        ("{path: a, layout: tall}", ["1: data.layout: should be 'long' or 'wide'; found 'tall'"]),
        ("{path: a, separator: ab}", ["1: data.separator: should be one character; found 'ab'"]),
        ("{source: ticker}", ["1: data.symbols: missing"]),
        ("{source: ticker, symbols: []}", ["1: data.symbols: should be a list of at least 1"]),
        ("{source: ticker, symbols: [ON]}", ["1: data.symbols[0]: should be text; found True; write it in quotes"]),
        ("{source: ticker, symbols: [A], start: soon}", ["1: data.start: should be a date such as 2015-01-31"]),
        ("{source: ticker, symbols: [A], path: x}", ["1: data.path: unknown key"]),
        ("{source: ticker, symbols: [A], target: close}", ["1: data.target: should be 'Open', 'High', 'Low', 'Close'"]),
    ],
)
def test_mistakes_in_the_data_block(written, data, messages):
    told = faults(written(f"data: {data}\nhorizon: 4\n"))
    assert len(told) == len(messages)
    assert all(line.startswith(message) for line, message in zip(told, messages, strict=True)), told


def test_all_mistakes_are_told_at_once_in_the_order_of_the_lines(written):
    content = """\
data:
  path: a.csv
  tme: day
horizon: 4.5
horizon: 4
models:
  - lstm
  - extends: lstm
    unitz: 3
    steps: 0
lookback: -3
horizn: 48
levels: [80, 120]
"""
    told = faults(written(content))
    assert [line.split(" ")[:2] for line in told] == [
        ["5:", "horizon:"],
        ["3:", "data.tme:"],
        ["9:", "models[1].unitz:"],
        ["10:", "models[1].steps:"],
        ["11:", "lookback:"],
        ["12:", "horizn:"],
        ["13:", "levels[1]:"],
    ]


def test_what_is_missing_has_no_line(written):
    assert faults(written("horizn: 3\n"))[:2] == [
        "data: missing; it has no default",
        "horizon: missing; it has no default",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; write `key: value` lines"),
        ("# nothing yet\n", "is empty"),
        ("- a\n", "holds a list, not a mapping"),
        ("5\n", "holds a number, not a mapping"),
        ("some words\n", "holds text, not a mapping"),
        ("data: {path: a\n", "2: not valid YAML: while parsing a flow mapping, expected ',' or '}'"),
        ("data:\n\tpath: a\n", "2: not valid YAML: while scanning for the next token, found character '\\t'"),
        ("a: 1\n---\nb: 2\n", "2: not valid YAML: expected a single document"),
        ("a: &a [*a]\n", "holds itself through an alias"),
        ("a: !!python/object/apply:os.getcwd []\n", "1: not valid YAML: could not determine a constructor"),
        ("[a]: 1\n", "1: not valid YAML: while constructing a mapping, found unhashable key"),
        (b"name: \xff\n", "cannot be read as UTF-8 text"),
    ],
)
def test_what_is_no_mapping(written, content, message):
    (told,) = faults(written(content))
    assert told.startswith(message), told


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD + "horizon: 5\n", "3: horizon: given twice; keep one"),
        ("data: {path: a, path: b}\nhorizon: 4\n", "1: path: given twice; keep one"),
        (GOOD + "models:\n- network: gru\n  units: 3\n  units: 4\n", "6: units: given twice; keep one"),
    ],
)
def test_keys_given_twice(written, content, message):
    assert faults(written(content)) == [message]


@pytest.mark.parametrize("read", [read_pipeline, read_model])
def test_files_that_are_not_there(tmp_path, read):
    assert faults(tmp_path / "none.yaml", read) == ["no such file; give the path of a YAML file"]
    assert faults(tmp_path, read) == ["is a folder; give the path of a YAML file in it"]


@pytest.mark.parametrize(("read", "content"), [(read_pipeline, GOOD), (read_model, "network: gru\n")])
def test_a_file_name_that_can_be_no_name(written, read, content):
    (told,) = faults(written(content, "my file.yaml"), read)
    assert told.startswith("name: 'my file' cannot be a name")
    assert read(written(content + "name: mine\n", "my file.yaml")).name == "mine"


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("energy_demand", True), ("AAPL", True), ("a-b.c", True), ("0", True), ("", False), ("-a", False), ("a--b", False),
     ("a/b", False), ("..", False), (".a", False), ("a" * 80, True), ("a" * 81, False), ("a\n", False), ("é", False)],
)  # fmt: skip
def test_names(name, allowed):
    content = {"name": name, "data": {"path": "a"}, "horizon": 1}
    if allowed:
        assert parse(content, PipelineDefinition, "a.yaml").name == name
    else:
        with pytest.raises(DefinitionError, match="cannot be a name"):
            parse(content, PipelineDefinition, "a.yaml")


def test_schemas_are_json_and_know_the_keys():
    schemas = json.loads(json.dumps(schema()))
    assert schemas["pipeline"]["required"] == ["data", "horizon"]
    assert set(schemas["pipeline"]["properties"]) == set(PipelineDefinition.model_fields)
    assert schemas["model"]["required"] == ["network"]
    assert schemas["model"]["properties"]["network"]["pattern"].startswith("^(simple_rnn|lstm")
