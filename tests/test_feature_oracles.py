"""Every oracle in tests/reference (families_*.py) against the program: all rows of a matrix of simulated seasons."""
import json
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT, Almanac

ORACLES = sorted(path.name for path in (ROOT / "tests" / "reference").glob("families_*.py"))


@pytest.fixture(scope="module")
def exported(imported_once, tmp_path_factory):
    """A data directory with feature_matrix_last.csv."""
    folder = tmp_path_factory.mktemp("exported")
    shutil.copytree(imported_once.data_dir, folder / "data")
    almanac = Almanac(folder / "data", folder)
    almanac.run("features", "build", "--csv")
    return almanac


@pytest.mark.parametrize("oracle", ORACLES)
def test_every_row_equals_the_definition(exported, oracle):
    done = subprocess.run([sys.executable, ROOT / "tests" / "reference" / oracle, "--data-dir", exported.data_dir],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report and all(not family["off"] and family["values"] > 5000 for family in report.values())
