"""Objects that are labelled slice by slice are joined along the axis of slices, as if the volume was in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from made_models import pointwise_model
from numpy.typing import NDArray

from bioimageio_core.errors import InputError, OutputError
from bioimageio_core.prediction.execution.executors.threads import Threads, run_in_threads
from bioimageio_core.prediction.model.loaded_model import LoadedModel
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.planning import plan_passes
from bioimageio_core.prediction.planning.passes import SlicesPass
from bioimageio_core.prediction.planning.plan_json import plan_as_dict
from bioimageio_core.prediction.predictor import Predictor
from bioimageio_core.registry import Registry
from bioimageio_core.report.text.plan_text import plan_text
from bioimageio_core.sources import open_package
from bioimageio_core.spec.validation import read_tree
from bioimageio_core.spec.yaml import load_yaml

pytest.importorskip("scipy", reason="scipy is not installed")

from sliced_volumes import balls, branches, joined, registry_with_ops, sliced, tubes

VOLUMES = {"balls": balls(), "tubes": tubes(), "branches": branches()}
SMALL = balls(1, (4, 45, 40), 15)


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Label in windows of a few chunks, which takes images of gigabytes otherwise."""
    monkeypatch.setattr(plan_passes, "LATE_ELEMENTS", 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that returns its input."""
    return pointwise_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def registry() -> Registry:
    """Has ops that label objects."""
    return registry_with_ops()


@pytest.fixture
def model(folder: Path, registry: Registry) -> LoadedModel:
    """The model, opened, since a predictor closes it."""
    package = open_package(folder)
    assert isinstance(package.content, bytes)
    return LoadedModel.of(read_tree(load_yaml(package.content), registry)[0], package, registry)


@pytest.fixture
def predict(model: LoadedModel) -> Callable[..., Any]:
    """Predicts, and labels and joins along z."""

    def call(image: Any, output: Path | None = None, **options: Any) -> Any:
        chosen = {"axes": "zyx", "postprocessing": "planar", "join_slices": "z", "block": 24, "chunks": 24} | options
        with Predictor(model, PredictOptions()) as predictor:
            return predictor.predict(image, output, **chosen)

    return call


def labels_of(result: Any) -> NDArray[Any]:
    """Return labels with axes z, y, x."""
    return np.asarray(result["out"])[:, 0, 0]


class TestEqualsWhole:
    """The labels are those of the rule on the complete volume, in the order of first pixels."""

    @pytest.mark.parametrize("name", VOLUMES)
    @pytest.mark.parametrize("block", [16, 200])
    def test_blocks(self, predict: Callable[..., Any], name: str, block: int) -> None:
        """Whatever the blocks and chunks."""
        volume = VOLUMES[name]
        result = predict(volume, block=block, chunks=block)
        expected = joined(sliced(volume), 0.25)
        np.testing.assert_array_equal(labels_of(result), expected)
        assert result.objects["out"].count == expected.max() < sliced(volume).max()

    @pytest.mark.parametrize("post", ["planar_overlap", "planar_owner"])
    def test_rules_across_blocks(self, predict: Callable[..., Any], post: str) -> None:
        """However objects are joined within slices."""
        volume = balls(5)
        result = predict(volume, postprocessing=post, join_slices={"z": 0.4}, object_size=60)
        np.testing.assert_array_equal(labels_of(result), joined(sliced(volume), 0.4))

    def test_any_order_of_tasks(self, predict: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """On four threads, with the tasks of all passes in random order."""
        random = np.random.default_rng(2)

        def shuffled(self: Threads, job: Any, tasks: Iterable[int], *, at_once: int) -> Iterator[tuple[int, Any]]:
            yield from run_in_threads(job.open(""), random.permutation(list(tasks)).tolist(), workers=4)

        monkeypatch.setattr(Threads, "run", shuffled)
        result = predict(VOLUMES["tubes"])
        np.testing.assert_array_equal(labels_of(result), joined(sliced(VOLUMES["tubes"]), 0.25))

    def test_time_stays_apart(self, predict: Callable[..., Any]) -> None:
        """Of the axes t and z, z alone is joined; ids are unique in the complete output."""
        movie = np.stack([balls(seed, (5, 50, 40), 15) for seed in range(3)])
        movie[2] = movie[1]
        found = np.asarray(predict(movie, axes="tzyx")["out"])[:, :, 0, 0]
        last = 0
        for labels, volume in zip(found, movie, strict=True):
            alone = joined(sliced(volume), 0.25)
            np.testing.assert_array_equal(labels, np.where(alone, alone + last, 0))
            last += alone.max()

    def test_along_time(self, predict: Callable[..., Any]) -> None:
        """Any axis that the model lacks may be joined: here objects of a movie, also where it is not the first axis."""
        movie = np.stack([balls(seed, (5, 50, 40), 15) for seed in range(2)])
        found = np.asarray(predict(movie, axes="ztyx", join_slices={"t": 0.25})["out"])[:, :, 0, 0]
        ids = [joined(sliced(slices), 0.25) for slices in movie]
        expected = np.stack([ids[0], np.where(ids[1], ids[1] + ids[0].max(), 0)])
        np.testing.assert_array_equal(found, expected)

    def test_part_and_mask(self, predict: Callable[..., Any]) -> None:
        """The objects of a part, within a mask, are those of a volume of it."""
        volume, mask = VOLUMES["tubes"], np.zeros((70, 60), np.uint8)
        mask[5:60, 8:] = 1
        result = predict(volume, mask=mask, roi={"z": (2, 8), "y": (0, 48)})
        np.testing.assert_array_equal(labels_of(result), joined(sliced((volume * mask)[2:8, :48]), 0.25))

    def test_single_slice(self, predict: Callable[..., Any]) -> None:
        """Has no neighbour."""
        np.testing.assert_array_equal(labels_of(predict(VOLUMES["balls"][4:5])), sliced(VOLUMES["balls"][4:5]))

    def test_without_objects(self, predict: Callable[..., Any]) -> None:
        """Nothing is joined."""
        assert predict(np.zeros((3, 40, 40), np.float32)).objects["out"].count == 0

    def test_too_large_for_windows(self, predict: Callable[..., Any]) -> None:
        """The note says that it counts objects of single slices."""
        result = predict(VOLUMES["tubes"], postprocessing="planar_overlap", object_size=4)
        assert "objects of single slices" in result.notes[0]


class TestElsewhere:
    """In other processes, in parts, and interrupted."""

    def test_worker_processes(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """A worker compares slices on disk."""
        distributed = pytest.importorskip("distributed")
        import cloudpickle
        import sliced_volumes

        cloudpickle.register_pickle_by_value(sliced_volumes)
        try:
            with (
                distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
                distributed.Client(cluster, set_as_default=False) as client,
            ):
                result = predict(SMALL, tmp_path / "o.zarr", client=client, table=tmp_path / "o.csv")
        finally:
            cloudpickle.unregister_pickle_by_value(sliced_volumes)
        np.testing.assert_array_equal(labels_of(result), joined(sliced(SMALL), 0.25))
        assert len(result.objects["out"]["id"]) == result.objects["out"].count

    def test_shards(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """The shard that finds all regions computed joins them."""
        for number in (1, 2):
            result = predict(SMALL, tmp_path / "o.zarr", shard=(number, 2))
        np.testing.assert_array_equal(labels_of(result), joined(sliced(SMALL), 0.25))

    @pytest.mark.parametrize(
        "stage", ["label out", "join objects of out", "join slices of out along z", "postprocess out", "measure objects of out"]
    )
    def test_resumed(self, predict: Callable[..., Any], tmp_path: Path, stage: str) -> None:
        """Interrupted in any pass, a run continues with the same ids and the same table."""
        volume, output, table = SMALL, tmp_path / "o.zarr", tmp_path / "o.csv"

        def stop(name: str, done: int, total: int) -> None:
            if name == stage and done >= total // 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            predict(volume, output, progress=stop, table=table, workers=1)
        assert not table.exists()
        result = predict(volume, output, resume=True, table=table, workers=1)
        expected = joined(sliced(volume), 0.25)
        np.testing.assert_array_equal(labels_of(result), expected)
        assert result.objects["out"]["pixels"].tolist() == np.bincount(expected.ravel())[1:].tolist()

    def test_another_threshold_is_another_run(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """Neither resumed with another threshold, nor without joining."""
        predict(VOLUMES["branches"], tmp_path / "o.zarr")
        for other in ({"z": 0.3}, None):
            with pytest.raises(OutputError, match="different run"):
                predict(VOLUMES["branches"], tmp_path / "o.zarr", resume=True, join_slices=other)


class TestTable:
    """A row for each object of the volume."""

    def test_regionprops(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """Sizes, centroids, bounding boxes and intensities beside scikit-image, on the joined volume."""
        measure = pytest.importorskip("skimage.measure")
        volume = np.where(balls(2) > 0, np.random.default_rng(0).uniform(0.6, 1, (9, 70, 60)), 0).astype(np.float32)
        table = predict(volume, table=tmp_path / "o.csv").objects["out"]
        labels = joined(sliced(volume), 0.25)
        expected = measure.regionprops(labels, intensity_image=volume)
        assert table["id"].tolist() == [o.label for o in expected]
        assert table["pixels"].tolist() == [int(o.area) for o in expected]
        assert "z" not in table
        for n, axis in enumerate("zyx"):
            np.testing.assert_allclose(table[f"centroid-{axis}"], [o.centroid[n] for o in expected])
            assert table[f"first-{axis}"].tolist() == [o.bbox[n] for o in expected]
            assert table[f"stop-{axis}"].tolist() == [o.bbox[n + 3] for o in expected]
        np.testing.assert_allclose(table["mean-intensity"], [o.intensity_mean for o in expected], rtol=1e-6)
        edge = [any(o.bbox[n] == 0 or o.bbox[n + 3] == volume.shape[n] for n in range(3)) for o in expected]
        assert table["touches_edge"].tolist() == edge
        assert (tmp_path / "o.csv").read_text().startswith("id,pixels,centroid-z,centroid-y,centroid-x,first-z,")

    def test_volume(self, predict: Callable[..., Any], tmp_path: Path) -> None:
        """Pixels have the size along z that the image says: 0.5 x 0.1 x 0.2 micrometres; of two time points, each has its own column."""
        group = zarr.open_group(str(tmp_path / "image.zarr"), mode="w", zarr_format=3)
        movie = np.stack([VOLUMES["branches"]] * 2)
        group.create_array("0", data=movie, dimension_names=("t", "z", "y", "x"))
        axes = [{"name": "t", "type": "time"}] + [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
        scale = [{"type": "scale", "scale": [1, 0.5, 0.1, 0.2]}]
        multiscale = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}
        group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscale]}
        result = predict(tmp_path / "image.zarr", axes=None, table=tmp_path / "o.csv", join_slices={"z": 0.19})
        table = result.objects["out"]
        assert table["time"].tolist() == [0] * 4 + [1] * 4
        assert table["pixels"].tolist() == [40 + 96 + 32, 24, 32 + 64, 32] * 2
        np.testing.assert_allclose(table["volume-micrometer3"], table["pixels"] * 0.01)
        np.testing.assert_allclose(table["centroid-z-micrometer"][:2], [0.5 * (96 + 64) / 168, 0])
        assert table["stop-z"].tolist() == [3, 1, 4, 4] * 2


class TestPlan:
    """What a plan says of it."""

    def plan(self, model: LoadedModel, **options: Any) -> Any:
        with Predictor(model, PredictOptions(axes="tzyx", block=24, chunks=24)) as predictor:
            return predictor.plan(np.zeros((2, 3, 48, 48), np.float32), **({"postprocessing": "planar"} | options))

    def test_pass(self, model: LoadedModel) -> None:
        """A pass after the one that joins objects of blocks, with a task for each box; shown as text and JSON."""
        plan = self.plan(model, join_slices={"z": 0.4}, table="cells.csv")
        assert [p.kind for p in plan.passes] == ["regions", "label", "join", "slices", "postprocess", "table"]
        found = plan.passes[3]
        assert isinstance(found, SlicesPass)
        assert (found.axis, found.overlap, found.tasks, found.in_process) == ("z", 0.4, 2 * 3 * 4, True)
        assert "pass 4     join slices of out along z: 24 tasks" in plan_text(plan)
        data = json.loads(json.dumps(plan_as_dict(plan)))
        assert data["join_slices"] == {"z": 0.4}
        assert data["passes"][3]["pass"] == "4-slices"
        assert plan_as_dict(self.plan(model))["join_slices"] == {}

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("z", {"z": 0.25}),
            ("z=0.4", {"z": 0.4}),
            (" t = 0.5", {"time": 0.5}),
            ({"Z": np.float32(0.5)}, {"z": 0.5}),
            ({}, {}),
            (None, {}),
        ],
    )
    def test_spellings(self, model: LoadedModel, given: Any, kept: dict[str, float]) -> None:
        """Text of the command line, mappings, and names of axes as users write them."""
        assert self.plan(model, join_slices=given).join_slices == kept

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"join_slices": {"y": 0.5}}, "names the axis 'y', which the model has, too: expected one .* found 'time', 'z'"),
            ({"join_slices": "c"}, "names the axis 'channel', which the model has, too: expected one that the image has"),
            ({"join_slices": "focus"}, "names the axis 'focus': expected one that the image has and the model lacks"),
            ({"join_slices": "space"}, "expected one axis"),
            ({"join_slices": "z", "postprocessing": None}, r"expected an op that labels objects, found none.*postprocessing="),
            ({"join_slices": "z", "postprocessing": "sigmoid"}, "expected an op that labels objects, found none"),
            ({"join_slices": "z=1"}, "above 0 and below 1"),
            ({"join_slices": {"z": 0}}, "above 0 and below 1"),
            ({"join_slices": {"z": 0.2, "t": 0.2}}, "expected one axis"),
        ],
    )
    def test_refused(self, model: LoadedModel, options: dict[str, Any], message: str) -> None:
        """In one sentence that begins with the option."""
        with pytest.raises(InputError, match=message) as raised:
            self.plan(model, **options)
        assert str(raised.value).startswith("join_slices= ")
        assert "\n" not in str(raised.value)
