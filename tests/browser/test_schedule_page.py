"""Tasks of the schedule and the auto-retraining, steered through the page."""
import re

from playwright.sync_api import expect

from .steps import SLOW, confirm, expect_live, expect_toast


def task(page, name):
    return page.locator(f'li[data-task="{name}"]')


def test_run_now_enable_disable(trained, serve, open_page):
    server = serve(trained, "--schedule")
    page = open_page(server, "/schedule")
    expect_live(page)
    tasks = server.get("/api/schedule").json()["tasks"]
    expect(page.locator("li[data-task]")).to_have_count(len(tasks))
    one = task(page, "clean_up")
    one.get_by_role("button", name="Run Clean up now").click()
    expect_toast(page, "Clean up is started")
    expect(one.locator(".task-last")).to_contain_text(re.compile("succeeded|skipped"), timeout=SLOW)
    one.get_by_role("button", name="Last runs of Clean up").click()
    expect(one.locator(".task-runs tbody tr")).to_have_count(1)
    switch = one.get_by_role("switch")
    expect(switch).to_be_checked()
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).not_to_be_checked()
    expect(one).to_contain_text("switched off")
    assert server.get("/api/schedule/clean_up").json()["is_enabled"] is False
    switch.click()
    expect(one).to_contain_text("next in")
    assert server.get("/api/schedule/clean_up").json()["is_enabled"] is True


def test_a_change_elsewhere_is_seen(trained, serve, open_page):
    server = serve(trained)
    page = open_page(server, "/schedule")
    expect_live(page)
    server.post("/api/schedule/value_bets/disable")
    expect(task(page, "value_bets")).to_contain_text("switched off")


def test_retraining_stop_start_trigger(trained, serve, open_page):
    server = serve(trained)
    page = open_page(server, "/schedule")
    status = lambda: server.get("/api/ml-management/retraining/status").json()
    card = page.get_by_role("region", name="Auto-retraining")
    expect(card).to_contain_text(f"beyond {status()['drift_threshold']:.2f}")
    expect(card).to_contain_text(f"{status()['performance_threshold']:.2f}")
    card.get_by_role("button", name="Stop").click()
    expect(card.get_by_text("Off", exact=True)).to_be_visible()
    assert status()["is_running"] is False
    card.get_by_role("button", name="Start").click()
    expect(card.get_by_text("On", exact=True)).to_be_visible()
    assert status()["is_running"] is True
    card.get_by_role("button", name="Trigger now").click()
    confirm(page, "Retrain now")
    expect(page.get_by_role("region", name="Decisions").locator("tbody tr").first).to_contain_text("manual", timeout=60_000)
