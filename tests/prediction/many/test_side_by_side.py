"""Small images run side by side: in order, with one network, within the memory budget."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import half_micrometer_model, pointwise_model

import bioimageio_core as bc
from bioimageio_core.errors import PredictionWarning
from bioimageio_core.io import open_image
from bioimageio_core.prediction.many.side_by_side import SideBySide
from bioimageio_core.prediction.model import network as network_module
from bioimageio_core.prediction.output.result import Prediction
from bioimageio_core.prediction.planning.plan import Plan


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Twice the image, after it is normalised by its own mean and deviation."""
    (tmp_path / "model").mkdir()
    measured = [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "y", "x"]}}]
    return pointwise_model(tmp_path / "model", gain=2.0, pre=measured)


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Twelve images of three sizes, each with its own values."""
    folder = tmp_path / "images"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(12):
        np.save(folder / f"{number:02}.npy", random.normal(number, 3, (24 + 8 * (number // 4), 40)).astype(np.float32))
    return sorted(folder.iterdir())


class Networks:
    """Counts networks that are loaded and closed, and calls of those that are closed."""

    def __init__(self) -> None:
        self.loaded = self.closed = self.calls_after_closing = 0

    def counted(self, adapter: Any) -> Any:
        """Return an adapter that is counted."""
        self.loaded += 1
        return CountedAdapter(adapter, self)


class CountedAdapter:
    """Counts in `Networks` what happens to an adapter."""

    def __init__(self, adapter: Any, networks: Networks) -> None:
        self._adapter, self._networks, self._is_closed = adapter, networks, False

    def __call__(self, inputs: Any) -> Any:
        """Call the network."""
        self._networks.calls_after_closing += self._is_closed
        return self._adapter(inputs)

    def close(self) -> None:
        """Unload it."""
        self._networks.closed += 1
        self._is_closed = True


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Networks:
    """The networks of a test."""
    found, load = Networks(), network_module.load_adapter
    monkeypatch.setattr(network_module, "load_adapter", lambda *args, **more: found.counted(load(*args, **more)))
    return found


def expected(image: Path) -> np.ndarray:
    """Return what the model gives."""
    values = np.load(image).astype(np.float64)
    return 2 * (values - values.mean()) / (values.std() + 1e-6)


class TestPredictMany:
    """What users see."""

    def test_results_are_in_order(self, tmp_path: Path, model: Path, images: list[Path]) -> None:
        """Each result is that of its image, in the order of the images, and on the disk when it is yielded."""
        for image, result in zip(images, bc.predict_many(model, images, tmp_path / "out", axes="yx"), strict=True):
            assert isinstance(result, Prediction)
            written = open_image(tmp_path / "out" / f"{image.stem}.zarr").read((slice(None),) * 3)
            np.testing.assert_allclose(written[0], expected(image), rtol=1e-5, atol=1e-5)  # float32 throughout

    def test_a_failure_keeps_its_place(self, tmp_path: Path, model: Path, images: list[Path]) -> None:
        """An image that cannot be read while others run is a failure in its place, and leaves no output that looks complete."""
        content = images[5].read_bytes()
        images[5].write_bytes(content[: len(content) // 2])
        found = list(bc.predict_many(model, images, tmp_path / "out", axes="yx"))
        assert [n for n, one in enumerate(found) if isinstance(one, bc.Failed)] == [5]
        assert not (tmp_path / "out" / f"{images[5].stem}.zarr" / "zarr.json").exists()

    def test_who_stops_early(self, tmp_path: Path, model: Path, images: list[Path]) -> None:
        """After the iterator is closed no thread is left, and each output that looks complete is."""
        results = bc.predict_many(model, images, tmp_path / "out", axes="yx")
        next(results)
        results.close()  # type: ignore[attr-defined]  # it is a generator
        assert not [t.name for t in threading.enumerate() if t.name.startswith("bioimageio_core-image")]
        complete = [p for p in (tmp_path / "out").iterdir() if (p / "zarr.json").exists()]
        assert 1 <= len(complete) < len(images)
        for path in complete:
            written = open_image(path).read((slice(None),) * 3)
            np.testing.assert_allclose(written[0], expected(tmp_path / "images" / f"{path.stem}.npy"), rtol=1e-5, atol=1e-5)

    def test_the_network_is_loaded_once(self, tmp_path: Path, model: Path, images: list[Path], networks: Networks) -> None:
        """Images of all sizes share one network, which is unloaded at the end."""
        assert all(isinstance(r, Prediction) for r in bc.predict_many(model, images, tmp_path / "out", axes="yx"))
        assert (networks.loaded, networks.closed) == (1, 1)

    def test_small_and_large_in_turn(self, tmp_path: Path, model: Path, images: list[Path], networks: Networks) -> None:
        """Large images among small ones are cut into blocks, and leave no network in use or loaded."""
        for number in (3, 7, 8):
            np.save(images[number], np.ones((1200, 1300), np.float32))
        found = list(bc.predict_many(model, images, tmp_path / "out", axes="yx", block=600))
        assert [one for one in found if isinstance(one, bc.Failed)] == []
        assert [n for n, one in enumerate(found) if one.plan.regions.count > 1] == [3, 7, 8]  # type: ignore[union-attr]
        assert networks.loaded == networks.closed
        assert networks.calls_after_closing == 0

    def test_resumed(self, tmp_path: Path, model: Path, images: list[Path], networks: Networks) -> None:
        """After complete images, which need no network, it is loaded once."""
        few = bc.predict_many(model, images[:2], tmp_path / "out", axes="yx")
        assert all(isinstance(one, Prediction) for one in few)
        networks.loaded = networks.closed = 0
        found = list(bc.predict_many(model, images, tmp_path / "out", axes="yx", resume=True))
        assert [one.done_before for one in found] == [1, 1] + [0] * 10  # type: ignore[union-attr]
        assert (networks.loaded, networks.closed) == (1, 1)

    def test_warnings_as_errors(self, tmp_path: Path, images: list[Path]) -> None:
        """A warning that is an error is a failure of its image."""
        (tmp_path / "other").mkdir()
        model = half_micrometer_model(tmp_path / "other")
        with warnings.catch_warnings():
            warnings.simplefilter("error", PredictionWarning)
            found = list(bc.predict_many(model, images, tmp_path / "out", axes="yx", pixel_size=5))
        assert all(isinstance(one, bc.Failed) and "pixel" in str(one.error) for one in found)


class TestAtOnce:
    """How many images run at a time."""

    @pytest.fixture
    def plan(self, model: Path, images: list[Path]) -> Iterator[Any]:
        """A function that returns the number for options, and for changes of the plan."""

        def at_once(options: dict[str, Any], **changes: Any) -> int:
            import attrs

            with bc.open_predictor(model, axes="yx", **options) as predictor, SideBySide[Plan](predictor, 12) as side_by_side:
                return side_by_side.at_once(attrs.evolve(predictor.plan(images[0]), **changes))

        return at_once

    def test_several(self, plan: Any) -> None:
        """Small images run side by side."""
        assert plan({}) > 1

    def test_alone(self, plan: Any) -> None:
        """Not where progress is reported, where blocks of one image use all cores, or where only one fits the budget."""
        assert plan({"progress": print}) == 1
        assert plan({"progress": True}) == 1
        assert plan({"block": 24}) == 1
        assert plan({}, estimated_memory=3 * 2**30, memory=4 * 2**30) == 1
        assert plan({}, estimated_memory=2**30, memory=5 * 2**30 // 2) <= 2
