"""Pixel sizes that are given, and those that cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from made_models import half_micrometer_model, pointwise_model

import bioimageio_core as bc
from bioimageio_core.errors import InputError
from bioimageio_core.io import open_image


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of pixels of 0.5 micrometers."""
    (tmp_path / "model").mkdir()
    return half_micrometer_model(tmp_path / "model")


def ome_image(path: Path, scale: list[float], unit: str | None = "micrometer", position: tuple[float, float] = (0.0, 0.0)) -> Path:
    """Write an image of 40 x 300 pixels."""
    group = zarr.create_group(str(path), zarr_format=2)
    group.create_array("0", data=np.ones((40, 300), "uint8"), chunks=(40, 300))
    axes = [{"name": a, "type": "space", **({"unit": unit} if unit else {})} for a in "yx"]
    steps = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": position}]
    written = {"version": "0.4", "axes": axes, "datasets": [{"path": "0", "coordinateTransformations": steps}]}
    (path / ".zattrs").write_text(json.dumps({"multiscales": [written]}))
    return path


class TestPartOfAResampledImage:
    """A region of interest is in pixels of the image as it is given."""

    @pytest.mark.parametrize("size", [0.25, 0.5, 1.0, 0.3])
    def test_is_part_of_the_whole(self, model: Path, size: float) -> None:
        """Neighbouring parts make up the complete prediction."""
        image = np.random.default_rng(0).random((64, 48), dtype=np.float32)
        options: dict[str, Any] = {"axes": "yx", "pixel_size": size, "rescale": True}
        whole = np.asarray(bc.predict(model, image, **options)["out"])
        parts = [np.asarray(bc.predict(model, image, roi={"y": rows}, **options)["out"]) for rows in ((0, 20), (20, 33), (33, None))]
        np.testing.assert_allclose(np.concatenate(parts, axis=2), whole, atol=1e-6)
        assert parts[0].shape[2] == round(20 * size / 0.5)
        with pytest.raises(InputError, match="roi along axis 'y' is 60:65: expected a nonempty part of 0:64"):
            bc.predict(model, image, roi={"y": (60, 65)}, **options)

    def test_smaller_than_a_pixel(self, model: Path) -> None:
        """A part of the image is at least one pixel of the result."""
        part = bc.predict(model, np.ones((64, 48)), axes="yx", pixel_size=0.1, rescale=True, roi={"y": (10, 11)})["out"]
        assert part.shape[2] == 1


