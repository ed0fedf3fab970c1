"""Chains: a model that takes what other models give, in one blockwise run, equals the models one after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import zarr
from made_models import BATCH, box_graph, channels, follows, save_description_0_5, save_graph, space, tensor
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.errors import InputError, OutputError
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.predictor import Predictor

SIZES = {"min": 24, "step": 4}
NEWEST = {"format_version": "0.5.14", "documentation": {"source": "README.md"}}
STANDARDISED = {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "y", "x"]}}


def model(folder: Path, taken: str, given: str, *, filter_size: int, pre: Any = (), post: Any = (), **more: Any) -> Path:
    """A mean filter from one tensor to another, whose values depend on the border of a block unless its halo is cut off."""
    folder.mkdir()
    box_graph(folder / "weights.onnx", size=filter_size)
    axes = [space(a, follows(a, tensor=taken), halo=filter_size // 2, scale=0.5, unit="micrometer") for a in ("y", "x")]
    own = {key: more.pop(key) for key in ("output_of",) if key in more}
    return save_description_0_5(
        folder,
        [tensor(taken, BATCH, channels(), *(space(a, SIZES, scale=0.5, unit="micrometer") for a in "yx"), preprocessing=list(pre), **own)],
        [tensor(given, BATCH, channels(), *axes, postprocessing=list(post))],
        **more,
    )


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return model(tmp_path / "first", "raw", "smooth", filter_size=5, pre=[STANDARDISED], id="kind-fox")


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return model(tmp_path / "second", "smooth", "out", filter_size=9, pre=[STANDARDISED], id="tall-crane")


def image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4000, shape).astype(np.uint16)


def plain(folder: Path, array: np.ndarray, halo: int) -> np.ndarray:
    """The network of a model on a standardised image, which is mirrored at its edges, by ONNX Runtime and numpy alone."""
    session = ort.InferenceSession(str(folder / "weights.onnx"))
    values = array.astype(np.float64)
    values = ((values - values.mean()) / (values.std() + 1e-6)).astype(np.float32)
    (result,) = session.run(None, {"raw": np.pad(values, halo, "symmetric")[None, None]})
    return np.asarray(result[0, 0, halo:-halo, halo:-halo])


def test_equals_plain_networks(first: Path, second: Path) -> None:
    array = image(100, 140)
    result = np.asarray(bc.predict([first, second], array, axes="yx", block=48)["out"])[0, 0]
    np.testing.assert_allclose(result, plain(second, plain(first, array, 2), 4), atol=2e-5)


@pytest.mark.parametrize(("shape", "axes"), [((100, 140), "yx"), ((3, 90, 70), "tyx")])
def test_equals_one_after_the_other(first: Path, second: Path, tmp_path: Path, shape: tuple[int, ...], axes: str) -> None:
    """Bit for bit, with its own blocks: also on an axis that both models lack."""
    array = image(*shape)
    between = bc.predict(first, array, tmp_path / "between.zarr", axes=axes)["smooth"]
    expected = np.asarray(bc.predict(second, {"smooth": between}, block=40)["out"])
    chained = bc.predict([first, second], array, tmp_path / "out.zarr", axes=axes, block=40)["out"]
    assert chained.axes == (*axes[:-2].replace("t", "time").split(), "batch", "channel", "y", "x")[-chained.data.ndim :]
    np.testing.assert_array_equal(np.asarray(chained), expected)
    assert sorted(zarr.open_group(tmp_path / "out.zarr", mode="r").array_keys()) == ["0"], "nothing else is stored"


def test_networks_run_about_once(first: Path, second: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neighbouring blocks of the second model share what the first one computed."""
    counts: dict[str, int] = {}

    def counted(self: Any, *args: Any) -> Any:
        counts[self.work.plan.model.name] = counts.get(self.work.plan.model.name, 0) + 1
        return original(self, *args)

    from bioimageio_core.prediction.execution.passes.region_computer import RegionComputer

    original: Callable[..., Any] = RegionComputer.__call__
    monkeypatch.setattr(RegionComputer, "__call__", counted)
    for folder, name in ((first, "first"), (second, "second")):
        (folder / "bioimageio.yaml").write_text((folder / "bioimageio.yaml").read_text().replace("made model", name))
    with bc.open_predictor(first, block=120) as a, bc.open_predictor([a, second], block=72) as chain:
        array = image(600, 600)
        regions = a.plan(array, axes="yx").regions.count
        chain.predict(array, axes="yx", workers=1)
    assert regions > 10
    assert counts["first"] <= 2.2 * regions, f"{counts} of {regions}"  # once for the statistics of the second model, once for its blocks


def test_three_models(first: Path, second: Path, tmp_path: Path) -> None:
    third = model(tmp_path / "third", "out", "last", filter_size=3)
    array = image(64, 80)
    expected = bc.predict([second, third], {"smooth": bc.predict(first, array, axes="yx")["smooth"]})["last"]
    np.testing.assert_array_equal(bc.predict([first, second, third], array, axes="yx")["last"], np.asarray(expected))


