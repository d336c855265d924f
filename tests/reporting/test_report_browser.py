"""The page in a real browser, from the disk: it loads nothing else, fits a phone, and its controls work."""

from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from forecaster.reporting import write_report
from forecaster.reporting.inspection import write_inspection_page
from tests.browser import colours_wished, requested, show
from tests.reporting.made_up_inspection import made_up_inspection
from tests.reporting.made_up_symbols import made_up_symbols

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror=window.hacked=1>\"'&<b>--network-0"


@pytest.fixture(scope="module")
def pages(make, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    contents = {
        "one": make(),
        "many": make(tuple(f"series-{i}" for i in range(40)), horizon=6, origins=3, steps=300),
        "integer": make(("a", "b"), integer=True, horizon=1, origins=5, steps=200, curves={}, published=None),
        "symbols": made_up_symbols(("</script><b>", "a", "b", " ", "\n"), dated=False),
        "hostile": make((HOSTILE, "quiet"), horizon=4, origins=2, steps=200),
    }
    inside = write_inspection_page("inside", [made_up_inspection(), made_up_inspection("gru")], folder / "inside.html")
    written = {name: write_report(content, folder / f"{name}.html") for name, content in contents.items()}
    return {**written, "inside": inside}


def drawn(browser, script):
    return browser.execute_script(f"const plot = document.getElementById('plot-origin'); return {script}")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["one", "many", "integer", "symbols", "hostile", "inside"])
def test_page_fits_loads_nothing_and_makes_no_error(browser, pages, name, width):
    show(browser, pages[name].as_uri(), width)
    assert browser.get_log("browser") == []
    assert [url for url in requested(browser) if not url.startswith("data:")] == [pages[name].as_uri()]
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.execute_script("return window.innerWidth") == width
    assert browser.execute_script("return document.querySelectorAll('.canvas:not(:has(.main-svg))').length") == 0


def test_wide_leaderboard_scrolls_inside_its_own_box(browser, pages):
    show(browser, pages["one"].as_uri(), 390)
    box = browser.find_element(By.CSS_SELECTOR, "#leaderboard .scroll")
    assert browser.execute_script("return arguments[0].scrollWidth > arguments[0].clientWidth", box)
    browser.execute_script("arguments[0].scrollLeft = 200", box)
    name = box.find_element(By.CSS_SELECTOR, "tbody th")
    assert name.rect["x"] >= box.rect["x"]


def test_buttons_and_keys_move_the_drawn_cutoff(browser, pages):
    show(browser, pages["one"].as_uri())
    last = drawn(browser, "plot.layout.shapes[0].x0")
    assert last == "2024-03-23 07:30"
    assert not browser.find_element(By.ID, "later").is_enabled()
    browser.find_element(By.ID, "earlier").click()
    assert drawn(browser, "plot.layout.shapes[0].x0") == "2024-03-22 07:30"
    browser.find_element(By.ID, "origin").send_keys(Keys.ARROW_LEFT)
    assert drawn(browser, "plot.layout.shapes[0].x0") == "2024-03-21 07:30"
    assert "2024-03-21 07:30" in browser.find_element(By.ID, "origin-name").text
    assert "2024-03-21 07:30" in drawn(browser, "plot.getAttribute('aria-label')")


def test_history_ends_at_the_cutoff_and_the_forecast_starts_there(browser, pages):
    show(browser, pages["one"].as_uri())
    ends = "[trace.name, [trace.x[0], trace.x.at(-1), trace.x.length]]"
    lines = drawn(browser, f"Object.fromEntries(plot.data.map(trace => {ends}))")
    assert lines["history"][1] == "2024-03-23 07:30"
    for name in ("what came", "custom_lstm", "seasonal_naive"):
        assert lines[name] == ["2024-03-23 07:30", "2024-03-24 07:30", 49]


