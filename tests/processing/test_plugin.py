"""The built-in ops as a plugin."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from bioimageio_core.errors import UnknownExtensionError
from bioimageio_core.registry import Needs, ProcessingOp, ProcessingOpEntry

LISTING = """
import sys
from bioimageio_core.processing import descr_v0_4 as v0_4, descr_v0_5 as v0_5, plugin
entries = {e.name: e for e in plugin.bioimageio_processing_ops()}
axes = ("batch", "channel", "y", "x")
entries["softmax"].requirements(v0_5.SoftmaxKwargs(), axes)
entries["scale_range"].requirements(v0_5.ScaleRangeKwargs(), axes)
entries["clip"].requirements(v0_5.ClipKwargs(max_percentile=99), axes)
entries["zero_mean_unit_variance"].requirements(v0_4.ZeroMeanUnitVarianceKwargs(axes="yx", mode="per_sample"), axes)
heavy = {"numpy", "dask", "zarr", "torch", "onnxruntime", "yaml"} & set(sys.modules)
print(len(entries), sorted(heavy))
"""


class TestEntries:
    def test_laziness(self) -> None:
        """Listing ops and asking for their needs imports no numpy."""
        done = subprocess.run([sys.executable, "-c", LISTING], capture_output=True, text=True, check=True)
        assert done.stdout.split(maxsplit=1) == ["13", "[]\n"]

    def test_order_and_names(self, entries: dict[str, ProcessingOpEntry]) -> None:
        """Names are sorted but for those that are described only; each class carries the name."""
        for name, entry in entries.items():
            assert entry.name == name
            assert entry.summary
            for version, cls in entry.descr.items():
                field = {f.name: f for f in cls.__attrs_attrs__}["name" if version == "0.4" else "id"]  # type: ignore[attr-defined]
                assert field.default == name

    def test_postprocessing_only(self, entries: dict[str, ProcessingOpEntry]) -> None:
        """Some ops make no sense on inputs."""
        assert {name for name, entry in entries.items() if entry.where == ("postprocessing",)} == {
            "cellpose_flow_dynamics",
            "custom",
            "scale_mean_variance",
            "stardist_postprocessing",
        }

    def test_travel(self, entries: dict[str, ProcessingOpEntry]) -> None:
        """Entries can be sent to workers."""
        for entry in entries.values():
            assert pickle.loads(pickle.dumps(entry.load.args)) == entry.load.args  # type: ignore[attr-defined]

    def test_protocol(self, entries: dict[str, ProcessingOpEntry]) -> None:
        """Ops are callables with two arguments."""
        assert isinstance(entries["sigmoid"].load()(None, ("x",)), ProcessingOp)

    @pytest.mark.parametrize(
        ("name", "package"),
        [("cellpose_flow_dynamics", "bioimageio-runtime-cellpose"), ("stardist_postprocessing", "bioimageio-runtime-stardist")],
    )
    def test_described_only(self, entries: dict[str, ProcessingOpEntry], name: str, package: str) -> None:
        """Ops that plugins run are described, see the whole sample, and say what is missing when loaded."""
        assert entries[name].requirements(None, ("y", "x")) == Needs(whole_sample=True)
        with pytest.raises(UnknownExtensionError, match=rf"no installed plugin runs the processing step '{name}' \({package} brings it\)"):
            entries[name].load()
