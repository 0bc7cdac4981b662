"""What is written agrees with what is built: generated pages, help, and every command line of the hand-written ones."""
import filecmp
import re
import shlex

import pytest
from conftest import ROOT

PAGES = [page for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
         if page.exists() and "generated" not in page.parts]


def test_generated_pages_are_fresh(empty, tmp_path):
    empty.run("docs", "--out", tmp_path / "fresh")
    fresh = sorted(path.name for path in (tmp_path / "fresh").iterdir())
    kept = ROOT / "docs" / "generated"
    assert fresh == sorted(path.name for path in kept.iterdir()), "write them anew: build/almanac docs"
    stale = [name for name in fresh if not filecmp.cmp(tmp_path / "fresh" / name, kept / name, shallow=False)]
    assert not stale, f"write them anew: build/almanac docs; stale: {stale}"


@pytest.fixture
def helps(empty):
    """name -> help text, from the program itself."""
    names = re.findall(r"^  (\S+(?: \S+)*?)  +\S", empty.plain("help").stdout, re.M)
    assert len(names) > 20
    return {name: empty.plain("help", *name.split()).stdout for name in names}


def test_every_command_has_help(helps):
    for name, text in helps.items():
        assert text.startswith(f"usage: almanac {name}"), name
        assert "--data-dir" in text


def test_help_finds_its_words(empty):
    everything = empty.plain("help").stdout
    assert everything == empty.plain("--help").stdout
    assert empty.plain("train", "--league", "E0", "--help").stdout == empty.plain("help", "train").stdout
    group = empty.plain("models", "--help").stdout
    assert group == empty.plain("help", "models").stdout
    listed = re.findall(r"^  (models \S+)", group, re.M)
    assert len(listed) > 5 and listed == re.findall(r"^  (models \S+)", everything, re.M)
    for words in (("help", "frobnicate"), ("frobnicate", "--help"), ("help", "models", "frobnicate")):
        assert empty.plain(*words).returncode == 3


def logical_lines(text):
    """Lines of the fenced shell blocks, continued ones joined."""
    for block in re.findall(r"^```(?:sh|bash|console|shell|)\n(.*?)^```", text, re.M | re.S):
        yield from block.replace("\\\n", " ").splitlines()


def almanac_calls():
    for page in PAGES:
        text = page.read_text()
        candidates = list(logical_lines(text)) + re.findall(r"`((?:build/)?almanac [^`\n]+)`", text)
        for line in candidates:
            found = re.match(r"^\s*(?:\$ )?((?:\S*/)?almanac) +(\S.*)$", line)
            if found and not re.search(r"[<{]|\.\.\.|PATH|VERSION|COMMAND|FOLDER|FILE|FLAG", found[2]):
                yield page.relative_to(ROOT), found[2]


def test_commands_in_the_pages_parse(helps):
    """Command names exist, and so do their flags."""
    calls = list(almanac_calls())
    for page, call in calls:
        words = shlex.split(call.split(" | ")[0].split(" > ")[0].split(" &&")[0].rstrip("&; "), comments=True)
        name = next((known for known in sorted(helps, key=len, reverse=True) if words[:len(known.split())] == known.split()),
                    None)
        assert name, f"{page}: no command in 'almanac {call}'"
        for word in words:
            if word.startswith("--"):
                flag = word.partition("=")[0].replace("--no-", "--")
                assert flag in helps[name] or word in helps[name], f"{page}: '{call}': no flag {word}"
    if (ROOT / "README.md").exists():
        assert any(str(page) == "README.md" for page, _ in calls), "the README shows no command"


def test_pages_are_finished():
    for page in PAGES:
        assert not re.search(r"@@\w*@@|\bTBD\b", page.read_text()), f"{page}: something is left to fill in"


def test_make_targets_in_the_pages_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in PAGES:
        for target in re.findall(r"`make ([a-z]+)", page.read_text()):
            assert target in targets, f"{page}: make {target}"


def test_routes_in_the_readme_exist(empty, tmp_path):
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("no README yet")
    empty.run("docs", "--out", tmp_path / "fresh")
    routes = re.findall(r"^\| (\w+) \| `([^`]+)`", (tmp_path / "fresh" / "api.md").read_text(), re.M)
    assert len(routes) >= 9
    for method, path in re.findall(r"`(GET|POST|PUT|DELETE) (/[^`\s?]*)", readme.read_text()):
        assert any(method == known and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path)
                   for known, pattern in routes), f"{method} {path}"


@pytest.mark.parametrize("arguments", [[], ["frobnicate"], ["models"], ["models", "frobnicate"], ["train", "--nonsense"],
                                       ["train", "surplus"], ["features", "build", "--csv=maybe"], ["serve", "--port"]])
def test_wrong_command_lines(empty, arguments):
    done = empty.run(*arguments, check=False) if arguments else empty.plain()
    assert done.returncode in (2, 3) and "almanac" in done.stderr
    assert not (empty.data_dir / "almanac.db").exists()


def test_version_and_doctor(trained):
    assert re.match(r"almanac \d+\.\d+\.\d+\n", trained.run("version").stdout)
    assert "all whole" in trained.run("doctor").stdout


def test_doctor_names_a_damaged_model(trained):
    path = next((trained.data_dir / "models").rglob("*.model"))
    path.write_bytes(path.read_bytes()[:-7])
    done = trained.run("doctor", check=False)
    assert done.returncode == 11 and path.stem in done.text
