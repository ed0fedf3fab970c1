"""Ops that label objects, block by block: the labels are those of the complete image, with the same numbers."""

from __future__ import annotations

import csv
import sys
from ast import literal_eval
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import zarr
from labelling_ops import ComponentsKwargs, blobs, components, entry, labelling_registry, loaded, truth
from made_models import BATCH, channels, follows, identity_graph, pointwise_model, save_description_0_5, space, tensor
from numpy.typing import NDArray

from bioimageio_core.errors import BlockError, InputError, MissingRequirementError, OutputError, PredictionWarning
from bioimageio_core.prediction.many.predict_many import predict_many
from bioimageio_core.prediction.many.requests import plan_many
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.planning import plan_passes
from bioimageio_core.prediction.predictor import Predictor
from bioimageio_core.registry import Measured, Needs, Objects, ProcessingOpEntry, Registry, ShapeChange
from bioimageio_core.spec.node import Node, node
from bioimageio_core.typing import FrozenMapping

ndimage = pytest.importorskip("scipy.ndimage", reason="scipy is not installed")


@node
class DiscsDescr(Node):
    """The same, as an op that knows nothing of joining; objects span up to twelve pixels."""

    id: str = "discs"
    kwargs: ComponentsKwargs = ComponentsKwargs()


@node
class EnlargedDescr(Node):
    """Components of an image of twice as many pixels along y and x."""

    id: str = "enlarged"
    kwargs: ComponentsKwargs = ComponentsKwargs()


@node
class LargerDescr(Node):
    """The same, of the first of two channels."""

    id: str = "larger"
    kwargs: ComponentsKwargs = ComponentsKwargs()


@node
class DoubledDescr(Node):
    """Pixels once and twice, along a new last axis in place of channels."""

    id: str = "doubled"


