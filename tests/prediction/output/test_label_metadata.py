"""What OME-Zarr labels say of themselves: colours, the image that they label, their levels and their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import zarr
from labelling_ops import blobs, labelling_registry, loaded, truth
from made_models import pointwise_model
from ome_images import POSITION, SIZE, ome, write_image

from bioimageio_core.io import open_image
from bioimageio_core.io.writing import label_metadata
from bioimageio_core.io.writing.label_metadata import MOST_COLOURS, label_colour, path_to_image
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.predictor import Predictor
from bioimageio_core.registry import Needs, ProcessingOpEntry, ShapeChange
from bioimageio_core.spec.node import Node, node
from bioimageio_core.typing import FrozenMapping


@node
class ClassesDescr(Node):
    """Two classes."""

    id: str = "classes"


VERSIONS = pytest.mark.parametrize("version", ["0.4", "0.5"])


@pytest.fixture
def predictor(tmp_path: Path) -> Predictor:
    """Labels what is above 0.5 in an image."""
    (tmp_path / "model").mkdir()
    model = loaded(pointwise_model(tmp_path / "model"), labelling_registry())
    return Predictor(model, PredictOptions(postprocessing="components", block=64, chunks=64))


class TestColours:
    """One for each id."""

    def test_told_apart(self) -> None:
        """No two are equal; those of any eight ids in a row, which often are neighbours, differ clearly; all can be seen on black."""
        colours = np.array([label_colour(n) for n in range(1, MOST_COLOURS + 1)])
        assert len(np.unique(colours, axis=0)) > 0.998 * MOST_COLOURS
        assert colours[:, :3].max(1).min() >= 178
        assert (colours[:, 3] == 255).all()
        for near in range(1, 8):
            assert np.linalg.norm(colours[near:] - colours[:-near], axis=1).min() > 40

    def test_the_same_always(self) -> None:
        """By hand: the hue of the first is 0.618 of the circle, between blue and cyan, at saturation 0.877 and brightness 0.871."""
        assert label_colour(1) == (27, 84, 222, 255)


class TestMetadata:
    """Of labels beside an image and within it."""

    @VERSIONS
    @pytest.mark.parametrize("place", ["image.zarr/labels/cells", "results/cells.zarr"])
    def test_source_and_colours(self, predictor: Predictor, tmp_path: Path, version: Any, place: str) -> None:
        """Labels lead back to the image of which they are, wherever they lie, and have a colour for each object."""
        image = write_image(tmp_path / "image.zarr", blobs((100, 90)), version)
        found = predictor.predict(image, tmp_path / place, ome=version)
        label = ome(tmp_path / place)["image-label"]
        assert label["version"] == version
        assert (tmp_path / place / label["source"]["image"]).resolve() == image
        count = found.objects["out"].count
        assert count == truth(blobs((100, 90))).max()
        assert label["colors"] == [{"label-value": n, "rgba": list(label_colour(n))} for n in range(1, count + 1)]

    def test_image_without_group(self, predictor: Predictor, tmp_path: Path) -> None:
        """An image that is no OME-Zarr is no source."""
        predictor.predict(blobs((60, 50)), tmp_path / "o.zarr", ome="0.5", axes="yx")
        assert set(ome(tmp_path / "o.zarr")["image-label"]) == {"version", "colors"}

    @pytest.mark.parametrize(("count", "coloured"), [(0, False), (12, True), (13, False)])
    def test_many_objects(self, predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, coloured: bool) -> None:
        """More objects than viewers want to read colours of have none, and no objects have none."""
        monkeypatch.setattr(label_metadata, "MOST_COLOURS", 12)
        image = np.zeros((40, 40), np.float32)
        image[::4, ::4].flat[:count] = 1
        predictor.predict(image, tmp_path / "o.zarr", ome="0.5", axes="yx")
        assert ("colors" in ome(tmp_path / "o.zarr")["image-label"]) == coloured

    def test_interrupted(self, predictor: Predictor, tmp_path: Path) -> None:
        """A resumed run knows how many objects there are."""

        def stop(name: str, done: int, total: int) -> None:
            if name.startswith("postprocess"):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            predictor.predict(blobs((100, 90)), tmp_path / "o.zarr", ome="0.5", axes="yx", progress=stop)
        predictor.predict(blobs((100, 90)), tmp_path / "o.zarr", ome="0.5", axes="yx", resume=True)
        assert len(ome(tmp_path / "o.zarr")["image-label"]["colors"]) == truth(blobs((100, 90))).max()

    def test_no_way(self, tmp_path: Path) -> None:
        """An image in other storage, or in an archive, cannot be reached by a path."""
        image = open_image(write_image(tmp_path / "image.zarr", blobs((30, 30)), "0.5"))
        assert path_to_image(str(tmp_path / "a" / "o.zarr"), image) == "../../image.zarr"
        assert path_to_image("memory://a/o.zarr", image) is None
        assert path_to_image(str(tmp_path / "o.zarr"), open_image(blobs((30, 30)))) is None


class TestLevels:
    """Coarser levels hold ids, never their means."""

    @VERSIONS
    @pytest.mark.parametrize("chunks", [90, 128])
    def test_every_value_is_an_id(self, predictor: Predictor, tmp_path: Path, version: Any, chunks: int) -> None:
        """Each pixel of a level is the first of those that it stands for, at its place, whether regions or later passes wrote it."""
        image = write_image(tmp_path / "image.zarr", blobs((560, 270)), version)
        predictor.predict(image, tmp_path / "o.zarr", ome=version, pyramid=True, chunks=chunks)
        group = zarr.open_group(str(tmp_path / "o.zarr"), mode="r")
        multiscale = ome(tmp_path / "o.zarr")["multiscales"][0]
        assert (multiscale["type"], [axis["name"] for axis in multiscale["axes"]]) == ("nearest", ["y", "x"])
        whole = truth(blobs((560, 270)))
        factors = []
        for level in multiscale["datasets"]:
            scale, translation = (step[step["type"]] for step in level["coordinateTransformations"])
            factor = tuple(round(s / p) for s, p in zip(scale, SIZE, strict=True))
            stored = np.asarray(group[level["path"]])
            assert stored.dtype == np.uint32
            np.testing.assert_array_equal(stored, whole[:: factor[0], :: factor[1]])
            assert translation == list(POSITION)  # of the centre of the pixel that it took
            factors.append(factor)
        assert factors == [(1, 1), (1, 2), (2, 4), (4, 8)]  # until no more than 256 pixels are left

    @pytest.mark.parametrize("place", ["image.zarr/labels/classes", "classes.zarr"])
    def test_classes(self, tmp_path: Path, place: str) -> None:
        """Classes of pixels, which are no objects, are not averaged either: 0 and 300 have no class 150 between them."""
        (tmp_path / "model").mkdir()
        registry = labelling_registry()
        op = ProcessingOpEntry(
            name="classes",
            descr={"0.5": ClassesDescr},
            load=lambda: lambda kwargs, axes: lambda tensor, measured: np.where(tensor > 0.5, 300, 0).astype(np.uint16),
            requirements=lambda kwargs, axes: Needs(dtype="uint16", shape=ShapeChange(axes=axes, sizes={"channel": 1})),
            where=("postprocessing",),
        )
        registry = attrs.evolve(registry, processing_ops=FrozenMapping({**registry.processing_ops, op.name: op}))
        image = write_image(tmp_path / "image.zarr", blobs((600, 300)), "0.5")
        with Predictor(loaded(pointwise_model(tmp_path / "model"), registry), PredictOptions(ome="0.5", pyramid=True)) as predictor:
            predictor.predict(image, tmp_path / place, postprocessing="classes", block=64, chunks=64)
        group = zarr.open_group(str(tmp_path / place), mode="r")
        levels = [np.asarray(group[dataset["path"]]) for dataset in ome(tmp_path / place)["multiscales"][0]["datasets"]]
        assert [level.shape[-2:] for level in levels] == [(600, 300), (600, 150), (300, 75), (150, 38)]
        assert all(set(np.unique(level)) == {0, 300} for level in levels)

    def test_place_of_a_part(self, predictor: Predictor, tmp_path: Path) -> None:
        """Labels of a part of an image lie where that part lies."""
        image = write_image(tmp_path / "image.zarr", blobs((100, 90)), "0.5")
        predictor.predict(image, image / "labels" / "part", roi={"y": (20, 60), "x": (8, 80)})
        steps = ome(image / "labels" / "part")["multiscales"][0]["datasets"][0]["coordinateTransformations"]
        assert [step[step["type"]] for step in steps] == [[0.5, 0.25], [20.0, 22.0]]
