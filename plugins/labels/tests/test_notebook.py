"""The notebook of the documentation runs, and does what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

NOTEBOOK = Path(__file__).parents[3] / "docs" / "tutorials" / "counting.ipynb"


def cells() -> list[dict[str, Any]]:
    """Return the cells of the notebook."""
    found: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return found


class TestCounting:
    """docs/tutorials/counting.ipynb."""

    def test_runs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """From top to bottom, twice: the second time it replaces what it wrote."""
        matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
        pytest.importorskip("pandas", reason="pandas is not installed")
        matplotlib.use("agg")
        monkeypatch.chdir(tmp_path)
        for _ in range(2):
            names: dict[str, Any] = {"__name__": "__main__"}
            for number, cell in enumerate(cells()):
                if cell["cell_type"] == "code":
                    exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
            import matplotlib.pyplot as plt  # after the choice of what draws

            assert len(plt.get_fignums()) == 2
            bars = plt.figure(2).axes[0].patches
            assert sum(bar.get_height() for bar in bars) > 0.9 * names["areas"].size > 600
            plt.close("all")
        labels = np.asarray(zarr.open_group("cells.ome.zarr", mode="r")["labels/nuclei/0"])
        assert len(Path("nuclei.csv").read_text(encoding="utf-8").splitlines()) == labels.max() + 1 == names["nuclei"].count + 1
        np.testing.assert_array_equal(names["table"]["pixels"], np.bincount(labels.ravel())[1:])

    def test_kept_without_results(self) -> None:
        """The notebook holds no results, which would be those of another run."""
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells())
