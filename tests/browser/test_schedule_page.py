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


def edit(page, name):
    """The dialog, opened by keyboard."""
    button = page.get_by_role("button", name=f"Edit {name}")
    button.focus()
    page.keyboard.press("Enter")
    return page.get_by_role("dialog", name=f"Edit {name}")


def test_edit_reads_back_and_saves(trained, serve, open_page):
    server = serve(trained, "--schedule")
    page = open_page(server, "/schedule")
    expect_live(page)
    dialog = edit(page, "Retrain")
    cron, runs = dialog.get_by_label("When (cron)"), dialog.get_by_role("list", name="Next runs").get_by_role("listitem")
    expect(cron).to_be_focused()
    expect(cron).to_have_value("0 2 * * *")
    expect(dialog.get_by_role("status")).to_contain_text("Daily at 02:00")
    expect(runs).to_have_count(5)
    height = dialog.bounding_box()["height"]
    cron.fill("30 4 * * mon-fri")
    dialog.get_by_label("Time zone").fill("Europe/Berlin")
    expect(dialog.get_by_role("status")).to_have_text("On Monday to Friday at 04:30Europe/Berlin")
    told = server.get("/api/schedule/preview", params={"cron": "30 4 * * mon-fri", "time_zone": "Europe/Berlin", "count": 5}).json()
    expect(runs).to_have_count(5)
    for index, (time, local) in enumerate(zip(told["times"], told["local"])):
        expect(runs.nth(index).locator("time")).to_have_attribute("datetime", time)
        expect(runs.nth(index)).to_contain_text(re.compile(rf"^(Mon|Tue|Wed|Thu|Fri), {int(local[8:10])} .* {local[:4]}, 04:30"))
    assert dialog.bounding_box()["height"] == height, "nothing moves while somebody types"
    dialog.get_by_label("Runs that were missed").select_option("skip")
    dialog.get_by_label("Jitter").fill("7")
    page.keyboard.press("Enter")
    expect_toast(page, "Retrain is saved")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Edit Retrain")).to_be_focused()
    expect(task(page, "retrain").locator(".task-when")).to_contain_text("On Monday to Friday at 04:30")
    expect(task(page, "retrain").locator(".task-when")).to_contain_text("Europe/Berlin")
    saved = server.get("/api/schedule/retrain").json()
    assert [saved[name] for name in ("cron", "time_zone", "missed", "jitter_s")] == ["30 4 * * mon-fri", "Europe/Berlin", "skip", 7]

    # back to what is shipped, by empty texts; the jitter has no such way
    dialog = edit(page, "Retrain")
    expect(runs).to_have_count(5)
    dialog.get_by_role("button", name="Back to the default").click()
    expect(cron).to_have_value("")
    expect(dialog.get_by_role("status")).to_have_text("The times it is shipped with")
    assert server.get("/api/schedule/retrain").json()["cron"] == "30 4 * * mon-fri", "not before it is saved"
    dialog.get_by_role("button", name="Save").click()
    expect(task(page, "retrain").locator(".task-when")).to_contain_text("Daily at 02:00")
    back = server.get("/api/schedule/retrain").json()
    assert [back[name] for name in ("cron", "time_zone", "missed", "jitter_s")] == ["0 2 * * *", "UTC", "once", 7]


def problem_at(field):
    """What is read out as the description of the field."""
    expect(field).to_have_attribute("aria-invalid", "true")
    return field.page.locator(f"#{field.get_attribute('aria-describedby').split()[0]}".replace(":", "\\:"))


