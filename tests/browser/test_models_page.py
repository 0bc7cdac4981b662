"""The cards of the versions: promote, archive, retrain, clear, download, compare, filter."""
import pytest
from playwright.sync_api import expect

from .steps import SLOW, confirm, expect_live, expect_toast


@pytest.fixture
def models(trained, league, serve, open_page):
    """A server with three models in production, and the page; and one more version that is not served."""
    trained.run("train", "--league", league, "--parameters", "trees=5,leaves=3", "--folds", "2")
    server = serve(trained)
    page = open_page(server, "/models")
    page.server = server
    expect_live(page)
    return page


def cards(page):
    return page.locator("li.model")


def card(page, version):
    return page.locator(f'li.model[data-version="{version}"]')


def versions(page, **wanted):
    rows = page.server.get("/api/models").json()["models"]
    return [row["version"] for row in rows if all(row[name] == value for name, value in wanted.items())]


def test_cards_say_what_the_api_says(models):
    expect(cards(models)).to_have_count(4)
    for row in models.server.get("/api/models").json()["models"]:
        one = card(models, row["version"])
        expect(one).to_contain_text(f"{row['holdout']['log_loss']:.4f}")
        expect(one).to_contain_text(f"{row['holdout']['brier']:.4f}")
        expect(one).to_contain_text(f"{row['data_points']:,}")
        expect(one).to_have_attribute("data-status", row["status"])
        colour = one.evaluate("element => getComputedStyle(element, '::before').backgroundColor")
        red, green, blue = bytes.fromhex(row["status_colour"][1:])
        assert colour == f"rgb({red}, {green}, {blue})"


def test_promote_asks_first(models, league):
    version = next(one for one in versions(models, bot="lightgbm", variant="1x2", subject=league) if one not in versions(models, stage="Production"))
    card(models, version).get_by_role("button", name="Promote").click()
    models.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert version not in versions(models, stage="Production")
    card(models, version).get_by_role("button", name="Promote").click()
    confirm(models, "Promote")
    expect_toast(models, "is promoted")
    expect(card(models, version)).to_contain_text("in production")
    assert version in versions(models, stage="Production")
    history = models.server.get(f"/api/models/versions/{version}").json()["history"]
    assert any(row["who"] == "dashboard" for row in history), history


def test_archive_and_filter(models):
    version = versions(models, variant="ou25")[0]
    card(models, version).get_by_role("button", name="Archive").click()
    confirm(models, "Archive")
    expect(card(models, version)).to_have_count(0)  # the archived are not shown unless asked for
    models.get_by_label("Status").select_option("archived")
    expect(card(models, version)).to_be_visible()
    expect(cards(models)).to_have_count(1)
    models.get_by_label("Status").select_option("")
    models.get_by_label("Target").select_option("1x2")
    expect(cards(models)).to_have_count(3)
    models.get_by_label("Search").fill("there is no such version")
    expect(models.get_by_text("No version fits")).to_be_visible()


def test_sorted_by_log_loss(models):
    models.get_by_label("Target").select_option("1x2")
    models.get_by_label("Order").select_option("loss")
    shown = [float(text) for text in models.locator(".model-scores div:first-child dd").all_inner_texts()]
    assert len(shown) == 3 and shown == sorted(shown)


def test_clear_one_and_everything(models):
    first, other = versions(models)[:2]
    card(models, first).get_by_role("button", name="Clear").click()
    confirm(models, "Clear this version")
    expect_toast(models, "is cleared")
    expect(card(models, first)).to_have_count(0)
    assert models.server.get(f"/api/models/versions/{first}").json()["model"]["path"] is None
    models.get_by_role("button", name="Clear all").click()
    confirm(models, "Cancel")
    expect(card(models, other)).to_be_visible()
    models.get_by_role("button", name="Clear all").click()
    confirm(models, "Clear everything")
    expect_toast(models, "cleared")
    expect(models.locator(".model .model-buttons a")).to_have_count(0)
    assert models.server.get("/api/models/report").json()["storage_bytes"] == 0


def test_retrain_and_download(models):
    version = versions(models, variant="ou25")[0]
    with models.expect_download() as waiting:
        card(models, version).get_by_role("link", name="Download").click()
    size = models.server.get(f"/api/models/versions/{version}").json()["model"]["size_bytes"]
    with open(waiting.value.path(), "rb") as file:
        assert len(file.read()) == size
    card(models, version).get_by_role("button", name="Retrain").click()
    expect_toast(models, "queued for training")
    expect_toast(models, "is done")


def test_two_side_by_side(models):
    boxes = models.get_by_role("checkbox", name="Compare")
    boxes.nth(0).check()
    expect(models.get_by_role("button", name="Compare", exact=True)).to_be_disabled()
    boxes.nth(1).check()
    models.get_by_role("button", name="Compare", exact=True).click()
    dialog = models.get_by_role("dialog")
    for name in ("Log loss", "Brier", "RMSE", "MAE", "Matches learned from"):
        expect(dialog.get_by_role("rowheader", name=name, exact=True)).to_be_visible()
    models.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_failed_training_has_an_error_box(imported, league, serve, open_page):
    server = serve(imported)
    page = open_page(server, "/models")
    expect(page.get_by_text("No model yet")).to_be_visible()
    expect_live(page)
    started = server.post("/train", {"league": league, "target": "1x2", "to": "1990-01-01"})
    server.wait_job(started.json()["job_id"])
    expect(page.locator(".model-error")).to_be_visible(timeout=SLOW)
    expect(cards(page)).to_have_attribute("data-status", "failed")
