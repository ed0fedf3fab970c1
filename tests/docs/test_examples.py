"""The examples of plugins in the documentation: short, whole, and right; ``tests/registry/test_hooks.py`` installs and uses them."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from made_sites import EXAMPLES, Site

from bioimageio_core.registry import collect

DOCS = EXAMPLES.parent
HOW_TO = {
    "op": "invert_op",
    "op-with-files": "flat_field_op",
    "labelling-op": "spots_op",
    "weights-format": "npz_weights",
    "run-mode": "repeat_mode",
    "foreign-format": "tiny_format",
    "image-reader": "mrc_reader",
    "image-writer": "mrc_writer",
    "types": "shift_op",
}
"""The example of each how-to."""

CHECK = """
import json
from bioimageio_core.registry import collect
from bioimageio_core.testing.check import check_entries
entries = [key for key, plugin in collect().provenance.items() if plugin.version == "1.0"]
print(json.dumps([(c.name, c.outcome, c.what, c.why, c.example) for c in check_entries(entries)]))
"""
"""Prints what is found of the entries of the site's distributions."""


class TestExamples:
    """``docs/examples``."""

    @pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
    def test_collected(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each is a whole plugin of fewer than 40 lines of code, and has nothing that is wrong."""
        assert sum(bool(line.strip()) for line in path.read_text(encoding="utf-8").splitlines()) < 40
        monkeypatch.syspath_prepend(str(EXAMPLES))
        registry = collect([EntryPoint(name=path.stem, value=path.stem, group="bioimageio_core")])
        assert registry.failures == ()
        assert registry.provenance

    def test_shown(self) -> None:
        """Each has a how-to that shows it, and the other way round."""
        assert {p.stem for p in EXAMPLES.glob("*.py")} == set(HOW_TO.values())
        assert {p.stem for p in (DOCS / "howto").glob("*.md")} == set(HOW_TO)
        for page, example in HOW_TO.items():
            assert f"{{literalinclude}} ../examples/{example}.py" in (DOCS / "howto" / f"{page}.md").read_text(encoding="utf-8")


class TestChecked:
    """``bmz plugins check`` on the examples."""

    def test_pass(self, tmp_path: Path) -> None:
        """All entries of all of them, and of the plugin of the page on plugins, in one process: nothing fails."""
        site = Site(tmp_path)
        for path in EXAMPLES.glob("*.py"):
            site.install_example(path.stem)
        (gamma,) = re.findall(r"^```python\n(# gamma_plugin\.py\n.*?)^```", (DOCS / "plugins.md").read_text(encoding="utf-8"), re.S | re.M)
        site.install("gamma-plugin", gamma)
        found = site.python(CHECK)
        names = {"flat_field", "gamma", "invert", "mrc", "npz", "npz_numpy", "repeat", "shift", "spots", "tiny"}
        assert {name for name, *_ in found} == names
        assert [line for line in found if line[1] == "failed"] == []
        assert sum(outcome == "passed" for _, outcome, *_ in found) > 60
