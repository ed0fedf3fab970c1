"""The panel in a window of napari, with real models."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bioimageio_runtime_napari import runs
from bioimageio_runtime_napari.widget import PredictWidget
from made_models import box_model, pointwise_model
from scipy import ndimage

import bioimageio_core as bc

IMAGE = np.random.default_rng(0).random((300, 400)).astype(np.float32)
SCALE, SHIFT = (0.5, 0.5), (10.0, 20.0)
WAIT = 120_000
"""Milliseconds that a task may take on a slow machine."""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A mean over 3 x 3 pixels."""
    (tmp_path / "model").mkdir()
    return box_model(tmp_path / "model", {"min": 16, "step": 1})


@pytest.fixture
def viewer(make_napari_viewer: Callable[..., Any]) -> Any:
    """A window with an image."""
    opened = make_napari_viewer()
    opened.add_image(IMAGE, name="cells", scale=SCALE, translate=SHIFT, units=("micrometer", "micrometer"))
    return opened


@pytest.fixture
def panel(viewer: Any, qtbot: Any) -> PredictWidget:
    """The panel of the window."""
    made = PredictWidget(viewer)
    qtbot.addWidget(made)
    return made


def choose(panel: PredictWidget, qtbot: Any, model: Path | str) -> None:
    """Choose a model, and wait until the panel says whether it fits."""
    panel.model.setText(str(model))
    with qtbot.waitSignal(panel.finished, timeout=WAIT):
        panel.model.editingFinished.emit()


def click(button: Any, panel: PredictWidget, qtbot: Any) -> None:
    with qtbot.waitSignal(panel.finished, timeout=WAIT):
        button.click()


class TestModel:
    """What the panel says of a model."""

    def test_fits(self, panel: PredictWidget, qtbot: Any, model: Path) -> None:
        """Its tensors, and that it takes the layer."""
        assert not panel.predict.isEnabled()
        choose(panel, qtbot, model)
        assert panel.about.text().splitlines() == ["made model", "takes raw: batch, channel, y, x", "gives out: batch, channel, y, x"]
        assert panel.status.text().startswith("fits, in ")
        assert panel.predict.isEnabled()
        assert not panel.cancel.isEnabled()

    def test_does_not_fit(self, panel: PredictWidget, qtbot: Any, tmp_path: Path) -> None:
        """The reason, in one sentence."""
        (tmp_path / "volumes").mkdir()
        choose(panel, qtbot, pointwise_model(tmp_path / "volumes", axes=("z", "y", "x"), size={"min": 8, "step": 8}, names=("a", "b")))
        assert "channel" in panel.status.text()

    def test_model_changed_meanwhile(self, panel: PredictWidget, qtbot: Any, model: Path) -> None:
        """The model that was chosen last is shown."""
        panel.model.setText("no-such-folder/model.zip")
        with qtbot.waitSignal(panel.finished, timeout=WAIT):
            panel.model.editingFinished.emit()
            panel.model.setText(str(model))
            panel.model.editingFinished.emit()
        assert panel.about.text().startswith("made model")
        assert panel.status.text().startswith("fits, in ")

    def test_missing(self, panel: PredictWidget, qtbot: Any) -> None:
        """What is wrong."""
        choose(panel, qtbot, "no-such-folder/model.zip")
        assert "no-such-folder" in panel.status.text()
        assert panel.about.text() == ""

    def test_layers(self, panel: PredictWidget, viewer: Any) -> None:
        """Images of the window, as they come and go; labels are none."""
        viewer.add_labels(np.zeros((8, 8), int), name="nuclei")
        viewer.add_image(np.zeros((8, 8)), name="other")
        assert [panel.layer.itemText(n) for n in range(panel.layer.count())] == ["cells", "other"]
        assert panel.layer.currentText() == "cells"
        viewer.layers.remove("cells")
        assert panel.layer.currentText() == "other"