class TestGiven:
    """Sizes that the user gives."""

    def test_written(self, tmp_path: Path, model: Path) -> None:
        """They are what the output has, in the unit of the model, for images with and without a size."""
        for image in (np.ones((40, 40), np.float32), ome_image(tmp_path / "i.zarr", [0.1, 0.2])):
            bc.predict(model, image, tmp_path / "o.zarr", ome="0.5", pixel_size={"y": 0.25, "x": 0.75}, overwrite=True)
            assert dict(open_image(tmp_path / "o.zarr").pixel_size) == {"y": (0.25, "micrometer"), "x": (0.75, "micrometer")}

    def test_line(self, tmp_path: Path, model: Path) -> None:
        """A line says which one is used where they differ, also where units do; equal ones need no line."""
        predictor = bc.open_predictor(model)
        image = ome_image(tmp_path / "i.zarr", [500.0, 500.0], "nanometer")
        assert predictor.plan(image, pixel_size={"y": 0.5, "x": 0.5}).warnings == ()
        (line,) = predictor.plan(image, pixel_size={"y": 0.51}).warnings
        assert line == (
            "the pixel size of i along axis 'y' is 500 nanometer, and 0.51 micrometer is given: "
            "the latter is used, as given with pixel_size= (--pixel-size)"
        )

    @pytest.mark.parametrize(("unit", "position"), [("nanometer", (2.0, 3.0)), (None, (1.0, 3.0))])
    def test_position(self, tmp_path: Path, model: Path, unit: str | None, position: tuple[float, float]) -> None:
        """A position of 2000 nm is one of 2 µm; a position without a unit is one of 4 pixels of 500, now of 0.25 µm each."""
        image = ome_image(tmp_path / "i.zarr", [500.0, 500.0], unit, (2000.0, 3000.0))
        bc.predict(model, image, tmp_path / "o.zarr", ome="0.5", pixel_size={"y": 0.25, "x": 0.5})
        assert dict(open_image(tmp_path / "o.zarr").position) == {"y": position[0], "x": position[1]}

    def test_model_without_unit(self, tmp_path: Path) -> None:
        """Then they are in the unit of the file."""
        (tmp_path / "plain").mkdir()
        model = pointwise_model(tmp_path / "plain")
        bc.predict(model, ome_image(tmp_path / "i.zarr", [1.0, 1.0]), tmp_path / "o.zarr", ome="0.5", pixel_size={"y": 0.25})
        assert dict(open_image(tmp_path / "o.zarr").pixel_size) == {"y": (0.25, "micrometer"), "x": (1.0, "micrometer")}

    @pytest.mark.parametrize("given", ["250 nm", "250nm", "0.25 µm", "0.25um", "0.25", ("250", "nm"), (250, "nm"), (0.25, None), 0.25])
    def test_unit(self, tmp_path: Path, model: Path, given: Any) -> None:
        """Sizes may have a unit, and are converted to that of the model; without one they are in it."""
        if given == ("250", "nm"):
            with pytest.raises(InputError, match=r"pixel_size=.* '0\.5 µm'"):
                bc.open_predictor(model, pixel_size=given)
            return
        bc.predict(model, np.ones((40, 40), np.float32), tmp_path / "o.zarr", axes="yx", ome="0.5", pixel_size=given)
        assert dict(open_image(tmp_path / "o.zarr").pixel_size) == {a: (pytest.approx(0.25), "micrometer") for a in "yx"}

    def test_unit_without_model(self, tmp_path: Path) -> None:
        """It is kept where the model has none."""
        (tmp_path / "plain").mkdir()
        bc.predict(
            pointwise_model(tmp_path / "plain"),
            np.ones((40, 40)),
            tmp_path / "o.zarr",
            axes="yx",
            ome="0.5",
            pixel_size={"y": "3 nm", "x": 2},
        )
        assert open_image(tmp_path / "o.zarr").pixel_size["y"] == (3.0, "nanometer")

    def test_unit_of_time(self, model: Path) -> None:
        """A size in seconds is none along an axis of space."""
        with pytest.raises(InputError, match=r"pixel_size= of axis 'y' is in second, and the model has micrometer"):
            bc.predict(model, np.ones((40, 40), np.float32), axes="yx", pixel_size={"y": "1 s"})

    @pytest.mark.parametrize(
        "given",
        [
            "0.5 parrots",
            "um",
            {"y": "-1 um"},
            {"y": 0},
            {"y": -1},
            {"y": float("nan")},
            {"y": float("inf")},
            {"y": "a"},
            {"y": None},
            "a",
            [1, 2],
        ],
    )
    def test_refused(self, model: Path, given: Any) -> None:
        """A size that cannot be is refused in one sentence with both names of the option."""
        with pytest.raises(InputError, match=r"pixel_size=.* expected") as raised:
            bc.open_predictor(model, pixel_size=given)
        assert "\n" not in str(raised.value)


class TestOddSizes:
    """Sizes of files that cannot be."""

    @pytest.mark.parametrize("size", [0.0, -0.5, float("nan"), float("inf")])
    def test_count_as_not_known(self, tmp_path: Path, model: Path, size: float) -> None:
        """The pixel size of the model is written, in a pyramid too, and rescaling asks for the size."""
        image = ome_image(tmp_path / "i.zarr", [size, 0.25], position=(7.0, 3.0))
        bc.predict(model, image, tmp_path / "o.zarr", ome="0.5", pyramid=True)
        assert dict(open_image(tmp_path / "o.zarr").pixel_size) == {"y": (0.5, "micrometer"), "x": (0.25, "micrometer")}
        assert dict(open_image(tmp_path / "o.zarr").position) == {"y": 0.0, "x": 3.0}
        with pytest.raises(InputError, match=r"pixel size of i along axis 'y' is unknown.*pixel_size=\{'y': SIZE\}"):
            bc.predict(model, image, rescale=True)

    @pytest.mark.parametrize("size", [1e-9, 1e-300])
    def test_tiny(self, tmp_path: Path, model: Path, size: float) -> None:
        """An image of which rescaling would leave less than a pixel is refused, with its size."""
        image = ome_image(tmp_path / "i.zarr", [size, 0.5])
        with pytest.raises(InputError, match=r"smaller than a pixel of the model along axis 'y'"):
            bc.predict(model, image, rescale=True)


class TestUnits:
    """Units of files."""

    @pytest.mark.parametrize(("unit", "size"), [("angstrom", 2500.0), ("picometer", 250000.0), ("inch", 0.25e-6 / 0.0254), ("nm", 250.0)])
    def test_known_to_rescaling(self, tmp_path: Path, model: Path, unit: str, size: float) -> None:
        """A quarter of a micrometer in any unit is half a pixel of the model."""
        image = ome_image(tmp_path / "i.zarr", [size, size], unit)
        assert bc.predict(model, image, rescale=True)["out"].shape == (1, 1, 20, 150)
