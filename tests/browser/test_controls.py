"""Trainings steered through the page: start, pause, resume, stop, force stop; over a restart of the server too."""
import os
import signal

from conftest import process_is_alive, wait_for
from playwright.sync_api import expect

from .steps import (SLOW, badge, choose_leagues, confirm, connection, expect_live, expect_toast, hold_training, log, queue,
                    set_parameter, start_training)

LONG = 10000  # trees, as many as there may be; minutes of work


def running_job(server):
    status = server.get("/api/training/status").json()
    return status["current_training"] and status["current_training"]["job_id"]


def test_start_shows_progress_loss_and_log(imported, league, serve, open_page):
    server = serve(imported)
    page = open_page(server, "/training")
    expect(badge(page)).to_have_text("Idle")
    expect_live(page)
    start_training(page, league, trees=1500)
    expect_toast(page, "1 training queued")
    expect(badge(page)).to_have_text("Active", timeout=SLOW)
    expect(page.locator(".now-title")).to_have_text(f"{league} · 1X2 · LightGBM")
    expect(page.locator(".now-numbers")).to_contain_text("/ 1,500", timeout=SLOW)
    expect(page.get_by_role("img", name="Loss from")).to_be_visible(timeout=SLOW)
    expect(log(page)).to_contain_text("metric loss", timeout=SLOW)
    expect(badge(page)).to_have_text("Idle", timeout=SLOW)
    expect_toast(page, "LightGBM is done")
    expect(page.get_by_text("1 done")).to_be_visible()
    expect(log(page)).to_contain_text("succeeded", timeout=SLOW)
    # what the form said is what was trained
    job = server.get("/api/jobs").json()["jobs"][0]
    request = server.job(job["id"])["request"]
    assert job["who"] == "dashboard" and "trees=1500" in request["parameters"] and request["folds"] == 2, (job, request)


def test_pause_resume_over_a_restart(imported, league, serve, open_page):
    server = serve(imported, "--job-grace-ms", 500)
    page = open_page(server, "/training")
    start_training(page, league, trees=400, targets=("1X2", "O/U 2.5"))
    pid = hold_training(server)
    expect(badge(page)).to_have_text("Active", timeout=SLOW)
    page.get_by_role("button", name="Pause").click()
    wait_for(lambda: server.get("/api/training/status").json()["is_paused"], 60, "it is paused")
    # the running one finishes, the other waits
    os.kill(pid, signal.SIGCONT)
    expect(badge(page)).to_have_text("Paused", timeout=SLOW)
    expect(queue(page)).to_have_count(1)
    expect(page.get_by_text("The queue is held")).to_be_visible()

    page.evaluate("window.wasNotReloaded = true")
    page.complaints.is_allowed = True
    server.stop()
    expect(connection(page)).to_have_attribute("data-state", "offline", timeout=SLOW)
    serve(imported, "--port", server.port)  # on the same port, under the open page
    expect_live(page)
    assert page.evaluate("window.wasNotReloaded") is True
    expect(badge(page)).to_have_text("Paused")
    expect(queue(page)).to_have_count(1)
    page.get_by_role("button", name="Resume").click()
    expect(badge(page)).to_have_text("Active", timeout=SLOW)
    expect(badge(page)).to_have_text("Idle", timeout=SLOW)


def test_stop_finishes_the_current_and_clears_the_rest(imported, league, serve, open_page):
    server = serve(imported)
    page = open_page(server, "/training")
    start_training(page, league, trees=400, targets=("1X2", "O/U 2.5"))
    pid = hold_training(server)
    expect(badge(page)).to_have_text("Active", timeout=SLOW)
    expect(queue(page)).to_have_count(1)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(queue(page)).to_have_count(0)
    os.kill(pid, signal.SIGCONT)
    expect(badge(page)).to_have_text("Idle", timeout=SLOW)
    states = sorted(job["state"] for job in server.get("/api/jobs").json()["jobs"])
    assert states == ["stopped", "succeeded"]


def test_force_stop_of_a_child_that_does_not_listen(imported, league, serve, open_page):
    server = serve(imported, "--job-grace-ms", 700)
    page = open_page(server, "/training")
    start_training(page, league, trees=LONG, targets=("1X2", "O/U 2.5"))
    expect(badge(page)).to_have_text("Active", timeout=SLOW)
    job = wait_for(lambda: running_job(server), 20, "a training runs")
    pid = wait_for(lambda: server.job(job)["job"]["pid"], 20, "it has a process")
    os.kill(pid, signal.SIGSTOP)  # TERM does nothing to it now
    button = page.get_by_role("button", name="Force stop")
    button.click()
    # the safe answer has the focus; nothing happens without a yes
    expect(page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert process_is_alive(pid)
    button.click()
    confirm(page, "Force stop")
    expect(badge(page)).to_have_text("Idle", timeout=SLOW)
    assert not process_is_alive(pid), "it is called stopped and its process lives"
    assert server.job(job)["job"]["state"] == "stopped"
    # it can go on later
    page.get_by_role("combobox", name="Job whose log is shown").select_option(str(job))
    page.get_by_role("button", name="Resume this job").click()
    expect(badge(page)).to_have_text("Active", timeout=SLOW)
    expect(log(page)).to_contain_text("attempt 2", timeout=SLOW)
    assert server.job(job)["job"]["attempt"] == 2
    button.click()
    confirm(page, "Force stop")
    expect(badge(page)).to_have_text("Idle", timeout=SLOW)


def test_one_is_taken_out_of_the_queue(imported, league, serve, open_page):
    server = serve(imported, "--job-grace-ms", 300)
    page = open_page(server, "/training")
    start_training(page, league, trees=LONG, targets=("1X2", "O/U 2.5"))
    expect(queue(page)).to_have_count(1, timeout=SLOW)
    page.get_by_role("button", name="Take").click()
    expect(queue(page)).to_have_count(0)
    page.get_by_role("button", name="Force stop").click()
    confirm(page, "Force stop")
    expect(badge(page)).to_have_text("Idle", timeout=SLOW)


def test_the_form_refuses_what_the_option_table_refuses(imported, league, serve, open_page):
    page = open_page(serve(imported), "/training")
    start = page.get_by_role("button", name="Start training")
    choose_leagues(page, league)
    set_parameter(page, "trees", 0)
    expect(page.locator(".problem")).to_have_text("trees: at least 1")
    expect(start).to_be_disabled()
    set_parameter(page, "trees", 50)
    expect(start).to_be_enabled()
    choose_leagues(page)
    expect(page.get_by_text("Choose a league to begin.")).to_be_visible()
    expect(start).to_be_disabled()
    # data depth: by keyboard, up to half a million
    slider = page.get_by_role("slider", name="Data depth")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "the last 1,000 matches")
    page.keyboard.press("End")
    assert slider.get_attribute("max") == "500000"
    matches = imported.one("SELECT count(*) FROM match")
    expect(slider).to_have_attribute("aria-valuetext", f"all {matches:,} matches")


def test_live_for_everybody_who_looks(imported, league, serve, open_page):
    """What one page starts, another shows without a reload."""
    server = serve(imported)
    overview, training = open_page(server), open_page(server, "/training")
    expect(overview.get_by_text("No job has run yet")).to_be_visible()
    start_training(training, league)
    expect(overview.locator(".list li", has_text="LightGBM").first).to_be_visible(timeout=SLOW)
    expect(overview.locator(".list li", has_text="succeeded").first).to_be_visible(timeout=SLOW)
    expect(overview.locator(".production-row", has_text=f"{league} · 1X2")).to_be_visible(timeout=SLOW)
