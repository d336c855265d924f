"""The pages in a real browser: what a person does with them, on a phone and a screen, in the light and in the dark."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser import requested, show

DRAWN = "return document.querySelectorAll('#outlook-chart .line.forecast').length > 0"


def until(browser, condition):
    return WebDriverWait(browser, 20).until(condition)


def drawn(browser):
    until(browser, lambda it: it.execute_script(DRAWN))


@pytest.mark.parametrize(("width", "scheme", "ground"), [(390, "dark", "14, 19, 25"), (1280, "light", "245, 246, 248")])
def test_pages_fit_and_load_nothing_from_elsewhere(browser, shown, width, scheme, ground):
    for path in ("/", "/pipelines/walk"):
        show(browser, shown.url + path, width, scheme)
        if path != "/":
            drawn(browser)
        sizes = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        wide, room = browser.execute_script(sizes)
        assert wide <= room, "the page scrolls sideways"
        assert ground in browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert browser.get_log("browser") == [], "nothing is complained about, the content security policy included"
        sent = requested(browser)
        assert sent and all(address.startswith((shown.url, "data:", "blob:")) for address in sent)


def test_from_the_front_page_to_a_forecast_that_is_zoomed_and_read_by_keyboard(browser, shown):
    show(browser, shown.url)
    browser.find_element(By.LINK_TEXT, "walk").click()
    drawn(browser)
    path = "return document.querySelector('#outlook-chart .line.observed').getAttribute('d')"
    before = browser.execute_script(path)
    frame = browser.find_element(By.CSS_SELECTOR, "#outlook-chart .frame")
    frame.send_keys("+")
    assert browser.execute_script(path) != before
    frame.send_keys("0" + Keys.ARROW_RIGHT)
    read = browser.find_element(By.CSS_SELECTOR, "#outlook-chart .readout").text
    assert read.startswith("2024-01-06: forecast 23 (95 %: 21 to 25) (80 %: 22 to 24)")
    frame.send_keys(Keys.ARROW_LEFT)
    read = browser.find_element(By.CSS_SELECTOR, "#outlook-chart .readout").text
    assert read.startswith("2024-01-05 23:00: observed 23") and "forecast then 20" in read
    rows = browser.find_elements(By.CSS_SELECTOR, "#past-table tbody tr")
    assert len(rows) == 7 and "2024-01-05 20:00" in rows[0].text and "new to it" in rows[0].text


def test_a_csv_file_is_forecast_and_a_bad_one_is_refused_with_the_reason(browser, shown, tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("ds,y\n" + "".join(f"2024-02-01T0{hour}:00:00,{hour}\n" for hour in range(8)))
    bad.write_text("ds,y\n2024-02-01T00:00:00,x\n")
    show(browser, shown.url + "/pipelines/walk")
    drawn(browser)
    status = browser.find_element(By.ID, "try-status")
    for file, wanted in ((bad, "row"), (good, "1 series")):
        browser.find_element(By.ID, "file").send_keys(str(file))
        browser.find_element(By.CSS_SELECTOR, "#try-form button").send_keys(Keys.ENTER)
        until(browser, lambda _, wanted=wanted: wanted in status.text)
    cells = "return [...document.querySelectorAll('#try-result tbody tr')].map((row) => row.textContent)"
    assert browser.execute_script(cells)[0] == "2024-02-01 08:0075968"
    assert "bad" not in status.get_attribute("class")
    counts = "return ['observed', 'past'].map((one) => document.querySelectorAll(`#try-chart .line.${one}`).length)"
    assert browser.execute_script(counts) == [2, 2], "its own past and the forecast made before, with their keys"


def test_gates_and_states_are_drawn_as_heat_maps(browser, shown):
    show(browser, shown.url + "/pipelines/walk")
    sizes = "return [...document.querySelectorAll('#inside .heat')].map((one) => [one.naturalWidth, one.naturalHeight])"
    assert browser.execute_script(sizes) == [[13, 1]] + [[12, 5]] * 6, "the gradient; four gates and two states"


def test_where_there_is_no_data_any_more_the_page_says_so(browser, shown, shown_project):
    file = shown_project.root / "walk.csv"
    kept = file.read_bytes()
    shown.server.dashboard._made.clear()
    file.unlink()
    try:
        show(browser, shown.url + "/pipelines/walk")
        until(browser, lambda it: "No forecast can be shown" in it.find_element(By.CLASS_NAME, "status").text)
    finally:
        file.write_bytes(kept)
