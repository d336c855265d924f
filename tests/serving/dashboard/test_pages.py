"""The pages' HTML: what they say, that they stand what is damaged or absent, and that nothing is let through."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from forecaster.config import Project
from forecaster.serving.settings import Settings
from forecaster.store import Store
from forecaster.store.ledger import Ledger
from tests.serving.live import serving
from tests.serving.published import publish

VOID = {"meta", "link", "input", "br", "rect", "line", "img"}


class Outline(HTMLParser):
    """Checks that elements are closed as they were opened, and collects what a screen reader goes by."""

    def __init__(self, code):
        super().__init__()
        self.open, self.ids, self.labels, self.found, self.attributes = [], set(), set(), [], []
        self.feed(code)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.found.append((tag, told))
        self.ids.add(told.get("id"))
        self.labels.add(told.get("for"))
        self.attributes += told
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def page(live, path, status=200):
    answer = live.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    return answer.text


def words(code):
    return " ".join(re.sub(r"<[^>]*>", " ", code).split())


def test_the_front_page_has_the_troubled_ones_first(shown):
    code = page(shown, "/")
    rows = re.findall(r'<tr><th scope="row">.*?</tr>', code, re.S)
    assert [re.search("/pipelines/([a-z]+)", row)[1] for row in rows] == ["wrong", "walk"]
    assert "failing" in rows[0] and "horison" in rows[0]
    told = words(rows[1])
    for part in (
        "drifting",
        "errors have grown",
        "2 walk",
        "MASE 0.5000",
        "+25.0 %",
        "beats the naive forecasts",
        "kept",
    ):
        assert part in told
    assert "03:00 UTC" in told, "when it is due next"


def test_a_pipeline_page_says_all_there_is(shown):
    told = words(page(shown, "/pipelines/walk"))
    for part in (
        "drifting", "errors have grown", "version 2, walk", "2 champion", "1 challenger",
        "walk beats &lt;b&gt;all&lt;/b&gt;.",
        "&lt;naive&gt;", "79.0 %", "the champion &lt;i&gt;is&lt;/i&gt; better", "0.400", "1 of 3",
        "1 min 15 s", "forget gate", "5 units, one above the other, 12 steps",
        "vanishing: beyond 12", "try &lt;b&gt;this&lt;/b&gt;", "CSV file",
    ):  # fmt: skip
        assert part in told, part


@pytest.mark.parametrize("path", ["/", "/pipelines/walk", "/pipelines/wrong"])
def test_pages_can_be_used_without_a_mouse_or_eyes_and_need_no_inline_code(shown, path):
    code = page(shown, path)
    outline = Outline(code)
    tags = [tag for tag, _ in outline.found]
    assert {"main", "header", "footer", "nav", "h1", "title"} <= set(tags)
    assert tags.count("table") == tags.count("caption")
    for tag, told in outline.found:
        if tag in ("input", "select"):
            assert told["id"] in outline.labels
        if tag == "svg":
            assert (told.get("role") == "img" and told["aria-label"]) or told.get("aria-hidden") == "true"
        if tag == "img":
            assert told["alt"]
        if tag == "a" and told.get("href", "").startswith("#"):
            assert told["href"][1:] in outline.ids
        assert not told.get("src", "").startswith("http") and not told.get("href", "").startswith("http")
    assert "style" not in tags and "style" not in outline.attributes
    assert not [name for name in outline.attributes if name.startswith("on")]
    assert all(told.get("src") for tag, told in outline.found if tag == "script")


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(shown):
    policy = shown.client.get("/").headers["content-security-policy"]
    assert "unsafe" not in policy and "http" not in policy and "default-src 'none'" in policy


def test_the_plot_is_the_forecast_of_the_api(shown):
    told = shown.client.get("/pipelines/walk/outlook").json()
    api = shown.client.post("/api/forecast/walk").json()
    assert told["forecast"]["y"] == [step["forecast"] for step in api["forecasts"]] == [23.0, 23.0, 23.0]
    assert [band["level"] for band in told["forecast"]["bands"]] == ["95", "80"]
    assert told["forecast"]["bands"][0]["lo"] == [21.0] * 3
    assert told["history"]["y"][-3:] == [21.0, 22.0, 23.0]
    assert told["forecast"]["x"][0] - told["history"]["x"][-1] == 3_600_000


def test_a_file_of_ones_own_is_drawn_over_its_own_past(shown):
    rows = "".join(
        f"{name},2024-02-01T{hour:02d}:00,{hour + more}\n" for name, more in (("a", 0), ("b", 50)) for hour in range(8)
    )
    told = shown.client.post("/api/outlook/walk?series=b", content="unique_id,ds,y\n" + rows)
    assert told.status_code == 400 and "unique_id" in told.json()["error"], "the training data have one series"
    told = shown.client.post("/api/outlook/walk", content="ds,y\n" + rows[: rows.index("b")].replace("a,", "")).json()
    assert told["history"]["y"] == list(range(8)) and told["forecast"]["y"] == [7.0] * 3
    assert [one["y"] for one in told["past"]] == [[4.0] * 3], "from the value then; 5, 6 and 7 came"
    assert shown.client.post("/api/outlook/walk", content="").status_code == 400
    assert shown.client.post("/api/outlook/none", content="ds,y").status_code == 404


def test_the_log_says_what_a_user_left_out_and_not_what_the_page_itself_did(shown, caplog):
    rows = "ds,y\n" + "".join(f"2024-02-01T{hour:02d}:00,{hour}\n" for hour in range(12))
    with caplog.at_level("WARNING", "forecaster"):
        assert len(shown.client.post("/api/outlook/walk", content=rows).json()["past"]) == 2
        assert "are not used" not in caplog.text
        assert shown.client.post("/api/forecast/walk", json={"start": "2024-01-03"}).status_code == 200
    assert "values from 2024-01-03 00:00:00 on are not used" in caplog.text


def test_a_gap_before_several_past_forecasts_is_told_of_once(shown, caplog):
    """Forecasts of three steps: of the hours from 6 on none was observed until the last one."""
    hours = [*range(6), 20]
    rows = "ds,y\n" + "".join(f"2024-02-01T{hour:02d}:00,{hour}\n" for hour in hours)
    with caplog.at_level("WARNING", "forecaster"):
        assert len(shown.client.post("/api/outlook/walk", content=rows).json()["past"]) > 3
    [told] = [record.getMessage() for record in caplog.records]
    assert told.startswith("walk, earlier forecasts: 12 steps before the start were not observed")


def test_past_forecasts_are_made_from_what_was_known_then(shown):
    past = shown.client.get("/pipelines/walk/outlook").json()["past"]
    assert [one["y"] for one in past[:2]] == [[20.0] * 3, [17.0] * 3], "the last value before each origin"
    assert (past[0]["error"], past[0]["naive"]) == (2.0, 2.0), "truth 21, 22, 23"
    assert past[0]["inside"] == {"80": pytest.approx(1 / 3), "95": pytest.approx(2 / 3)}
    assert [one["learnt"] for one in past] == [False, False, False, True, True, True, True]


@pytest.mark.parametrize(
    ("path", "status", "fragment"),
    [
        ("/pipelines/none/outlook", 404, "none"),
        ("/pipelines/walk/outlook?series=other", 404, "no series 'other'"),
        ("/static/../app.py", 404, "there is no"),
        ("/static/routes.py", 404, "there is no file"),
    ],
)
def test_what_is_not_there_is_said(shown, path, status, fragment):
    answer = shown.client.get(path)
    assert answer.status_code == status and fragment in answer.json()["error"]


@pytest.mark.parametrize("name", ["none", "%2e%2e", "a%00b", "%E2%80%AE<script>", "x" * 300])
def test_an_unknown_pipeline_is_a_page_too(shown, name):
    code = page(shown, f"/pipelines/{name}", 404)
    assert "There is no pipeline" in code and "<script>" not in code.replace('<script type="module"', "")


def test_static_files_are_kept_by_the_browser_until_they_change(shown):
    first = shown.client.get("/static/chart.js")
    assert first.status_code == 200 and first.headers["content-type"].startswith("text/javascript")
    again = shown.client.get("/static/chart.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_an_empty_project_is_told_what_to_do_and_stays_empty(tmp_path):
    with serving(Project(tmp_path)) as live:
        assert "forecaster run" in page(live, "/")
        page(live, "/pipelines/walk", 404)
    assert not (tmp_path / "models" / "store" / "ledger.sqlite").exists(), "looking at a page makes no ledger"


def test_what_is_damaged_is_shown_and_hides_nothing_else(saved, tmp_path):
    (tmp_path / "models").mkdir()
    project = Project(tmp_path)
    from forecaster.store import Store

    store = Store(project.store)
    for _ in range(2):
        publish(store, "walk", saved["walk"])
    publish(store, "other", saved["walk"])
    (project.store / ".manifests" / "walk" / "2" / "manifest.json").write_text("{")
    (project.store / ".manifests" / "other" / "1" / "inspection.json").write_text('{"format_version": 1}')
    (project.store / "ledger.sqlite").mkdir()
    with serving(project) as live:
        front, walk, other = (page(live, path) for path in ("/", "/pipelines/walk", "/pipelines/other"))
    assert "failing" in front and "other" in front and "ledger" in words(front)
    assert "is damaged" in words(walk) and str(tmp_path) not in walk
    assert "inspection.json of version 1 is not as expected" in words(other)


def test_a_pipeline_of_groups_has_a_model_for_each_and_they_its_schedule(saved, tmp_path):
    for folder in ("models", "pipelines"):
        (tmp_path / folder).mkdir()
    data = "data: {path: sales.csv, id: shop, groups: {by: region}}"
    (tmp_path / "pipelines" / "sales.yaml").write_text(f"{data}\nhorizon: 3\nschedule: '0 3 * * *'\n")
    project = Project(tmp_path)
    store = Store(project.store)
    for label in ("north", "south"):
        groups = {"by": "region", "only": label}
        definition = {"name": f"sales-{label}", "data": {"path": "sales.csv", "id": "shop", "groups": groups}}
        publish(store, f"sales-{label}", saved["walk"], definition={**definition, "horizon": 3})
    publish(store, "sales-old", saved["walk"])
    with Ledger(project.store) as ledger:
        claim = ledger.claim("sales-west", datetime.now(UTC), "schedule", allowed=1)
        ledger.fail(claim, "too short")
    with serving(project) as live:
        rows = re.findall(r'<tr><th scope="row">.*?</tr>', page(live, "/"), re.S)
        pages = {name: page(live, f"/pipelines/{name}") for name in ("sales", "sales-north", "sales-west", "sales-old")}
        missing = live.client.post("/api/forecast/sales")
        unknown = live.client.post("/api/forecast/sal")
    parent = next(row for row in rows if '"/pipelines/sales"' in row)
    for code in (parent, pages["sales"]):
        assert "a model for each group: " in words(code) and "03:00 UTC" in words(code)
        assert all(f'href="/pipelines/sales-{label}"' in code for label in ("north", "south"))
        assert not re.search("nothing published|Nothing has been published|holds no run", code)
    assert "Failing, of its groups: sales-west" in words(parent)
    for name, due in {"sales-north": True, "sales-west": True, "sales-old": False}.items():
        row = next(row for row in rows if f'th scope="row"><a href="/pipelines/{name}"' in row)
        for code in (row, pages[name]):
            assert ("no schedule" not in words(code)) == due
        assert ('href="/pipelines/sales"' in pages[name]) == due
    assert missing.status_code == unknown.status_code == 404
    assert missing.json()["error"].endswith("a model for each group; ask for one of them: sales-north, sales-south")
    assert "there is no champion version of sal;" in unknown.json()["error"]


def test_a_server_that_can_be_reached_from_elsewhere_asks_for_the_token(shown_project):
    with serving(shown_project, replace(Settings(), host="0.0.0.0", token="secret")) as live:
        code = page(live, "/pipelines/walk")
        assert 'id="token"' in code and "secret" not in code
        for path in ("/api/forecast/walk", "/api/outlook/walk"):
            assert live.client.post(path).status_code == 401
