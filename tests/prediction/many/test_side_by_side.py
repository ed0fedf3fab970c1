"""Small images run side by side: in order, with one network, within the memory budget."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import pointwise_model

import bioimageio_core as bc
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

    def test_the_network_is_loaded_once(self, tmp_path: Path, model: Path, images: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
        """Images of all sizes share one network."""
        loaded = []
        load = network_module.load_adapter
        monkeypatch.setattr(network_module, "load_adapter", lambda *args, **more: loaded.append(1) or load(*args, **more))
        assert all(isinstance(r, Prediction) for r in bc.predict_many(model, images, tmp_path / "out", axes="yx"))
        assert loaded == [1]


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