class TestPrediction:
    """Results as layers."""

    def test_all(self, panel: PredictWidget, viewer: Any, qtbot: Any, model: Path) -> None:
        """The output lies on its image, and equals that of the library."""
        choose(panel, qtbot, model)
        click(panel.predict, panel, qtbot)
        output = viewer.layers["cells out"]
        np.testing.assert_allclose(np.asarray(output.data), ndimage.uniform_filter(IMAGE, 3, mode="reflect"), atol=1e-5)
        np.testing.assert_allclose(output.scale, SCALE)
        np.testing.assert_allclose(output.translate, SHIFT)
        assert [str(unit) for unit in output.units] == ["micrometer", "micrometer"]
        assert panel.status.text() == "done: cells out"

    def test_visible(self, panel: PredictWidget, viewer: Any, qtbot: Any, model: Path) -> None:
        """The output of the visible region lies where that is."""
        choose(panel, qtbot, model)
        viewer.layers["cells"].corner_pixels = np.array([[100, 150], [199, 349]])
        click(panel.preview, panel, qtbot)
        output = viewer.layers["cells out"]
        assert output.data.shape == (100, 200)
        np.testing.assert_allclose(output.translate, (10 + 100 * 0.5, 20 + 150 * 0.5))
        inside = np.asarray(output.data)[1:-1, 1:-1]
        np.testing.assert_allclose(inside, ndimage.uniform_filter(IMAGE, 3)[101:199, 151:349], atol=1e-5)

    def test_written(self, panel: PredictWidget, viewer: Any, qtbot: Any, model: Path, tmp_path: Path) -> None:
        """A result may be a folder, with levels."""
        choose(panel, qtbot, model)
        panel.output.setText(str(tmp_path / "result.zarr"))
        click(panel.predict, panel, qtbot)
        assert viewer.layers["cells out"].multiscale
        np.testing.assert_allclose(np.asarray(viewer.layers["cells out"].data[0]), ndimage.uniform_filter(IMAGE, 3), atol=1e-5)

    def test_labels(self, panel: PredictWidget, viewer: Any, qtbot: Any, tmp_path: Path) -> None:
        """Classes become labels."""
        (tmp_path / "classes").mkdir()
        choose(panel, qtbot, pointwise_model(tmp_path / "classes", gain=4.0, out_dtype="uint8"))
        click(panel.predict, panel, qtbot)
        assert type(viewer.layers["cells out"]).__name__ == "Labels"

    def test_cancelled(self, panel: PredictWidget, viewer: Any, qtbot: Any, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The run ends at its next block, and adds nothing; the next run is a run."""
        choose(panel, qtbot, model)
        waiting, cancelled = threading.Event(), threading.Event()

        def slow(model: str, image: Any, output: Any, progress: Callable[[str, int, int], None]) -> list[Any]:
            waiting.set()
            assert cancelled.wait(60)
            return runs.predict_layers(model, image, output, progress)

        monkeypatch.setattr("bioimageio_runtime_napari.widget.predict_layers", slow)
        with qtbot.waitSignal(panel.finished, timeout=WAIT):
            panel.predict.click()
            assert waiting.wait(60)
            assert not panel.predict.isEnabled()
            panel.cancel.click()
            cancelled.set()
        assert panel.status.text() == "cancelled"
        assert len(viewer.layers) == 1
        click(panel.predict, panel, qtbot)
        assert len(viewer.layers) == 2

    def test_failure(self, panel: PredictWidget, viewer: Any, qtbot: Any, model: Path, tmp_path: Path) -> None:
        """An error is one sentence, and the panel stays usable."""
        choose(panel, qtbot, model)
        panel.output.setText(str(tmp_path / "result.czi"))
        click(panel.predict, panel, qtbot)
        assert "result.czi" in panel.status.text()
        assert panel.predict.isEnabled()
        assert len(viewer.layers) == 1


class TestInstalled:
    """What napari finds."""

    def test_manifest(self) -> None:
        """The panel and the reader are described as npe2 expects."""
        npe2 = pytest.importorskip("npe2")
        manifest = npe2.PluginManifest.from_file(Path(runs.__file__).with_name("napari.yaml"))
        assert {command.id.rpartition(".")[2] for command in manifest.contributions.commands} == {"predict", "read"}
        for command in manifest.contributions.commands:
            module, _, name = command.python_name.partition(":")
            assert hasattr(__import__(module, fromlist=[name]), name)


class TestReader:
    """Results of predictions."""

    def test_results(self, model: Path, tmp_path: Path, make_napari_viewer: Callable[..., Any]) -> None:
        """Open with their levels."""
        from bioimageio_runtime_napari.reader import get_reader
        from napari.layers import Layer

        bc.predict(model, IMAGE, tmp_path / "result.zarr", axes="yx")
        read = get_reader(str(tmp_path / "result.zarr"))
        assert read is not None
        ((data, attributes, kind),) = read(str(tmp_path / "result.zarr"))
        viewer = make_napari_viewer()
        viewer.add_layer(Layer.create(data, attributes, kind))
        np.testing.assert_allclose(np.asarray(viewer.layers[0].data[0]), ndimage.uniform_filter(IMAGE, 3), atol=1e-5)

    def test_others(self, tmp_path: Path) -> None:
        """Are left to other plugins."""
        import zarr
        from bioimageio_runtime_napari.reader import get_reader

        zarr.create_group(str(tmp_path / "other.zarr"))
        assert get_reader(str(tmp_path / "other.zarr")) is None
        assert get_reader(str(tmp_path / "none.zarr")) is None
        assert get_reader([]) is None
