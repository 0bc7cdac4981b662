"""dashboard: from opening the address to the first paint, in a Chromium that has nothing of it, and what goes over the wire.

The first paint is the browser's own figure (Paint Timing, first-contentful-paint); each run has a fresh context, so nothing is
cached. Pages come from the binary, compressed there at build time. There is no peer: the bounds are ours."""

import json
import statistics
import subprocess

import common
import servers

NAME, ORDER = "dashboard", 40
RUNS = 9
PAINT_MS, BUNDLE_KB = 1000, 450

# Runs in the Python of the tests (Playwright is there): prints one JSON object.
PROBE = r"""
import json, sys
from playwright.sync_api import sync_playwright

url, runs = sys.argv[1], int(sys.argv[2])
PAINT = "new Promise(done => new PerformanceObserver(list => { const e = list.getEntriesByName('first-contentful-paint'); \
e.length && done(e[0].startTime); }).observe({type: 'paint', buffered: true}))"
SIZES = "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]\
.filter(e => e.name.includes('/assets/') || e.entryType === 'navigation' || e.name.endsWith('.svg')).map(e => [e.name, e.encodedBodySize])"
paints, content, sizes = [], [], {}
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-background-networking"])
    for _ in range(runs):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(url)
        paints.append(page.evaluate(PAINT))
        page.locator("main h1").wait_for()
        content.append(page.evaluate("performance.now()"))
        context.close()
    context = browser.new_context()  # every page once, with its charts: the whole bundle
    page = context.new_page()
    for path in ("/", "/training", "/models", "/schedule"):
        page.goto(url + path)
        page.locator("main h1").wait_for()
        page.wait_for_timeout(800)
        sizes.update(page.evaluate(SIZES))
    print(json.dumps({"paints": paints, "content": content, "sizes": sizes, "version": browser.version}))
    browser.close()
"""


def bundle_bytes():
    """Every file of the build, as small as it is served."""
    folder, total = common.BUILD / "web", 0
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".gz", ".br")]
    for path in files:
        packed = path.with_name(path.name + ".br")
        total += (packed if packed.exists() else path).stat().st_size
    return total


def run(bench):
    python = subprocess.run([common.ROOT / "tools" / "venv.sh", "tests"], capture_output=True, text=True, check=True).stdout.strip()
    with servers.ours(bench) as server:
        server.wait_for("GET", "/health")
        probe = subprocess.run([python, "-c", PROBE, f"http://127.0.0.1:{server.port}", str(RUNS)], capture_output=True, text=True)
        if probe.returncode != 0:
            raise common.Failed(probe.stderr[-1000:])
        found = json.loads(probe.stdout)
    paint_ms, content_ms = statistics.median(found["paints"]), statistics.median(found["content"])
    loaded = sum(found["sizes"].values()) / 1000
    bundle = bundle_bytes() / 1000
    checked = f"page and its content shown in all {RUNS} runs; Chromium {found['version']}, headless"
    commands = [common.shown(servers.our_command(bench, 5050)), "open http://127.0.0.1:5050 in a fresh Chromium; PROBE in bench/row_dashboard.py"]
    return [
        common.line(f"dashboard, cold, to the first paint (median of {RUNS}; worst {max(found['paints']):.0f} ms)",
                    f"{paint_ms:.0f} ms", "", "", f"below {PAINT_MS} ms", paint_ms < PAINT_MS, checked, commands),
        common.line("to the heading of the page in the document", f"{content_ms:.0f} ms", "", "", "", None, checked, commands),
        common.line(f"bundle, compressed, all pages, charts and the font ({loaded:.0f} kB of it loaded by a walk through all pages)",
                    f"{bundle:.0f} kB", "", "", f"below {BUNDLE_KB} kB", bundle < BUNDLE_KB, "sum of the files as they are served", commands),
    ]
