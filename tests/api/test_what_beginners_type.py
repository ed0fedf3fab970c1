"""What people type who have not read the documentation: each line gives the result, or one sentence that says what to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import box_model

import bioimageio_core as bc
from bioimageio_core.errors import BioimageioError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that any image fits."""
    return box_model(tmp_path_factory.mktemp("model"), 4)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """A grey image."""
    return np.random.default_rng(0).random((40, 30), dtype=np.float32)


@pytest.fixture(scope="module")
def expected(model: Path, image: np.ndarray) -> np.ndarray:
    """What the model makes of it."""
    return np.asarray(bc.predict(model, image, progress=False)["out"])


def torch_tensor(image: np.ndarray) -> Any:
    """A tensor of a training loop."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    return torch.tensor(image, requires_grad=True)


def pillow_picture(image: np.ndarray) -> Any:
    """A picture that Pillow opened."""
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    return pillow.fromarray(image)


def xarray_of(image: np.ndarray) -> Any:
    """An array with named axes."""
    return pytest.importorskip("xarray", reason="xarray is not installed").DataArray(image, dims=("y", "x"))


def saved(image: np.ndarray, folder: Path) -> str:
    """The path of a file with the image."""
    np.save(folder / "cells.npy", image)
    return str(folder / "cells.npy")


WORKS: dict[str, Callable[[Path, np.ndarray], Any]] = {
    "a path": lambda model, image: bc.predict(str(model), image),
    "a number as block": lambda model, image: bc.predict(model, image, block=32),
    "a tensor with gradients": lambda model, image: bc.predict(model, torch_tensor(image)),
    "a picture of Pillow": lambda model, image: bc.predict(model, pillow_picture(image)),
    "xarray": lambda model, image: bc.predict(model, xarray_of(image)),
    "an image by name": lambda model, image: bc.predict(model, {"raw": image}),
    "axes": lambda model, image: bc.predict(model, image, axes="yx"),
    "progress": lambda model, image: bc.predict(model, image, progress=True),
    "no progress": lambda model, image: bc.predict(model, image, progress=False),
    "an open predictor": lambda model, image: bc.predict(bc.open_predictor(model), image),
}

FAILS: dict[str, tuple[Callable[[Path, np.ndarray], Any], str]] = {
    "image before model": (lambda model, image: bc.predict(image, model), "the model before the image"),
    "file before model": (lambda model, image: bc.predict(saved(image, model), str(model)), "the model comes before the image"),
    "nested lists": (lambda model, image: bc.predict(model, image.tolist()), "numpy.asarray"),
    "no image": (lambda model, image: bc.predict(model, None), "found None"),
    "a number as image": (lambda model, image: bc.predict(model, 42), "expected an array, a path or a URL"),
    "a missing file": (lambda model, image: bc.predict(model, "missing.tif"), "missing.tif does not exist"),
    "an empty image": (lambda model, image: bc.predict(model, image[:0]), "expected at least one pixel"),
    "complex numbers": (lambda model, image: bc.predict(model, image.astype(complex)), "not real numbers"),
    "objects": (lambda model, image: bc.predict(model, np.array([None, image], dtype=object)), "not real numbers"),
    "the description": (lambda model, image: bc.predict(bc.load_model_description(model), image), "give what it was loaded from"),
    "options for an open predictor": (
        lambda model, image: bc.predict(bc.open_predictor(model), image, block=32),
        "predictor.predict(image",
    ),
    "no model": (lambda model, image: bc.predict(None, image), "expected a model"),
    "no name of the option": (lambda model, image: bc.predict(model, image, 256), "as in block=256"),
    "a misspelt option": (lambda model, image: bc.predict(model, image, blok=32), "did you mean 'block'?"),
    "text as block": (lambda model, image: bc.predict(model, image, block="256"), "{'y': 512, 'x': 512}"),
    "a pair as block": (lambda model, image: bc.predict(model, image, block=(32, 32)), "{'y': 512, 'x': 512}"),
    "too many axes": (lambda model, image: bc.predict(model, image, axes="zyx"), "expected one name per axis"),
    "no such channel": (lambda model, image: bc.predict(model, image, channel="DAPI"), "no channel axis"),
    "no such device": (lambda model, image: bc.predict(model, image, device="gpu"), "expected one of cpu"),
    "memory without a unit": (lambda model, image: bc.predict(model, image, memory="4"), "'2 GB'"),
    "another input": (lambda model, image: bc.predict(model, {"image": image}), "whose inputs are raw"),
    "a region without axes": (lambda model, image: bc.predict(model, image, roi=(0, 10)), "'y': (0, 512)"),
    "words as progress": (lambda model, image: bc.predict(model, image, progress="yes"), "expected True, False"),
    "an image to describe": (lambda model, image: bc.card(image), "image_card() says what an image is"),
}


class TestWorks:
    """Lines that mean what they say."""

    @pytest.mark.parametrize("line", WORKS)
    def test_gives_the_result(self, line: str, model: Path, image: np.ndarray, expected: np.ndarray) -> None:
        """The same as the plain way."""
        np.testing.assert_allclose(np.asarray(WORKS[line](model, image)["out"]), expected, atol=1e-5)

    def test_a_result_as_image(self, model: Path, image: np.ndarray) -> None:
        """It is taken with its axes."""
        first = bc.predict(model, image)["out"]
        assert bc.predict(model, first)["out"].axes == first.axes

    def test_colours_of_pillow(self, model: Path, image: np.ndarray) -> None:
        """Have names."""
        pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
        colours = (np.stack([image, image * 0.5, image * 0], -1) * 255).astype(np.uint8)
        found = bc.predict(model, pillow.fromarray(colours), channel="green")["out"]
        np.testing.assert_array_equal(np.asarray(found), np.asarray(bc.predict(model, colours[..., 1])["out"]))

    def test_half_precision_of_torch(self, model: Path, image: np.ndarray, expected: np.ndarray) -> None:
        """Numpy has no bfloat16."""
        found = bc.predict(model, torch_tensor(image).bfloat16())["out"]
        np.testing.assert_allclose(np.asarray(found), expected, atol=0.02)

    def test_version(self) -> None:
        """The version of the distribution."""
        assert bc.__version__.count(".") >= 2


class TestFails:
    """Lines that cannot mean anything."""

    @pytest.mark.parametrize("line", FAILS)
    def test_one_sentence(self, line: str, model: Path, image: np.ndarray) -> None:
        """No error from within, and what to write instead."""
        call, words = FAILS[line]
        with pytest.raises(BioimageioError) as raised:
            call(model, image)
        message = str(raised.value)
        assert words in message
        assert "\n" not in message
        assert len(message) < 400

    def test_a_name_that_is_not_there(self) -> None:
        """The error asks for the one that is meant."""
        with pytest.raises(AttributeError, match="did you mean 'predict'"):
            _ = bc.predikt  # type: ignore[attr-defined]

    def test_an_output_that_is_not_there(self, model: Path, image: np.ndarray) -> None:
        """The error names the outputs."""
        with pytest.raises(KeyError, match="expected one of 'out'"):
            bc.predict(model, image)["output"]
