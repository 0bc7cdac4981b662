"""Every page in both themes and both widths: screenshots, accessibility, keyboard, empty states, and what happens when
the connection is not what it should be."""
import itertools
import os
import pathlib
import re

import pytest
from conftest import ROOT, Server, copy_of, quickest, wait_for
from playwright.sync_api import expect

from .conftest import DESKTOP, PHONE
from .steps import SLOW, connection, expect_live

PAGES = {"overview": "/", "training": "/training", "models": "/models", "schedule": "/schedule"}
SIZES = {"desktop": DESKTOP, "phone": PHONE}
SHOTS = ROOT / "build" / "screenshots"
AXE = pathlib.Path(os.environ.get("ALMANAC_AXE") or ROOT / "build" / "web-work" / "node_modules" / "axe-core" / "axe.min.js")


@pytest.fixture(scope="module")
def lived_in(trained_once, league, tmp_path_factory):
    """A server with a past: trainings good and failed, a training that runs and one that waits, forecasts."""
    server = Server(copy_of(trained_once, tmp_path_factory.mktemp("lived")), "--job-grace-ms", "300", "--schedule")
    server.wait_ready()
    failed = server.post("/train", {"league": league, "target": "ou25", "engine": "elo_logit", "to": "1990-01-01"})
    server.wait_job(failed.json()["job_id"])
    for name in ("clean_up", "performance", "value_bets"):
        run = server.post(f"/api/schedule/{name}/run")
        if run.status_code == 202:
            server.wait_job(run.json()["job"]["id"])
    server.post("/api/training/start-auto", {"symbols": [league], "timeframes": ["1x2", "ou25"], "bots": ["lightgbm", "lightgbm_prices"],
                                             "parameters": {"trees": 1500, "leaves": 15}, "folds": 2})
    yield server
    server.post("/api/training/force-stop")
    wait_for(lambda: not server.get("/api/training/status").json()["is_running"], 20, "the training is stopped")
    server.end()


def settle(page, name):
    """Until what is asked for once is there."""
    expect(page.locator(".skeleton")).to_have_count(0, timeout=SLOW)
    expect_live(page)
    if name == "overview":
        expect(page.get_by_role("img", name="Predictions a second")).to_be_attached(timeout=SLOW)
    if name == "training":
        expect(page.locator(".log-line").first).to_be_visible(timeout=SLOW)


def check_accessible(page):
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the window"
    if not AXE.exists():
        pytest.skip(f"no axe-core at {AXE}: tools/web.sh installs it")
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    bad = [(one["id"], one["impact"], [node["target"] for node in one["nodes"]][:4]) for one in found
           if one["impact"] in ("serious", "critical")]
    assert not bad, bad


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_screenshot_and_accessibility(lived_in, open_page, name, theme, size):
    page = open_page(lived_in, PAGES[name], theme, SIZES[size])
    settle(page, name)
    check_accessible(page)
    # the whole page, with what sticks to the window's edge where it belongs
    page.set_viewport_size({"width": SIZES[size][0], "height": max(SIZES[size][1], page.evaluate("document.documentElement.scrollHeight"))})
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{theme}-{size}.png")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_dialog_that_edits_a_task(lived_in, open_page, theme, size):
    page = open_page(lived_in, "/schedule", theme, SIZES[size])
    settle(page, "schedule")
    page.complaints.is_allowed = True  # what the server refuses is told on the console
    page.get_by_role("button", name="Edit Retrain").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_have_count(5)
    check_accessible(page)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"edit-{theme}-{size}.png")
    dialog.get_by_label("When (cron)").fill("0 2 * *")
    expect(dialog.locator(".field-problem").first).not_to_be_empty()
    dialog.get_by_label("Jitter").fill("9000")
    dialog.get_by_role("button", name="Save").click()
    check_accessible(page)
    # what has the focus is seen, also on a small screen where the buttons stay in reach
    dialog.get_by_label("Jitter").focus()
    assert dialog.get_by_label("Jitter").evaluate("""element => {
        const box = element.getBoundingClientRect();
        return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === element; }"""), "it is covered"
    page.screenshot(path=SHOTS / f"edit-wrong-{theme}-{size}.png")


@pytest.mark.parametrize("name", PAGES)
def test_empty_store(empty, serve, open_page, name):
    page = open_page(serve(empty), PAGES[name])
    expect(page.locator(".skeleton")).to_have_count(0, timeout=SLOW)
    expect(page.locator(".state.bad")).to_have_count(0)
    text = {"overview": "Nothing is in production yet", "training": "Nothing has been imported yet", "models": "No model yet",
            "schedule": "Nothing has been decided yet"}[name]
    expect(page.get_by_text(text).first).to_be_visible()


