"""A real browser for the tests of pages: Debian's Chromium, headless, that asks nobody else for anything."""

import json
import shutil
from contextlib import contextmanager

import pytest

__all__ = ["colours_wished", "opened", "requested", "show"]

OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


@contextmanager
def opened(profile):
    """A driver that keeps the console's and the network's log; without Chromium the test is skipped."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("needs Chromium: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for option in (*OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield browser
    finally:
        browser.quit()


def show(browser, address, width=1280, scheme="light"):
    """Opens a page on a screen of that width, with empty logs."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    colours_wished(browser, scheme)
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(address)


def colours_wished(browser, scheme):
    """Says that the person likes `light` or `dark` pages."""
    wish = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wish})


def requested(browser):
    """Every address that was asked for since the last look."""
    messages = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    sent = (message["params"] for message in messages if message["method"] == "Network.requestWillBeSent")
    return [params["request"]["url"] for params in sent]