def enlarged(kwargs: Any, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
    return components(kwargs, tensor.repeat(2, 2).repeat(2, 3), measured)


def doubled(tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
    return np.stack([tensor[:, 0], 2 * tensor[:, 0]], axis=-1)


@pytest.fixture
def registry() -> Registry:
    known = labelling_registry()
    ops = (
        entry("discs", DiscsDescr, Objects(join="overlap", size={"y": 12, "x": 12})),
        entry("owned_discs", DiscsDescr, Objects(join="owner", size={"y": 12, "x": 12})),
        ProcessingOpEntry(
            name="enlarged",
            descr={"0.5": EnlargedDescr},
            load=lambda: lambda kwargs, axes: partial(enlarged, kwargs),
            requirements=lambda kwargs, axes: Needs(
                shape=ShapeChange(axes=axes, sizes={"channel": 1}, scale={"y": 2, "x": 2}), dtype="int32", objects=Objects(join="touch")
            ),
            where=("postprocessing",),
        ),
        ProcessingOpEntry(
            name="larger",
            descr={"0.5": LargerDescr},
            load=lambda: lambda kwargs, axes: partial(enlarged, kwargs),
            requirements=lambda kwargs, axes: Needs(
                shape=ShapeChange(axes=axes, sizes={"channel": 1}, scale={"y": 2, "x": 2}, takes={"channel": 2}),
                dtype="int32",
                objects=Objects(join="touch"),
            ),
            where=("postprocessing",),
        ),
        ProcessingOpEntry(
            name="doubled",
            descr={"0.5": DoubledDescr},
            load=lambda: lambda kwargs, axes: doubled,
            requirements=lambda kwargs, axes: Needs(
                shape=ShapeChange(axes=("batch", "y", "x", "index"), sizes={"index": 2}), dtype="float32"
            ),
            where=("postprocessing",),
        ),
    )
    return attrs.evolve(known, processing_ops=FrozenMapping({**known.processing_ops, **{op.name: op for op in ops}}))


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Label in windows of a few chunks, which takes images of gigabytes otherwise."""
    monkeypatch.setattr(plan_passes, "LATE_ELEMENTS", 1)


@pytest.fixture
def predict(tmp_path: Path, registry: Registry) -> Callable[..., Any]:
    """Predicts with a network that returns its input."""
    folder = tmp_path / "model"
    folder.mkdir()
    model = loaded(pointwise_model(folder), registry)

    def call(image: NDArray[Any], output: Path | None = None, **options: Any) -> Any:
        with Predictor(model, PredictOptions(axes="yx")) as predictor:
            return predictor.predict(image, output, **options)

    return call


def discs(shape: tuple[int, int], count: int) -> NDArray[np.float32]:
    """Return discs of at most eleven pixels that do not touch."""
    rng, image = np.random.default_rng(1), np.zeros(shape, np.float32)
    y, x = np.mgrid[: shape[0], : shape[1]]
    for _ in range(count):
        cy, cx, radius = rng.integers(0, shape[0]), rng.integers(0, shape[1]), rng.uniform(1.5, 5)
        around = (y - cy) ** 2 + (x - cx) ** 2
        if not image[around <= (radius + 2) ** 2].any():
            image[around <= radius**2] = 1
    return image


class TestComponents:
    """Components of any size are those of the complete image, numbered in the same order."""

    @pytest.mark.parametrize("block", [16, 24, 57, 200])
    def test_equal_to_whole(self, predict: Callable[..., Any], block: int) -> None:
        """Whatever the blocks and chunks."""
        image = blobs((150, 130))
        result = predict(image, postprocessing="components:threshold=0.5", block=block, chunks=block)
        assert result["out"].dtype == np.uint32
        np.testing.assert_array_equal(np.squeeze(result["out"].data), truth(image))
        assert result.objects["out"].count == truth(image).max()

    def test_on_disk(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """As zarr, with intermediate results removed."""
        image = blobs((150, 130))
        result = predict(image, tmp_path / "o.zarr", postprocessing="components", block=24, chunks=24)
        np.testing.assert_array_equal(np.squeeze(np.asarray(result["out"])), truth(image))
        assert not list((tmp_path / "o.zarr").glob(".bmz*"))

    def test_least_size(self, predict: Callable[..., Any]) -> None:
        """Small objects are left out after joining: parts of large ones stay, however small they are in a block."""
        image = blobs((150, 130))
        result = np.squeeze(predict(image, postprocessing="components:min_size=40", block=16, chunks=16)["out"].data)
        whole = truth(image)
        large = np.flatnonzero(np.bincount(whole.ravel())[1:] >= 40) + 1
        np.testing.assert_array_equal(result > 0, np.isin(whole, large))
        assert set(np.unique(result)) == set(range(len(large) + 1))


class TestJoinedByOverlap:
    """Objects that each block sees completely."""

    @pytest.mark.parametrize("op", ["discs", "owned_discs"])
    @pytest.mark.parametrize("block", [20, 33, 64])
    def test_equal_to_whole(self, predict: Callable[..., Any], op: str, block: int) -> None:
        """With a halo of the largest object."""
        image = discs((140, 120), 60)
        result = predict(image, postprocessing=op, block=block, chunks=block)
        np.testing.assert_array_equal(np.squeeze(result["out"].data), truth(image))
        assert not result.notes

    def test_larger_than_said(self, predict: Callable[..., Any]) -> None:
        """The result says how many objects may be cut, and what to do."""
        image = np.zeros((100, 100), np.float32)
        image[40:60, 5:95] = 1
        result = predict(image, postprocessing="discs", block=20, chunks=20)
        assert "1 of 1 objects" in result.notes[0] or "reach beyond" in result.notes[0]
        assert "as around the block from y=0, x=0; y=" in result.notes[0]
        assert "--object-size" in result.notes[0]
        larger = predict(image, postprocessing="discs", block=20, chunks=20, object_size=100)
        with pytest.raises(InputError, match="names the axis 'z': expected axes of objects, some of x, y"):
            predict(image, postprocessing="discs", object_size={"z": 100})
        assert not larger.notes
        assert larger.objects["out"].count == 1


class TestImages:
    """What is labelled."""

    def test_time_points(self, predict: Callable[..., Any]) -> None:
        """Each time point by itself; ids are unique in the complete output."""
        images = np.stack([blobs((60, 50), seed) for seed in range(3)])
        result = predict(images, postprocessing="components", block=16, chunks=16, axes="tyx")["out"]
        labels = np.asarray(result)[:, 0, 0]
        expected, count = [], 0
        for image in images:
            alone = truth(image)
            expected.append(np.where(alone, alone + count, 0))
            count += alone.max()
        np.testing.assert_array_equal(labels, expected)

    def test_part(self, predict: Callable[..., Any]) -> None:
        """The objects of a part of the image are those of an image of this part."""
        image = blobs((150, 130))
        part = predict(image, postprocessing="components", block=24, chunks=24, roi={"y": (30, 100), "x": (50, None)})
        np.testing.assert_array_equal(np.squeeze(part["out"].data), truth(image[30:100, 50:]))

    def test_finer_than_the_output(self, predict: Callable[..., Any]) -> None:
        """An op whose labels have more pixels than the output of the network."""
        image = blobs((70, 50))
        result = predict(image, postprocessing="enlarged", block=16, chunks=16)["out"]
        assert result.shape == (1, 1, 140, 100)
        np.testing.assert_array_equal(np.squeeze(result.data), truth(image.repeat(2, 0).repeat(2, 1)))

    @pytest.mark.parametrize("block", [16, 40, 200])
    def test_mask(self, predict: Callable[..., Any], tmp_path: Path, block: int) -> None:
        """Objects are those of the image that is 0 outside of the mask, whichever blocks are skipped; the table has the same ones."""
        image, mask = blobs((150, 130)), np.zeros((150, 130), np.uint8)
        mask[40:100, 30:90] = 1
        table = tmp_path / "cells.csv"
        result = predict(image, postprocessing="components", block=block, chunks=block, mask=mask, table=table)
        expected = truth(image * mask)
        np.testing.assert_array_equal(np.squeeze(result["out"].data), expected)
        np.testing.assert_array_equal(result.objects["out"]["pixels"], np.bincount(expected.ravel())[1:])

    def test_positions_in_a_part(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """Positions in a table count from the first pixel of the image."""
        image = discs((140, 120), 60)
        part = {"y": (30, 100), "x": (50, None)}
        table = predict(image, postprocessing="components", roi=part, table=tmp_path / "cells.csv").objects["out"]
        cut = truth(image[30:100, 50:])
        first = [found[0].start + 30 for found in ndimage.find_objects(cut)]
        np.testing.assert_array_equal(table["first-y"], first)
        centres = np.array(ndimage.center_of_mass(cut > 0, cut, np.arange(1, cut.max() + 1)))
        np.testing.assert_allclose(np.stack([table["centroid-y"], table["centroid-x"]], 1), centres + np.array([30, 50]))

    def test_memory(self, predict: Callable[..., Any]) -> None:
        """Objects that are larger than the memory allows are refused."""
        with pytest.raises(BlockError, match=r"object_size="):
            predict(np.zeros((4000, 4000), np.float32), postprocessing="discs", object_size=3000, memory="300 MB", chunks=256)

    def test_size_without_effect(self, predict: Callable[..., Any]) -> None:
        """A size of objects that nothing uses is told."""
        with pytest.warns(PredictionWarning, match="has no effect: objects that touch"):
            predict(blobs((20, 20)), postprocessing="components", object_size=10)
        with pytest.warns(PredictionWarning, match="has no effect: no op labels objects"):
            predict(blobs((20, 20)), object_size=10)

    def test_another_dtype(self, predict: Callable[..., Any]) -> None:
        """A dtype that is too narrow for the ids is refused, not wrapped."""
        image = np.zeros((40, 40), np.float32)
        image[::2, ::2] = 1  # 400 objects
        assert predict(image, postprocessing="components", dtype="uint16")["out"].dtype == np.uint16
        with pytest.raises(InputError, match="do not fit dtype uint8"):
            predict(image, postprocessing="components", dtype="uint8")
        with pytest.raises(InputError, match="expected an integer type"):
            predict(image, postprocessing="components", dtype="float16")

    def test_ome(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """An OME-Zarr image says that it holds labels, and its pyramid keeps them."""
        image = blobs((300, 280))
        predict(image, tmp_path / "o.zarr", postprocessing="components", block=64, chunks=64, ome="0.5", pyramid=True)
        group = zarr.open_group(str(tmp_path / "o.zarr"), mode="r")
        assert "image-label" in group.attrs["ome"]
        coarse = np.squeeze(group["1"][...])
        assert coarse.dtype == np.uint32
        assert set(np.unique(coarse)) <= set(range(truth(image).max() + 1))


class TestResuming:
    """Interrupted in any pass, a run continues, with the same ids and the same table."""

    @pytest.mark.parametrize("stage", ["predict", "label out", "join objects of out", "postprocess out"])
    @pytest.mark.parametrize("op", ["components", "owned_discs"])
    def test_same_labels(self, predict: Callable[..., Any], tmp_path: Path, op: str, stage: str) -> None:
        """Labels that were found before are not found again."""
        image = discs((140, 120), 60)
        options = {"postprocessing": op, "block": 32, "chunks": 32, "workers": 1}
        stages: list[str] = []

        def stop(name: str, done: int, total: int) -> None:
            if name == stage and done >= total // 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            predict(image, tmp_path / "o.zarr", progress=stop, **options)
        result = predict(image, tmp_path / "o.zarr", resume=True, progress=lambda name, *_: stages.append(name), **options)
        np.testing.assert_array_equal(np.squeeze(np.asarray(result["out"])), truth(image))
        assert result.objects["out"].count == truth(image).max()

    def test_already_complete(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """A complete output stays as it is."""
        image = blobs((60, 60))
        predict(image, tmp_path / "o.zarr", postprocessing="components")
        again = predict(image, tmp_path / "o.zarr", postprocessing="components", resume=True)
        np.testing.assert_array_equal(np.squeeze(np.asarray(again["out"])), truth(image))

    def test_other_ops(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """A run with other arguments of an op is another run."""
        image = blobs((60, 60))
        predict(image, tmp_path / "o.zarr", postprocessing="components:threshold=0.5")
        with pytest.raises(OutputError, match="different run"):
            predict(image, tmp_path / "o.zarr", postprocessing="components:threshold=0.6", resume=True)


class TestShapes:
    """Ops that change the shape of a tensor, and label nothing."""

    def test_channels_become_one(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """Block by block, in memory and as zarr; further ops see the result."""
        image = blobs((70, 50))
        steps = ["doubled", {"id": "scale_linear", "kwargs": {"gain": 3.0}}]
        for output in (None, tmp_path / "o.zarr"):
            result = predict(image, output, postprocessing=steps, block=16, chunks=16)["out"]
            assert result.axes == ("batch", "y", "x", "index")
            assert result.shape == (1, 70, 50, 2)
            np.testing.assert_allclose(np.asarray(result)[0, :, :, 1], 6 * image, rtol=1e-6)


class TestDescribedOps:
    """Ops that the description of a model names."""

    @pytest.mark.parametrize("as_result", [True, False])
    def test_either_shape(self, tmp_path: Path, registry: Registry, as_result: bool) -> None:
        """The described output is that of the network, or that of the op: with one channel of two, and twice as many pixels."""
        identity_graph(tmp_path / "weights.onnx")
        post = [{"id": "larger", "kwargs": {"threshold": 0.5}}]
        names, fine = (("labels",), {"scale": 0.5}) if as_result else (("a", "b"), {})
        spaces = [space(axis, follows(axis), **fine) for axis in ("y", "x")]
        folder = save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels("a", "b"), *(space(axis, {"min": 1, "step": 1}) for axis in ("y", "x")))],
            [tensor("out", BATCH, channels(*names), *spaces, dtype="int32", postprocessing=post)],
        )
        image = np.stack([blobs((60, 50)), blobs((60, 50), 1)])
        with Predictor(loaded(folder, registry), PredictOptions(axes="cyx")) as predictor:
            result = predictor.predict(image, block=16, chunks=16)["out"]
        assert result.shape == (1, 1, 120, 100)
        np.testing.assert_array_equal(np.squeeze(np.asarray(result)), truth(image[0].repeat(2, 0).repeat(2, 1)))


class TestTable:
    """A row for each object."""

    def test_csv(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """Number of pixels, position and intensity of each object, as of the complete image."""
        image = blobs((150, 130))
        result = predict(image, tmp_path / "o.zarr", postprocessing="components", block=24, chunks=24, table=tmp_path / "cells.csv")
        whole = truth(image)
        table = result.objects["out"]
        ids = np.arange(1, whole.max() + 1)
        np.testing.assert_array_equal(table["id"], ids)
        np.testing.assert_array_equal(table["pixels"], np.bincount(whole.ravel())[1:])
        np.testing.assert_allclose(table["centroid-y"], [c[0] for c in ndimage.center_of_mass(whole > 0, whole, ids)])
        np.testing.assert_allclose(table["mean-intensity"], ndimage.mean(image, whole, ids), rtol=1e-6)
        np.testing.assert_array_equal(table["max-intensity"], ndimage.maximum(image, whole, ids))
        lines = (tmp_path / "cells.csv").read_text().splitlines()
        assert len(lines) == whole.max() + 1
        assert lines[0].startswith("id,pixels,")

    def test_parquet(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """The same columns and values as in CSV."""
        parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
        for name in ("cells.csv", "cells.parquet"):
            predict(blobs((150, 130)), postprocessing="components", block=24, chunks=24, table=tmp_path / name)
        with (tmp_path / "cells.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        found = parquet.read_table(tmp_path / "cells.parquet")
        assert found.column_names == list(rows[0])
        for name in found.column_names:
            np.testing.assert_array_equal(found[name].to_pylist(), [literal_eval(row[name]) for row in rows])

    def test_parquet_without_pyarrow(self, predict: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Is refused while planning, with what to install."""
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(MissingRequirementError, match=r"cells\.parquet: Parquet files need pyarrow: pip install"):
            predict(blobs((20, 20)), tmp_path / "o.zarr", postprocessing="components", table=tmp_path / "cells.parquet")
        assert not list(tmp_path.glob("o.zarr*"))

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            ("cells.npy", r"ends in \.csv or \.parquet"),
            ("", "table"),
            ("nowhere/cells.csv", "does not exist"),
            ("folder.csv", "is a folder"),
            ("o.zarr/cells.csv", "within the output|does not exist"),
            ("old.csv", "overwrite=True"),
        ],
    )
    def test_refused(self, predict: Callable[..., Any], tmp_path: Path, table: str, message: str) -> None:
        """Before anything is computed or written."""
        (tmp_path / "folder.csv").mkdir()
        (tmp_path / "old.csv").write_text("precious")
        given = str(tmp_path / table) if table else ""
        with pytest.raises((InputError, OutputError), match=message):
            predict(blobs((20, 20)), tmp_path / "o.zarr", postprocessing="components", table=given)
        assert not (tmp_path / "o.zarr").exists()
        assert (tmp_path / "old.csv").read_text() == "precious"

    def test_resumed_without_its_table(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """A complete output is not called complete where its table is missing."""
        options = {"postprocessing": "components", "table": tmp_path / "cells.csv"}
        predict(blobs((20, 20)), tmp_path / "o.zarr", **options)
        predict(blobs((20, 20)), tmp_path / "o.zarr", resume=True, **options)
        (tmp_path / "cells.csv").unlink()
        with pytest.raises(OutputError, match=r"the table .* does not exist"):
            predict(blobs((20, 20)), tmp_path / "o.zarr", resume=True, **options)

    def test_many(self, registry: Registry, tmp_path: Path) -> None:
        """Each image has its own table; one for several images is refused."""
        model = loaded(pointwise_model(tmp_path), registry)
        for number in (1, 2):
            np.save(tmp_path / f"{number}.npy", blobs((30, 30), number))
        images = [tmp_path / "1.npy", tmp_path / "2.npy"]
        options = PredictOptions(axes="yx", postprocessing="components", table=str(tmp_path / "{name}.csv"))
        with Predictor(model, options) as predictor:
            found = list(predict_many(predictor, plan_many(images, str(tmp_path / "{name}.zarr"))))
            assert [len((tmp_path / f"{n}.csv").read_text().splitlines()) - 1 for n in (1, 2)] == [f.objects["out"].count for f in found]
        one = attrs.evolve(options, table=str(tmp_path / "all.csv"))
        with Predictor(model, one) as predictor, pytest.raises(InputError, match="have the same table"):
            list(predict_many(predictor, plan_many(images, str(tmp_path / "more-{name}.zarr"))))

    def test_without_objects(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """The error says how to get objects."""
        with pytest.raises(InputError, match=r"table=.*postprocessing="):
            predict(blobs((20, 20)), table=tmp_path / "cells.csv")


class TestErrors:
    """Ops that cannot be added."""

    @pytest.mark.parametrize(
        ("post", "message"),
        [
            ("componens", "did you mean 'components'"),
            ("components:threshold", "NAME=VALUE"),
            ("components:threshold=high", "threshold"),
            ("components:threshold={a", "expected a value as in YAML"),
            ("components:threshold=1,threshold=2", "each name once"),
            ("labels/components", "expected the output that it is for"),
            (":", "expected ops with their arguments"),
            (3, "postprocessing"),
        ],
    )
    def test_refused(self, predict: Callable[..., Any], post: Any, message: str) -> None:
        """In one sentence."""
        with pytest.raises(InputError, match=message):
            predict(blobs((20, 20)), postprocessing=post)

    def test_missing_channel(self, tmp_path: Path, registry: Registry) -> None:
        """A channel that an op reads and the tensor lacks is found while planning, in inputs and outputs, also after other steps."""

        def reading(name: str, least: int) -> ProcessingOpEntry:
            return ProcessingOpEntry(
                name=name,
                descr={"0.5": DoubledDescr},
                load=lambda: lambda kwargs, axes: lambda tensor, measured: tensor,
                requirements=lambda kwargs, axes: Needs(least={axis: least for axis in ("channel", "index") if axis in axes}),
            )

        ops = {op.name: op for op in (reading("second", 2), reading("third", 3))}
        known = attrs.evolve(registry, processing_ops=FrozenMapping({**registry.processing_ops, **ops}))
        with Predictor(loaded(pointwise_model(tmp_path), known), PredictOptions(axes="yx")) as predictor:
            predictor.plan(blobs((20, 20)), postprocessing=["doubled", "second"])
            for steps, found in ((["second"], "second needs at least 2 along axis 'channel', found 1"), (["doubled", "third"], "found 2")):
                with pytest.raises(InputError, match=f"tensor 'out': .*{found}: give it other arguments"):
                    predictor.plan(blobs((20, 20)), postprocessing=steps)
        (tmp_path / "more").mkdir()
        model = pointwise_model(tmp_path / "more", pre=[{"id": "second"}])
        with (
            Predictor(loaded(model, known), PredictOptions(axes="yx")) as predictor,
            pytest.raises(InputError, match="tensor 'raw': second needs at least 2"),
        ):
            predictor.plan(blobs((20, 20)))

    def test_after_labels(self, predict: Callable[..., Any]) -> None:
        """Nothing that needs neighbouring pixels or statistics follows labels."""
        for op in ("zero_mean_unit_variance", "sigmoid", "scale_linear:gain=0.4", "components"):
            with pytest.raises(InputError, match="cannot follow components"):
                predict(blobs((20, 20)), postprocessing=["components", op])

    def test_casts_after_labels(self, predict: Callable[..., Any]) -> None:
        """Are left out: ids stay as they are."""
        image = blobs((40, 40))
        steps = ["components", "ensure_dtype:dtype=uint8"]
        np.testing.assert_array_equal(np.squeeze(predict(image, postprocessing=steps)["out"].data), truth(image))
