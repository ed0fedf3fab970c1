"""Axes of images, matched with those of the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import xarray as xr
from made_models import BATCH, box_model, channels, follows, identity_graph, pointwise_model, save_description_0_5, space, tensor

import bioimageio_core as bc
from bioimageio_core.errors import AxesError, PredictionWarning

ANY = {"min": 8, "step": 4}


def noise(*shape: int) -> np.ndarray:
    """Return noise."""
    return np.random.default_rng(0).random(shape, dtype=np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A mean filter of planes, which shows a transposed, cut or single pixel."""
    (tmp_path / "model").mkdir()
    return box_model(tmp_path / "model", ANY)


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    """A model of volumes."""
    (tmp_path / "volumes").mkdir()
    return pointwise_model(tmp_path / "volumes", axes=("z", "y", "x"), gain=2.0)


class TestNamedAxes:
    """Axes that images name in their own words."""

    @pytest.mark.parametrize("dims", [("y", "x"), ("Y", "X "), ("row", "col"), ("height", "width"), ("lat", "lon"), ("dim_0", "dim_1")])
    def test_planes(self, model: Path, dims: tuple[str, str]) -> None:
        """The same plane under all names has the values of ``axes="yx"``."""
        plane = noise(30, 40)
        expected = np.asarray(bc.predict(model, plane, axes="yx")["out"])
        np.testing.assert_array_equal(np.asarray(bc.predict(model, xr.DataArray(plane, dims=dims))["out"]), expected)

    @pytest.mark.parametrize("dims", [("frame", "row", "col"), ("T", "Y", "X"), ("position", "y", "x"), ("z", "y", "x"), ("v", "y", "x")])
    def test_each_position(self, model: Path, dims: tuple[str, ...]) -> None:
        """Axes that the model lacks are predicted position by position, beside all axes of space."""
        stack = noise(3, 30, 40)
        expected = [np.asarray(bc.predict(model, plane, axes="yx")["out"]) for plane in stack]
        np.testing.assert_array_equal(np.asarray(bc.predict(model, xr.DataArray(stack, dims=dims))["out"]), expected)

    @pytest.mark.parametrize("dims", [("a", "b"), ("line", "sample"), ("position", "y"), ("z", "x"), ("t", "c"), ("rows", "row")])
    def test_never_pixel_by_pixel(self, model: Path, dims: tuple[str, str]) -> None:
        """Without all axes of space beside an unclear one, the error has the axes found, those expected, and the remedy."""
        with pytest.raises(AxesError, match=r"expects y, x among them: found no .* axes=, as in 'yx'") as raised:
            bc.predict(model, xr.DataArray(noise(30, 40), dims=dims))
        assert "\n" not in str(raised.value)
        if dims != ("t", "c"):
            bc.predict(model, xr.DataArray(noise(30, 40), dims=dims), axes="yx")

    def test_given_axes_too(self, model: Path) -> None:
        """Given axes are read with the same words, and refused for the same reason."""
        plane = noise(30, 40)
        assert bc.predict(model, plane, axes="row,column")["out"].shape == (1, 1, 30, 40)
        with pytest.raises(AxesError, match="found no y or x"):
            bc.predict(model, plane, axes="line,pixel")

    def test_axis_that_may_be_depth(self, volumes: Path) -> None:
        """For a model of volumes an unknown name beside y and x may be z; time is not."""
        with pytest.raises(AxesError, match=r"found no z; .* as in 'zyx'"):
            bc.predict(volumes, xr.DataArray(noise(3, 8, 8), dims=("level", "y", "x")))
        assert bc.predict(volumes, xr.DataArray(noise(3, 8, 8), dims=("t", "y", "x")))["out"].axes[0] == "time"

    def test_names_of_the_model(self, tmp_path: Path) -> None:
        """A model may call its axes height and width."""
        identity_graph(tmp_path / "weights.onnx")
        words = ("height", "width")
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), *(space(a, ANY) for a in words))],
            [tensor("out", BATCH, channels(), *(space(a, follows(a)) for a in words))],
        )
        plane = noise(12, 16)
        for axes in ("yx", "height,width"):
            found = bc.predict(tmp_path, plane, axes=axes)["out"]
            assert found.axes == ("batch", "channel", *words)
            np.testing.assert_array_equal(np.asarray(found)[0, 0], plane)


class TestWarnings:
    """What is told in Python, as on the command line."""

    def test_guess(self, model: Path) -> None:
        """A guess, once."""
        with pytest.warns(PredictionWarning, match=r"axes of array guessed: y,x \(give axes=") as caught:
            bc.predict(model, noise(30, 40))
        assert len([w for w in caught if issubclass(w.category, PredictionWarning)]) == 1

    def test_lazy_and_statistics(self, model: Path) -> None:
        """Also where outputs are lazy, and where statistics are measured for a model."""
        with pytest.warns(PredictionWarning, match="guessed"):
            bc.open_predictor(model).lazy(noise(30, 40))
        with pytest.warns(PredictionWarning, match="guessed"):
            bc.compute_statistics(noise(30, 40), model)

    @pytest.mark.filterwarnings("error::bioimageio_core.errors.PredictionWarning")
    def test_nothing_to_tell(self, model: Path) -> None:
        """Known axes cause no warning."""
        bc.predict(model, noise(30, 40), axes="yx")

    def test_contradiction(self, tmp_path: Path, model: Path) -> None:
        """Given axes win over those of the file, with a line that has both."""
        tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((12, 16, 3), "uint8"), photometric="rgb")
        plan = bc.open_predictor(model).plan(tmp_path / "rgb.tif", axes="zyx")
        assert plan.inputs[0].bound.axes == ("z", "batch", "channel", "y", "x")
        assert plan.warnings == (
            "rgb names its axes y,x,channel, which z,y,x contradicts: the latter are used, as given with axes= (--axes)",
        )

    @pytest.mark.parametrize(("dims", "axes"), [(("y", "x"), "yx"), (("row", "col"), "yx"), (("u", "v"), "yx"), (("dim_0", "dim_1"), "yx")])
    def test_no_contradiction(self, model: Path, dims: tuple[str, str], axes: Any) -> None:
        """The same axes in other words, and names that are not understood, contradict nothing."""
        assert bc.open_predictor(model).plan(xr.DataArray(noise(30, 40), dims=dims), axes=axes).warnings == ()