def test_keyboard_navigation(lived_in, open_page):
    page = open_page(lived_in)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.get_by_role("link", name="Overview").focus()
    for name, path in [("Training", "/training"), ("Models", "/models"), ("Schedule", "/schedule")]:
        page.keyboard.press("Tab")
        link = page.get_by_role("navigation").get_by_role("link", name=name)
        expect(link).to_be_focused()
        outline = link.evaluate("element => getComputedStyle(element).outlineStyle")
        assert outline == "solid", "the focus is seen"
        page.keyboard.press("Enter")
        expect(page).to_have_url(lived_in.url + path)
        expect(link).to_have_attribute("aria-current", "page")
        expect(link).to_be_focused()
        expect(page).to_have_title(re.compile(f"^{name}.* · Almanac$"))
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Models")


def test_theme_is_remembered(lived_in, open_page):
    page = open_page(lived_in)
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Dark").click()
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    page.locator("main h1").wait_for()
    assert page.evaluate(background) == dark
    page.get_by_role("button", name="As the system").click()
    assert page.evaluate(background) == light


def test_live_numbers_move(trained, serve, open_page, league):
    server = serve(trained)
    server.wait_ready()
    page = open_page(server)
    expect_live(page)
    served = page.locator(".tile", has_text="Predictions served").locator("dd")
    expect(served).to_have_text("0")
    home, away = trained.rows("SELECT h.name, a.name FROM match m JOIN team h ON h.id = m.home_id JOIN team a ON a.id = m.away_id "
                              "WHERE m.league = ? ORDER BY m.day DESC LIMIT 1", league)[0]
    for _ in range(5):
        server.predict(league=league, home=home, away=away)
    expect(served).to_have_text("5", timeout=SLOW)


def test_restart_of_the_server_under_the_page(trained, serve, open_page):
    server = serve(trained)
    page = open_page(server)
    expect_live(page)
    page.evaluate("window.wasNotReloaded = true")
    page.complaints.is_allowed = True
    server.kill()
    expect(connection(page)).to_have_attribute("data-state", "offline", timeout=SLOW)
    expect(page.get_by_text("The server cannot be reached.")).to_be_visible()
    expect(page.locator(".production-row").nth(1)).to_be_visible()  # what was known stays
    second = serve(trained, "--port", server.port)
    expect_live(page)
    expect(page.get_by_text("The server cannot be reached.")).to_have_count(0)
    # and it is alive: what happens now is seen
    second.post("/api/schedule/clean_up/run")
    expect(page.locator(".list li", has_text="clean").first).to_be_visible(timeout=SLOW)
    assert page.evaluate("window.wasNotReloaded") is True


BROKEN = "class {0} {{ static OPEN = 1; constructor() {{ setTimeout(() => {{ this.onerror?.(new Event('error')); this.onclose?.(new Event('close')); }}, 5); }} close() {{}} send() {{}} addEventListener() {{}} }}; window.{0} = {0};"


def test_server_sent_events_where_there_is_no_websocket(trained, serve, open_page):
    server = serve(trained)
    page = open_page(server, "/schedule", script=BROKEN.format("WebSocket"))
    expect(connection(page)).to_have_attribute("data-state", "events", timeout=SLOW)
    switch, ways = page.locator('li[data-task="clean_up"]').get_by_role("switch"), itertools.cycle(["disable", "enable"])

    def change():
        way = next(ways)
        server.post(f"/api/schedule/clean_up/{way}")
        expect(switch).to_be_checked(checked=way == "enable")
    quickest(change, 3)  # not by polling


def test_polling_where_there_is_nothing_else(trained, serve, open_page):
    server = serve(trained)
    page = open_page(server, "/schedule", script=BROKEN.format("WebSocket") + BROKEN.format("EventSource"))
    expect(connection(page)).to_have_attribute("data-state", "polling", timeout=SLOW)
    server.post("/api/schedule/clean_up/disable")
    expect(page.locator('li[data-task="clean_up"]')).to_contain_text("switched off")


def test_nothing_is_fetched_from_elsewhere(lived_in, open_page):
    asked = []
    page = open_page(lived_in)
    page.on("request", lambda request: asked.append(request.url))
    for path in PAGES.values():
        page.goto(lived_in.url + path)
        page.locator("main h1").wait_for()
    assert asked and all(url.startswith((lived_in.url, lived_in.url.replace("http", "ws"))) for url in asked), asked
    policy = lived_in.get("/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy


def test_files_are_kept_and_compressed(lived_in):
    page = lived_in.get("/")
    assert page.headers["Cache-Control"] == "no-cache"
    files = [part.split('"')[0] for part in page.text.split('"/assets/')[1:]]
    assert len(files) >= 2
    total = 0
    for name in files:
        answer = lived_in.get(f"/assets/{name}", headers={"Accept-Encoding": "br, gzip"}, stream=True)
        assert answer.headers["Content-Encoding"] == "br" and "immutable" in answer.headers["Cache-Control"]
        total += int(answer.headers["Content-Length"])
        assert lived_in.get(f"/assets/{name}", headers={"If-None-Match": answer.headers["ETag"], "Accept-Encoding": "br"}).status_code == 304
    assert total < 120_000, "what the first paint needs"
    assert lived_in.get("/assets/nothing.js").status_code == 404