class TestNamedInTheDescription:
    """``output_of`` of format 0.5.14."""

    @pytest.fixture
    def linked(self, first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("BMZ_COLLECTION", str(tmp_path / "{id}"))
        return model(tmp_path / "linked", "smooth", "out", filter_size=9, output_of=first.name, **NEWEST)

    def test_the_other_model_runs_first(self, first: Path, linked: Path) -> None:
        array = image(64, 80)
        expected = bc.predict(linked, {"smooth": bc.predict(first, array, axes="yx")["smooth"]})["out"]
        np.testing.assert_array_equal(bc.predict(linked, {"raw": array}, axes="yx")["out"], np.asarray(expected))
        np.testing.assert_array_equal(bc.predict(linked, array, axes="yx")["out"], np.asarray(expected))

    def test_in_a_circle(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BMZ_COLLECTION", str(tmp_path / "{id}"))
        folder = model(tmp_path / "circle", "smooth", "more", filter_size=3, output_of="circle", **NEWEST)
        with pytest.raises(InputError, match="in a circle"):
            bc.predict(folder, image(64, 64), axes="yx")


class TestOutputs:
    def test_pixel_size_and_position(self, first: Path, second: Path, tmp_path: Path) -> None:
        bc.predict([first, second], image(64, 80), tmp_path / "o.zarr", axes="yx", pixel_size={"y": 0.25, "x": 0.5}, ome="0.5")
        (scales,) = zarr.open_group(tmp_path / "o.zarr", mode="r").attrs["ome"]["multiscales"]  # type: ignore[misc, index, call-overload]
        (scale, *_) = scales["datasets"][0]["coordinateTransformations"]
        assert scale["scale"][-2:] == [0.25, 0.5]

    def test_resumed(self, first: Path, second: Path, tmp_path: Path) -> None:
        array = image(100, 140)
        expected = np.asarray(bc.predict([first, second], array, axes="yx", block=40)["out"])

        def stop(stage: str, done: int, total: int) -> None:
            if stage.startswith("predict") and 0 < done < total:
                raise KeyboardInterrupt

        options: dict[str, Any] = {"axes": "yx", "block": 40, "workers": 1}
        with pytest.raises(KeyboardInterrupt):
            bc.predict([first, second], array, tmp_path / "o.zarr", progress=stop, **options)
        with pytest.raises(OutputError, match="different images"):
            bc.predict([first, second], array + 1, tmp_path / "o.zarr", resume=True, **options)
        resumed = bc.predict([first, second], array, tmp_path / "o.zarr", resume=True, **options)
        assert resumed.done_before
        np.testing.assert_array_equal(np.asarray(resumed["out"]), expected)

    def test_worker_processes(self, first: Path, second: Path, tmp_path: Path) -> None:
        from bioimageio_core.prediction.execution.executors.dask_clients import worker_processes

        array = image(100, 140)
        zarr.save_array(str(tmp_path / "i.zarr"), array)
        expected = np.asarray(bc.predict([first, second], array, axes="yx", block=40)["out"])
        with worker_processes(2) as client:
            result = bc.predict([first, second], str(tmp_path / "i.zarr"), tmp_path / "o.zarr", axes="yx", block=40, client=client)
            np.testing.assert_array_equal(np.asarray(result["out"]), expected)

    def test_lazy(self, first: Path, second: Path) -> None:
        array = image(64, 80)
        with bc.open_predictor([first, second], axes="yx", block=40) as chain:
            expected = np.asarray(chain.predict(array)["out"])
            np.testing.assert_allclose(chain.lazy(array)["out"].data.compute(), expected, atol=1e-6)

    def test_labels_of_maps(self, first: Path, second: Path, tmp_path: Path) -> None:
        """The table lists what the last op found; its intensities are those of the map that the last model takes, as a line says."""
        pytest.importorskip("scipy", reason="scipy is not installed")
        from labelling_ops import labelling_registry, loaded

        last = Predictor(loaded(second, labelling_registry()), PredictOptions(axes="yx", postprocessing=("components",)))
        with bc.open_predictor([first, last]) as chain:
            plan = chain.plan(image(64, 80), table=tmp_path / "t.csv")
            assert any("intensities in the table are those of" in line for line in plan.warnings)
            assert chain.run(plan).objects["out"].count > 0
        assert (tmp_path / "t.csv").exists()


class TestIntermediate:
    def test_needed_where_all_of_an_output_is(self, tmp_path: Path, second: Path) -> None:
        whole = model(tmp_path / "whole", "raw", "smooth", filter_size=5, post=[STANDARDISED])
        array = image(100, 140)
        with pytest.raises(InputError, match=r"computed as a whole.*intermediate="):
            bc.predict([whole, second], array, axes="yx")
        expected = bc.predict(second, {"smooth": bc.predict(whole, array, axes="yx")["smooth"]}, block=40)["out"]
        result = bc.predict([whole, second], array, axes="yx", block=40, intermediate=tmp_path / "maps.zarr")["out"]
        np.testing.assert_array_equal(np.asarray(result), np.asarray(expected))

    def test_stored_where_it_is_said(self, first: Path, second: Path, tmp_path: Path) -> None:
        array = image(64, 80)
        expected = np.asarray(bc.predict([first, second], array, axes="yx")["out"])
        third = model(tmp_path / "third", "out", "last", filter_size=3)
        place = tmp_path / "maps.zarr"
        result = bc.predict([first, second, third], array, tmp_path / "o.zarr", axes="yx", intermediate=place)
        np.testing.assert_array_equal(bc.predict([third], {"out": expected}, axes="bcyx")["last"], np.asarray(result["last"]))
        np.testing.assert_array_equal(zarr.open_group(place, mode="r")["out"][...], expected)
        again = bc.predict([first, second, third], array, tmp_path / "o.zarr", axes="yx", intermediate=place, overwrite=True)
        np.testing.assert_array_equal(np.asarray(again["last"]), np.asarray(result["last"]))

    def test_interrupted_while_an_older_output_is_replaced(self, first: Path, second: Path, tmp_path: Path) -> None:
        """The run is continued, and the older output is not taken for its result."""
        array, options = image(100, 140), {"axes": "yx", "block": 40, "workers": 1, "intermediate": tmp_path / "maps.zarr"}
        bc.predict([first, second], array, tmp_path / "o.zarr", **options)

        def stop(stage: str, done: int, total: int) -> None:
            if stage.startswith("predict"):  # that of the first model
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            bc.predict([first, second], array + 500, tmp_path / "o.zarr", overwrite=True, progress=stop, **options)
        resumed = bc.predict([first, second], array + 500, tmp_path / "o.zarr", resume=True, **options)
        expected = bc.predict([first, second], array + 500, axes="yx", block=40)["out"]
        np.testing.assert_array_equal(np.asarray(resumed["out"]), np.asarray(expected))

    def test_apart_from_the_output(self, first: Path, second: Path, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="intermediate"):
            bc.predict([first, second], image(64, 64), tmp_path / "o.zarr", axes="yx", intermediate=tmp_path / "o.zarr")
        assert not (tmp_path / "o.zarr").exists()

    def test_without_a_chain(self, first: Path, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="expected several models"):
            bc.predict(first, image(64, 64), axes="yx", intermediate=tmp_path / "maps.zarr")


class TestRefused:
    def test_nothing_fits(self, first: Path, second: Path) -> None:
        with pytest.raises(InputError, match="takes no output of the models before it"):
            bc.open_predictor([second, model(second.parent / "two", "a", "b", filter_size=3), _two_inputs(second.parent / "three")])

    def test_empty(self) -> None:
        with pytest.raises(InputError, match="list of models is empty"):
            bc.open_predictor([])

    def test_unknown_image(self, first: Path, second: Path) -> None:
        with pytest.raises(InputError, match="other"):
            bc.predict([first, second], {"raw": image(64, 64), "other": image(64, 64)}, axes="yx")


def _two_inputs(folder: Path) -> Path:
    folder.mkdir()
    save_graph(folder / "weights.onnx", [helper.make_node("Add", ["p", "q"], ["out"])], {"p": 4, "q": 4}, {"out": 4})
    axes, out = [space(a, SIZES) for a in "yx"], [space(a, follows(a, tensor="p")) for a in "yx"]
    return save_description_0_5(
        folder, [tensor("p", BATCH, channels(), *axes), tensor("q", BATCH, channels(), *axes)], [tensor("out", BATCH, channels(), *out)]
    )


def test_inputs_of_the_same_id(tmp_path: Path) -> None:
    """An image is that of the first model that has an input of this id: it does not replace the first model."""
    first = model(tmp_path / "first", "raw", "smooth", filter_size=5)
    again = model(tmp_path / "again", "raw", "out", filter_size=3)
    array = image(64, 80)
    expected = np.asarray(bc.predict([first, again], array, axes="yx")["out"])
    np.testing.assert_array_equal(np.asarray(bc.predict([first, again], {"raw": array}, axes="yx")["out"]), expected)
    np.testing.assert_array_equal(expected, np.asarray(bc.predict(again, bc.predict(first, array, axes="yx")["smooth"])["out"]))


def test_given_output_replaces_the_first_model(first: Path, second: Path) -> None:
    given = image(64, 80)
    expected = bc.predict(second, given, axes="yx")["out"]
    with bc.open_predictor([first, second], axes="yx") as chain:
        assert isinstance(chain, Predictor)
        assert chain.required_inputs == ("raw",)
        np.testing.assert_array_equal(chain.predict({"smooth": given})["out"], np.asarray(expected))
