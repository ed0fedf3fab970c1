"""The panel that predicts a layer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import create_worker

from bioimageio_core.errors import BioimageioError
from bioimageio_core.text import in_brief

from .layer_image import image_of_layer, visible_region
from .runs import Cancelled, describe_fit, describe_model, model_axes, predict_layers

__all__ = ["PredictWidget"]


class _Progress(QObject):  # type: ignore[misc]  # Qt is not followed
    """Carries progress from the threads of a run to that of the window."""

    made = Signal(str, int, int)


class PredictWidget(QWidget):  # type: ignore[misc]  # Qt is not followed
    """Chooses a model and a layer, says whether they fit, and predicts the visible region or all of the layer.

    Models are looked at, and run, in a thread of their own, one task at a time; the window stays usable.
    """

    finished = Signal()
    """Emitted when a task has ended, whether it succeeded or not."""

    def __init__(self, napari_viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = napari_viewer
        self._worker: Any = None
        self._next: Callable[[], None] | None = None
        """What was asked for while a task ran, and follows it."""
        self._cancelled = threading.Event()
        self._progress = _Progress(self)
        self._progress.made.connect(self._show_progress)
        self._make_controls()
        for event in (self._viewer.layers.events.inserted, self._viewer.layers.events.removed):
            event.connect(self._list_layers)
        self._list_layers()
        self._update_buttons()

    def _make_controls(self) -> None:
        self.model = QLineEdit(placeholderText="file, folder, URL or id")
        self.model.editingFinished.connect(self._look_at_model)
        file, folder = QPushButton("File..."), QPushButton("Folder...")
        file.clicked.connect(lambda: self._choose(QFileDialog.getOpenFileName(self, "Model")[0]))
        folder.clicked.connect(lambda: self._choose(QFileDialog.getExistingDirectory(self, "Model")))
        self.layer = QComboBox()
        self.layer.currentIndexChanged.connect(self._check_fit)
        self.output = QLineEdit(placeholderText="result.zarr, or empty for memory")
        self.about, self.status = QLabel(), QLabel()
        for label in (self.about, self.status):
            label.setWordWrap(True)
        self.preview, self.predict, self.cancel = QPushButton("Preview"), QPushButton("Predict"), QPushButton("Cancel")
        self.preview.setToolTip("Predict what is visible, as if it were the whole image")
        self.predict.setToolTip("Predict the layer")
        self.preview.clicked.connect(lambda: self._start_prediction(only_visible=True))
        self.predict.clicked.connect(lambda: self._start_prediction(only_visible=False))
        self.cancel.clicked.connect(self._cancelled.set)
        self.bar = QProgressBar()
        self.bar.setVisible(False)
        form = QFormLayout()
        form.addRow("Model", self.model)
        form.addRow("", _row(file, folder))
        form.addRow("", self.about)
        form.addRow("Layer", self.layer)
        form.addRow("Write to", self.output)
        whole = QVBoxLayout(self)
        whole.addLayout(form)
        whole.addWidget(_row(self.preview, self.predict, self.cancel))
        whole.addWidget(self.bar)
        whole.addWidget(self.status)
        whole.addStretch()

    def _choose(self, path: str) -> None:
        if path:
            self.model.setText(path)
            self._look_at_model()

    def _list_layers(self, event: Any = None) -> None:
        """List the images of the viewer; the chosen one stays chosen."""
        chosen = self.layer.currentText()
        names = [layer.name for layer in self._viewer.layers if type(layer).__name__ == "Image"]
        self.layer.blockSignals(True)
        self.layer.clear()
        self.layer.addItems(names)
        self.layer.setCurrentIndex(max(0, names.index(chosen)) if chosen in names else len(names) - 1)
        self.layer.blockSignals(False)
        if self.layer.currentText() != chosen:
            self._check_fit()

    def _chosen_layer(self) -> Any:
        name = self.layer.currentText()
        return self._viewer.layers[name] if name else None

    def _look_at_model(self) -> None:
        """Show what a model is, then whether it takes the layer."""
        model = self.model.text().strip()
        self.about.clear()
        if self._worker is not None:
            self._next = self._look_at_model
            return
        self._update_buttons()
        if model:
            self._start("looks at the model", lambda: describe_model(model), self._show_model)

    def _show_model(self, text: str) -> None:
        self.about.setText(text)
        self._check_fit()

    def _check_fit(self, *_: Any) -> None:
        """Show whether the model takes the layer."""
        model, layer = self.model.text().strip(), self._chosen_layer()
        if self._worker is not None:
            self._next = self._next or self._check_fit
            return
        self._update_buttons()
        if model and self.about.text() and layer is not None:
            self._start("plans", lambda: describe_fit(model, image_of_layer(layer)), self.status.setText)

    def _start_prediction(self, *, only_visible: bool) -> None:
        model, layer = self.model.text().strip(), self._chosen_layer()
        if not model or layer is None or self._worker is not None:
            return
        output = self.output.text().strip() or None
        point = self._viewer.dims.point
        self._cancelled.clear()

        def run() -> list[Any]:
            image = image_of_layer(layer)
            if only_visible:
                image = visible_region(layer, image, point, model_axes(model))
            return predict_layers(model, image, None if only_visible else output, self._report)

        self._start("predicts", run, self._add)

    def _report(self, stage: str, done: int, total: int) -> None:
        """Pass progress on, from any thread; end the run once it is cancelled.

        Raises:
            Cancelled: The user cancelled the run.

        """
        if self._cancelled.is_set():
            raise Cancelled("cancelled")
        self._progress.made.emit(stage, done, total)

    def _show_progress(self, stage: str, done: int, total: int) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.status.setText(stage)

    def _add(self, layers: list[Any]) -> None:
        for data, attributes, kind in layers:
            getattr(self._viewer, f"add_{kind}")(data, **attributes)
        self.status.setText("done: " + ", ".join(attributes["name"] for _, attributes, _ in layers))

    def _start(self, doing: str, function: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Call a function in a thread, and another with its result in the thread of the window."""
        if self._worker is not None:
            return
        self.status.setText(doing)
        self._worker = create_worker(_outcome, function)
        self._worker.returned.connect(lambda outcome: self._end(outcome, then))
        self._update_buttons()
        self._worker.start()

    def _end(self, outcome: tuple[Any, str | None], then: Callable[[Any], None]) -> None:
        result, failure = outcome
        self._worker = None
        self.bar.setVisible(False)
        self._update_buttons()
        if failure is None:
            then(result)
        else:
            self.status.setText(failure)
        following, self._next = self._next, None
        if following is not None:
            following()
        if self._worker is None:
            self.finished.emit()

    def closeEvent(self, event: Any) -> None:  # noqa: N802  (a method of Qt)
        """End a run whose panel is closed."""
        self._cancelled.set()
        super().closeEvent(event)

    def _update_buttons(self) -> None:
        running = self._worker is not None
        ready = bool(self.model.text().strip()) and self._chosen_layer() is not None and not running
        self.preview.setEnabled(ready)
        self.predict.setEnabled(ready)
        self.cancel.setEnabled(running)
        self.bar.setVisible(running)
        if running:
            self.bar.setRange(0, 0)


def _outcome(function: Callable[[], Any]) -> tuple[Any, str | None]:
    """Return the result of a function, or in one sentence why there is none.

    Workers of Qt take some errors for signs that the window is gone, so no error leaves this function.
    """
    try:
        return function(), None
    except BioimageioError as error:
        return None, str(error)
    except Exception as error:  # of the code of plugins and frameworks
        return None, in_brief(error, named=True)


def _row(*widgets: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    return row
