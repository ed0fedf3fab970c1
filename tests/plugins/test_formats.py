"""Formats of all plugins of this project beside each other: no file is of two of them.

``nox -s plugins`` names the Python that has the plugins in BMZ_PLUGINS_PYTHON.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

PYTHON = os.environ.get("BMZ_PLUGINS_PYTHON", "")

pytestmark = pytest.mark.skipif(not PYTHON, reason="BMZ_PLUGINS_PYTHON names no Python with the plugins: run 'nox -s plugins'")

FITTING = """
import json, sys
from fnmatch import fnmatchcase
from pathlib import Path
import bioimageio_core as bc

formats = bc.plugins().foreign_formats.values()
found = {}
for name in sys.argv[1:]:
    path = Path(name)
    named = [f for f in formats if any(fnmatchcase(path.name.lower(), p.lower()) for p in f.patterns)]
    found[name] = [f.name for f in named if f.load().sniff(path)]
print(json.dumps({"formats": [f.name for f in formats], "found": found}))
"""

OURS = {"care_plain.zip": "csbdeep", "care_prob.zip": "csbdeep", "sd2d.zip": "stardist", "care_plain": "csbdeep", "sd2d": "stardist"}


def test_no_file_is_of_two(shared: Path) -> None:
    """Files and folders that other systems wrote, and models of this one, which are of none."""
    fixtures, models = shared / "formats" / "fixtures", shared / "models"
    folders = [folder for folder in (*fixtures.iterdir(), models, *models.iterdir()) if folder.is_dir()]
    paths = [path for folder in folders for path in sorted(folder.iterdir())]
    done = subprocess.run([PYTHON, "-P", "-c", FITTING, *map(str, paths)], capture_output=True, text=True, check=True, timeout=300)
    answer = json.loads(done.stdout)
    assert {"apeer", "csbdeep", "stardist"} <= {*answer["formats"]}
    assert not {path: names for path, names in answer["found"].items() if len(names) > 1}
    for name, wanted in OURS.items():
        assert answer["found"][str(fixtures / "csbdeep" / name)] == [wanted]
