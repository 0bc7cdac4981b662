"""The log window: follows, yields to the person who scrolls up, comes back; searches; downloads."""
import re

import pytest
from conftest import wait_for
from playwright.sync_api import expect

from .steps import SLOW, confirm, log, start_training, wait_script

HEIGHT = "document.querySelector('.log-view')?.scrollHeight"


@pytest.fixture
def busy_page(imported, league, serve, open_page):
    server = serve(imported, "--job-grace-ms", 300)
    page = open_page(server, "/training")
    start_training(page, league, trees=10000)
    # long enough to scroll
    wait_script(page, f"{HEIGHT} > 900", timeout=SLOW)
    page.server = server
    yield page
    page.get_by_role("button", name="Force stop").click()
    confirm(page, "Force stop")
    expect(page.locator(".now-badge")).to_have_text("Idle", timeout=SLOW)


def place(page):
    return page.evaluate("""() => { const e = document.querySelector('.log-view');
        return {top: e.scrollTop, left: e.scrollHeight - e.scrollTop - e.clientHeight, height: e.scrollHeight}; }""")


def test_auto_scroll_yields_and_comes_back(busy_page):
    page = busy_page
    expect(log(page)).to_have_attribute("data-following", "true")
    wait_for(lambda: place(page)["left"] < 24, 60, "it follows")
    # a person scrolls up: the window stays where it is while lines come in
    log(page).hover()
    page.mouse.wheel(0, -400)
    expect(log(page)).to_have_attribute("data-following", "false")
    before = wait_for(lambda: (now := place(page))["top"] == place(page)["top"] and now, 60, "it stands still")
    wait_script(page, f"height => {HEIGHT} > height + 60", before["height"])
    assert abs(place(page)["top"] - before["top"]) < 2
    back = page.get_by_role("button", name=re.compile("newest"))
    expect(back).to_have_text(re.compile(r"\d+ new, to the newest"))
    back.click()
    expect(log(page)).to_have_attribute("data-following", "true")
    expect(back).to_have_count(0)
    height = place(page)["height"]
    wait_script(page, f"height => {HEIGHT} > height + 40", height)
    wait_for(lambda: place(page)["left"] < 24, 60, "it follows again")
    # with the keyboard it is the same
    log(page).focus()
    page.keyboard.press("Home")
    expect(log(page)).to_have_attribute("data-following", "false")
    page.keyboard.press("End")
    expect(log(page)).to_have_attribute("data-following", "true")


def test_only_what_is_seen_is_drawn(busy_page):
    page = busy_page
    wait_script(page, f"{HEIGHT} > 1800", timeout=SLOW)
    assert page.locator(".log-line").count() < 90


def test_search_finds_marks_and_steps(busy_page):
    page = busy_page
    search = page.get_by_role("searchbox", name="Search the log")
    search.fill("TRAINING:")
    found = page.locator(".log-search output")
    expect(found).to_have_text(re.compile(r"^[\d,]+\+?$"), timeout=SLOW)
    expect(page.locator(".log-line mark").first).to_have_text("training:")
    search.press("Enter")
    expect(found).to_have_text(re.compile(r"^1 / [\d,]+\+?$"))
    expect(page.locator(".log-line.hit")).to_contain_text("training:")
    expect(page.locator(".log-line.hit")).to_be_in_viewport()
    page.get_by_role("button", name="Next match").click()
    expect(found).to_have_text(re.compile(r"^2 / [\d,]+\+?$"))
    page.get_by_role("button", name="Previous match").click()
    expect(found).to_have_text(re.compile(r"^1 / [\d,]+\+?$"))
    search.fill("nothing is called like this")
    expect(found).to_have_text("none")
    search.press("Escape")
    expect(search).to_have_value("")


def test_download_is_the_log(imported, league, serve, open_page):
    server = serve(imported)
    page = open_page(server, "/training")
    start_training(page, league)
    expect(log(page)).to_contain_text("succeeded", timeout=SLOW)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").click()
    text = open(waiting.value.path(), encoding="utf-8").read()
    assert "succeeded" in text and "metric loss" in text
    shown = page.locator(".log-line span").last.inner_text()
    assert shown in text
