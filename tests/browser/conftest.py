"""Chromium driven by Playwright. A test opens pages with `open_page(server, path)`; whatever a page complains about on
its console fails the test, unless the test says that the server goes away (page.allow_errors)."""
import pathlib

import pytest

CHROMIUM = "/usr/bin/chromium"
DESKTOP, PHONE = (1440, 900), (390, 844)
PATIENCE_MS = 120_000  # what must come may be as late as a busy machine makes it


@pytest.fixture(scope="session")
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: tools/venv.sh tests installs it")
    if not pathlib.Path(CHROMIUM).exists():
        pytest.skip(f"no {CHROMIUM}: apt-get install chromium")
    sync_api.expect.set_options(timeout=PATIENCE_MS)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM,
                                             args=["--no-sandbox", "--disable-background-networking"])
        yield browser
        browser.close()


class Complaints:
    def __init__(self):
        self.texts, self.is_allowed = [], False

    def watch(self, page):
        page.on("pageerror", lambda error: self.texts.append(f"exception: {error}"))
        page.on("console", lambda message: message.type in ("error", "warning") and self.texts.append(message.text))


@pytest.fixture
def open_page(chromium):
    """open_page(server, path="/", theme="light", size=DESKTOP) -> page, with the path's content on it."""
    contexts, complaints = [], Complaints()

    def start(server, path="/", theme="light", size=DESKTOP, script=None, **options):
        context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme,
                                       reduced_motion="reduce", accept_downloads=True, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.complaints = complaints
        complaints.watch(page)
        if script:
            page.add_init_script(script)
        answer = page.goto(server.url + path)
        if "not built" in answer.text() or "without its dashboard" in answer.text():
            pytest.skip("the program was built without its dashboard (npm was missing)")
        page.locator("main h1").wait_for()
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints.is_allowed or not complaints.texts, complaints.texts
