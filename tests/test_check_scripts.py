"""The project's own checkers find what they are there to find: each case plants one fault in a small tree.
And the pages written by hand name only files that exist."""
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"

CLEAN = {
    "LAYERS": "base:\nos: base\ncli: *\n",
    "src/base/sum.h": "#ifndef SUM_H\n#define SUM_H\nint sum_add(int a, int b);\n#endif\n",
    "src/base/sum.c": '#include "base/sum.h"\n\nint sum_add(int a, int b) {\n    return a + b;\n}\n',
    "src/os/tell.c": '#include "base/sum.h"\n/* system("x") and strcpy(a, b) are only words here */\n'
    'static const char *const text = "strcpy(a, b)";\n',
    "src/cli/show.c": '#include "base/sum.h"\n#include <stdio.h>\nvoid show(void) {\n    puts("printed");\n}\n',
}


def long_function(lines):
    return "int long_one(int a) {\n" + "    a++;\n" * (lines - 3) + "    return a;\n}\n"


def run(script, root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return subprocess.run([TOOLS / script, root], capture_output=True, text=True, timeout=300)


LAYER_FAULTS = {
    "upwards": ({"src/base/up.c": '#include "os/clock.h"\n', "src/os/clock.h": "int clock_now(void);\n"},
                "src/base/up.c:1: base may not include"),
    "no such file": ({"src/os/lost.c": '#include "base/lost.h"\n'}, "src/os/lost.c:1:"),
    "beside": ({"src/os/near.c": '#include "near.h"\n', "src/os/near.h": "int near(void);\n"}, "written from src/"),
    "way round": ({"src/base/round.c": '#include "base/../base/sum.h"\n'}, "src/base/round.c:1:"),
    "folder without a row": ({"src/extra/x.c": "int x;\n"}, "folder extra has no row"),
    "row pointing up": ({"LAYERS": "base: os\nos: base\ncli: *\n"}, "base may include os"),
    "header not alone": ({"src/base/wide.h": "size_t wide_size(void);\n"}, "src/base/wide.h: does not compile alone"),
}


def test_a_clean_tree_passes_both(tmp_path):
    for script in ("check_layers.sh", "check_style.sh"):
        result = run(script, tmp_path, CLEAN)
        assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", LAYER_FAULTS)
def test_layer_fault_is_found(tmp_path, name):
    files, expected = LAYER_FAULTS[name]
    result = run("check_layers.sh", tmp_path, {**CLEAN, **files})
    assert result.returncode == 1
    assert expected in result.stdout


STYLE_FAULTS = {
    "banned call": ("src/base/copy.c", "void f(char *a) {\n    strcpy(a, \"x\");\n}\n", "copy.c:2: strcpy() is banned"),
    "bare fork": ("src/os/child.c", "int f(void) {\n    return fork();\n}\n", "fork() is banned"),
    "printing library": ("src/base/tell.c", "void f(void) {\n    printf(\"x\");\n}\n", "printf() in a library"),
    "stderr in library": ("src/base/tell.c", "void f(void) {\n    fprintf(stderr, \"x\");\n}\n", "stdout or stderr"),
    "typedef": ("src/base/type.h", "typedef struct pair {\n    int a;\n} pair;\n", "no typedefs"),
    "NDEBUG": ("src/base/bug.c", "#define NDEBUG\n", "asserts are always on"),
    "leftover": ("src/base/later.c", "/* " + "TO" + "DO: later */\n", "leftover mark"),
    "long function": ("src/base/long.c", long_function(71), "long_one() has 71 lines"),
    "long file": ("src/base/long.c", "int x;\n" * 1001, "1001 lines"),
}


@pytest.mark.parametrize("name", STYLE_FAULTS)
def test_style_fault_is_found(tmp_path, name):
    path, text, expected = STYLE_FAULTS[name]
    result = run("check_style.sh", tmp_path, {**CLEAN, path: text})
    assert result.returncode == 1
    assert expected in result.stdout


def test_what_is_allowed_passes(tmp_path):
    files = {
        "src/base/long.c": long_function(70),
        "src/base/file.c": "int x;\n" * 1000,
        "src/base/member.c": "void f(struct os *os) {\n    os->fork(1);\n    rand_next();\n}\n",
        "src/base/call.h": "typedef int call_back(struct thing *thing);\n",
        "src/base/sum_test.c": "void f(void) {\n    printf(\"tests may\");\n}\n",
    }
    result = run("check_style.sh", tmp_path, {**CLEAN, **files})
    assert result.returncode == 0, result.stdout


PAGES = ["README.md", "CONTRIBUTING.md"] + sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_files_named_by_a_page_exist(page):
    named = re.findall(r"`((?:src|tools|tests|docs|fuzz|bench|clients|\.ci)/[A-Za-z0-9_./-]+)`", (ROOT / page).read_text())
    missing = [path for path in named if not (ROOT / path).exists()]
    assert not missing