def test_edit_says_what_is_wrong_where_it_is(trained, serve, open_page):
    server = serve(trained)
    page = open_page(server, "/schedule")
    page.complaints.is_allowed = True  # a refused request is told on the console
    dialog = edit(page, "Value bets")
    cron, zone, jitter = (dialog.get_by_label(name) for name in ("When (cron)", "Time zone", "Jitter"))
    cron.fill("0 25 * * *")  # while typing
    expect(problem_at(cron)).to_contain_text("'25' is not in 0..23")
    cron.fill("0 5 30 feb *")
    expect(problem_at(cron)).to_contain_text("No day ever fits")
    cron.fill("0 5 * * *")
    expect(cron).to_have_attribute("aria-invalid", "false")
    zone.fill("Europe/Nowhere")
    expect(problem_at(zone)).to_contain_text("no time zone is called 'Europe/Nowhere'", ignore_case=True)
    zone.fill("UTC")
    expect(zone).to_have_attribute("aria-invalid", "false")
    jitter.fill("9000")  # when it is saved
    dialog.get_by_role("button", name="Save").click()
    expect(problem_at(jitter)).to_contain_text("0..3600")
    expect(jitter).to_be_focused()
    jitter.fill("soon")
    expect(jitter).to_have_attribute("aria-invalid", "false")
    dialog.get_by_role("button", name="Save").click()
    expect(problem_at(jitter)).to_have_text("A whole number of seconds is needed.")
    before = server.get("/api/schedule/value_bets").json()
    assert (before["cron"], before["jitter_s"]) == ("0 * * * *", 30)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(edit(page, "Value bets").get_by_label("When (cron)")).to_have_value("0 * * * *")
    # no answer is said too, and what was typed stays
    jitter.fill("5")
    server.stop()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_have_text("The server cannot be reached")
    expect(jitter).to_have_value("5")


# letter by letter into what has the focus, faster than any machine is slow
TYPE_FAST = """text => {
    const put = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
    for (let length = 1; length <= text.length; length++) {
        put.call(document.activeElement, text.slice(0, length));
        document.activeElement.dispatchEvent(new Event("input", {bubbles: true}));
    } }"""


def test_the_preview_waits_for_the_typing_to_rest(trained, serve, open_page):
    page = open_page(serve(trained), "/schedule")
    asked = []
    page.on("request", lambda request: "/preview" in request.url and asked.append(request.url))
    dialog = edit(page, "Standings")
    expect(dialog.get_by_role("status")).to_contain_text("Every 2 hours")
    page.evaluate(TYPE_FAST, "15 6 * * sun")
    expect(dialog.get_by_role("status")).to_contain_text("On Sunday at 06:15")
    assert len(asked) == 2, asked
    # marking text with the mouse may end beside the dialog
    box = dialog.get_by_label("When (cron)").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(5, 5)
    page.mouse.up()
    expect(dialog).to_be_visible()
    page.mouse.click(5, 5)
    expect(dialog).to_have_count(0)


def test_thresholds_are_options_of_their_tasks(trained, serve, open_page):
    server = serve(trained)
    options = lambda name: server.get(f"/api/schedule/{name}").json()["options"]
    assert server.request("PUT", "/api/schedule/performance", json={"options": {"days": 14}}).status_code == 200
    page = open_page(server, "/schedule")
    page.complaints.is_allowed = True
    card = page.get_by_role("region", name="Auto-retraining")
    dialog = edit(page, "the thresholds")
    drift, rest = dialog.get_by_label("Drift"), dialog.get_by_label("Rest between")
    expect(drift).to_be_focused()
    expect(drift).to_have_attribute("placeholder", "0.15 (as shipped)")
    drift.fill("5")
    dialog.get_by_role("button", name="Save").click()
    expect(problem_at(drift)).to_contain_text("drift_threshold")
    drift.fill("0.25")
    rest.fill("12")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(card).to_contain_text("beyond 0.25")
    expect(card).to_contain_text("12 h")
    assert options("performance") == {"days": 14, "drift_threshold": 0.25, "cooldown_h": 12}
    assert options("retrain") == {"cooldown_h": 12}
    edit(page, "the thresholds")
    dialog.get_by_role("button", name="Back to the default").click()
    dialog.get_by_role("button", name="Save").click()
    expect(card).to_contain_text("beyond 0.15")
    assert options("performance") == {"days": 14} and options("retrain") == {}


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
    expect(page.get_by_role("region", name="Decisions").locator("tbody tr").first).to_contain_text("manual", timeout=SLOW)