def test_choosing_series_model_and_comparison_draws_them(browser, pages):
    show(browser, pages["many"].as_uri())
    Select(browser.find_element(By.ID, "series")).select_by_visible_text("series-39")
    Select(browser.find_element(By.ID, "model")).select_by_visible_text("gru")
    Select(browser.find_element(By.ID, "against")).select_by_visible_text("drift")
    names = ["95 % interval", "80 % interval", "history", "what came", "drift", "gru"]
    assert drawn(browser, "plot.data.map(trace => trace.name)") == names
    assert "series-39" in drawn(browser, "plot.getAttribute('aria-label')")
    Select(browser.find_element(By.ID, "against")).select_by_visible_text("nothing")
    assert drawn(browser, "plot.data.map(trace => trace.name)") == [*names[:4], "gru"]


def test_words_give_the_error_of_the_drawn_forecast(browser, make, tmp_path):
    content = make(integer=True, horizon=2, origins=1, steps=100, kinds={"lstm": "network", "naive": "naive"})
    content.history["y"] = content.history["y"].fillna(0)
    frame = content.forecasts
    frame["y"] = content.history["y"].to_numpy()[-2:]
    frame["lstm"], frame["naive"] = frame["y"] + [1.0, 2.0], frame["y"] - [4.0, 2.0]
    frame["lstm-lo-95"], frame["lstm-hi-95"] = frame["y"] - [1.0, -1.0], frame["y"] + 5.0
    show(browser, write_report(content, tmp_path / "words.html").as_uri())
    words = browser.find_element(By.ID, "origin-words").text
    assert "lstm 1.5, naive 3." in words
    assert "1 of 2 values fell inside the 95 % interval" in words


def test_legend_switches_a_line_off_and_on_by_keyboard(browser, pages):
    show(browser, pages["one"].as_uri())
    find = "//ul[@id='legend-steps']//button[.='gru']"
    visible = "return document.getElementById('plot-steps').data.find(trace => trace.name === 'gru').visible"
    browser.find_element(By.XPATH, find).send_keys(Keys.ENTER)
    assert browser.execute_script(visible) is False
    button = browser.switch_to.active_element
    assert (button.text, button.get_attribute("aria-pressed")) == ("gru", "false")
    button.send_keys(Keys.ENTER)
    assert browser.execute_script(visible) is True


def test_plots_follow_the_colour_scheme(browser, pages):
    show(browser, pages["one"].as_uri(), scheme="light")
    page = "getComputedStyle(document.body).backgroundColor"
    colours = f"[plot.layout.font.color, plot.data.at(-1).line.color, {page}]"
    light = drawn(browser, colours)
    colours_wished(browser, "dark")
    assert light == ["#17202c", "#0b62cc", "rgb(245, 246, 248)"]
    dark = ["#e7ecf2", "#5aa9ff", "rgb(14, 19, 25)"]  # the page turns at once, the plots are drawn anew a moment later
    assert WebDriverWait(browser, 10).until(lambda _: drawn(browser, colours) == dark)


def test_paper_is_light_even_from_a_dark_screen(browser, pages):
    show(browser, pages["one"].as_uri(), scheme="dark")
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert drawn(browser, "plot.layout.font.color") == "#17202c"
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    assert drawn(browser, "plot.layout.font.color") == "#e7ecf2"


def test_hostile_names_are_shown_and_not_run(browser, pages):
    show(browser, pages["hostile"].as_uri())
    options = Select(browser.find_element(By.ID, "series")).options
    assert options[0].text == HOSTILE
    assert browser.execute_script("return window.hacked") is None
    assert HOSTILE in browser.find_element(By.CSS_SELECTOR, "#data figcaption").text


def test_script_that_was_not_written_here_is_not_run(browser, pages, tmp_path):
    page = pages["integer"].read_text(encoding="utf-8")
    changed = tmp_path / "changed.html"
    changed.write_text(page.replace("</main>", "<script>window.hacked = 1</script></main>"), encoding="utf-8")
    show(browser, changed.as_uri())
    assert browser.execute_script("return window.hacked") is None
