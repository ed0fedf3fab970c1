"""A session with napari, as a process of its own: opens a large image, looks at places of it, and previews what is seen last.

Arguments: the image, a model, views as JSON (magnification and number of the square in the middle; 0 for all of the image), and the file
to write, with what was seen.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import napari
import numpy as np
from bioimageio_runtime_napari.reader import get_reader
from bioimageio_runtime_napari.widget import PredictWidget
from large_image import PIXEL, SQUARE
from napari.layers import Layer
from qtpy.QtCore import QEventLoop
from qtpy.QtWidgets import QApplication

import bioimageio_core as bc
from bioimageio_core.resources import peak_memory


def wait_for(panel: PredictWidget, action: Callable[[], None]) -> None:
    """Do something that starts a task, and wait for its end."""
    loop = QEventLoop()
    panel.finished.connect(loop.quit)
    action()
    loop.exec()
    panel.finished.disconnect(loop.quit)


def draw(viewer: Any) -> np.ndarray:
    """Return what the canvas shows; the first drawing chooses the level and the part."""
    viewer.screenshot(canvas_only=True, flash=False)
    return np.asarray(viewer.screenshot(canvas_only=True, flash=False))[..., :3]


def main(image: str, model: str, views: str, written: str) -> None:
    """Take what any image takes, then the large one."""
    viewer = napari.Viewer()
    panel = PredictWidget(viewer)
    viewer.window.add_dock_widget(panel)
    for data, attributes, kind in bc.layers(np.zeros((64, 64), np.float32), labels=np.ones((64, 64), np.uint32), axes="yx"):
        viewer.add_layer(Layer.create(data, attributes, kind))
    draw(viewer)
    panel.model.setText(model)
    wait_for(panel, panel.model.editingFinished.emit)
    wait_for(panel, panel.preview.click)
    viewer.layers.clear()
    QApplication.processEvents()  # drawings of layers that are gone would end the process
    before = peak_memory()

    read = get_reader(image)
    assert read is not None
    for data, attributes, kind in read(image):
        viewer.add_layer(Layer.create(data, attributes, kind))
    if panel.status.text().startswith("plans"):
        wait_for(panel, lambda: None)
    viewer.reset_view()
    found: dict[str, Any] = {"levels": []}
    for number, (zoom, square) in enumerate(json.loads(views)):
        if zoom:
            viewer.camera.zoom = zoom / PIXEL
            viewer.camera.center = ((square + 0.5) * SQUARE * PIXEL,) * 2
        found[f"shot{number}"] = draw(viewer)
        found[f"place{number}"] = [*(at / PIXEL for at in viewer.camera.center[-2:]), viewer.camera.zoom * PIXEL]
        found["levels"].append([layer.data_level for layer in viewer.layers])
    shown, labels = viewer.layers
    found["colours"] = np.array([labels.get_color(n)[:3] for n in range(1, 21)])
    found |= {"limits": shown.contrast_limits, "opacity": labels.opacity}

    wait_for(panel, panel.preview.click)
    output = viewer.layers[-1]
    found |= {"status": panel.status.text(), "output": np.asarray(output.data), "at": np.asarray(output.translate) / PIXEL}
    found |= {"grown": (peak_memory() or 0) - (before or 0)}
    np.savez(written, **found)
    viewer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
