"""What a person does on the pages, by the names that are read out to them."""
import re

from conftest import wait_for
from playwright.sync_api import expect

SLOW = 120_000  # ms, for what waits for a training


def connection(page):
    return page.locator(".connection")


def expect_live(page):
    expect(connection(page)).to_have_attribute("data-state", "websocket", timeout=SLOW)


def badge(page):
    """Active, Idle, Paused, Stopping."""
    return page.locator(".now-badge")


def queue(page):
    return page.locator("ol.queue > li")


def log(page):
    return page.get_by_role("log")


def choose_leagues(page, *codes):
    """Exactly these."""
    page.locator(".league").first.wait_for()
    for box in page.locator(".league input:checked").all():
        box.uncheck()
    for code in codes:
        page.locator(".league", has=page.get_by_text(code, exact=True)).get_by_role("checkbox").check()


def set_parameter(page, name, value):
    details = page.locator("details.parameters", has=page.get_by_text("Hyper-parameters"))
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    details.get_by_label(name, exact=True).fill(str(value))


def set_training(page, name, value):
    details = page.locator("details.parameters", has=page.get_by_text("Data and judging"))
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    details.get_by_label(name, exact=True).fill(str(value))


def start_training(page, league, trees=25, targets=("1X2",), folds=2):
    """Of the boosted trees; many trees take long."""
    choose_leagues(page, league)
    for target in ("1X2", "O/U 2.5"):
        page.get_by_role("checkbox", name=target, exact=True).set_checked(target in targets)
    set_parameter(page, "trees", trees)
    set_parameter(page, "leaves", 7)
    set_training(page, "folds", folds)
    page.get_by_role("button", name=re.compile("^(Start training|Add to the queue)$")).click()


def expect_toast(page, text):
    expect(page.locator(".toast", has_text=text).first).to_be_visible(timeout=SLOW)


def confirm(page, name):
    """The answer in the dialog that asks."""
    page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()


def hold_training(server):
    """The training that runs stands still, whatever time passes; its pid, for SIGCONT."""
    current = wait_for(lambda: server.get("/api/training/status").json()["current_training"], 60, "a training runs")
    return server.hold(current["job_id"])


def wait_script(page, expression, arg=None, timeout=SLOW):
    """Until the expression (of the argument) is true. Playwright's own waiting evaluates text inside the page, which its
    policy rightly refuses."""
    wait_for(lambda: page.evaluate(expression, arg), timeout / 1000, expression)
