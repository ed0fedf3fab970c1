"""Small networks made on the spot with Keras, and their descriptions: batch, y, x, channel, sizes that are multiples of 4.

Both generations of Keras make them: functions take the module, ``keras`` or ``tf_keras``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from made_models import BATCH, follows, save_description_0_5, space, tensor
from numpy.typing import NDArray

import bioimageio_core as bc

Array = NDArray[Any]

HALO = 16
"""More than the networks see."""


def unet(keras: Any, *, size: int | None = None) -> Any:
    """A U-Net of two levels with one input and one output; what inference must leave out is in it."""
    layers = keras.layers
    raw = keras.Input((size, size, 1), name="image")
    top = layers.Conv2D(4, 3, padding="same", activation="relu")(raw)
    top = layers.Dropout(0.5)(layers.BatchNormalization()(top))
    low = layers.Conv2D(6, 3, padding="same", activation="elu")(layers.MaxPooling2D()(top))
    lowest = layers.DepthwiseConv2D(3, padding="same")(layers.MaxPooling2D()(low))
    low = layers.Concatenate()([layers.UpSampling2D()(lowest), low])
    up = layers.Conv2DTranspose(4, 2, strides=2, padding="same")(low)
    out = layers.Conv2D(2, 1, activation="sigmoid")(layers.Concatenate()([up, top]))
    return seeded(keras.Model(raw, out))


def two_by_two(keras: Any) -> Any:
    """Two inputs, two outputs: (a - 2 b blurred, a b), the names of the tensors in another order than their positions."""
    layers = keras.layers
    a, b = keras.Input((None, None, 1), name="zeta"), keras.Input((None, None, 1), name="alpha")
    blurred = layers.Conv2D(1, 3, padding="same", name="omega")(layers.Concatenate()([a, b]))
    return seeded(keras.Model([a, b], [blurred, layers.Multiply(name="beta")([a, b])]))


def seeded(model: Any) -> Any:
    """Fill a network with numbers that are always the same, and positive where they are variances."""
    generator = np.random.default_rng(0)
    model.set_weights(
        [
            w if w.dtype.kind in "iu" else generator.uniform(0.05, 0.6, w.shape).astype(w.dtype) - (0.25 if w.ndim > 1 else 0.0)
            for w in model.get_weights()
        ]
    )
    return model


def called(model: Any, *inputs: Array) -> list[Array]:
    """Return what the framework itself says, at inference."""
    outputs = model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
    return [
        np.asarray(o.detach().cpu().numpy() if hasattr(o, "detach") else o) for o in (outputs if isinstance(outputs, list) else [outputs])
    ]


class Made(NamedTuple):
    """A described network: ids of its tensors, channels of each output, what it was made by."""

    inputs: Sequence[str]
    outputs: Mapping[str, int]


UNET = Made(["raw"], {"mask": 2})
TWO = Made(["first", "second"], {"blurred": 1, "product": 1})


def describe(folder: Path, made: Made, weights: dict[str, Any]) -> Path:
    """Write a description of format 0.5 for weights that lie in the folder."""

    def channel(count: int) -> dict[str, Any]:
        return {"type": "channel", "channel_names": [f"channel{n}" for n in range(count)]}

    first = made.inputs[0]
    sizes = [space(a, {"min": 36, "step": 4}) for a in "yx"]
    tied = [space(a, follows(a, tensor=first)) for a in "yx"]
    inputs = [tensor(i, BATCH, *(sizes if i == first else tied), channel(1)) for i in made.inputs]
    out = [space(a, follows(a, tensor=first), halo=HALO) for a in "yx"]
    return save_description_0_5(folder, inputs, [tensor(o, BATCH, *out, channel(n)) for o, n in made.outputs.items()], weights=weights)


def images(made: Made, *, height: int = 96, width: int = 80) -> dict[str, Array]:
    """Return an image for each input, y and x."""
    generator = np.random.default_rng(1)
    return {i: generator.random((height, width), dtype=np.float32) for i in made.inputs}


def expected(run: Any, made: Made, given: Mapping[str, Array]) -> dict[str, Array]:
    """Return what a framework's own call gives for the whole, padded as predictions are, and cropped.

    Args:
        run: Takes arrays (1, y, x, 1), one for each input, and returns those of all outputs.
        made: The ids.
        given: Images by id.

    """
    padded = [np.pad(given[i], HALO, mode="symmetric")[None, ..., None] for i in made.inputs]
    return {o: array[:, HALO:-HALO, HALO:-HALO] for o, array in zip(made.outputs, run(*padded), strict=True)}


def predicted_in_memory(model: Path, given: Mapping[str, Array], **options: Any) -> dict[str, Array]:
    """Predict from arrays to arrays."""
    return {o: np.asarray(array) for o, array in bc.predict(model, dict(given), **options).items()}


def predicted_out_of_core(model: Path, given: Mapping[str, Array], folder: Path, **options: Any) -> dict[str, Array]:
    """Predict from zarr to zarr, in several blocks."""
    import zarr

    paths = {}
    for name, array in given.items():
        paths[name] = folder / f"{name}.zarr"
        zarr.create_array(str(paths[name]), data=array, chunks=(32, 32))
    result = bc.predict(model, paths, folder / "result.zarr", block={"y": 64, "x": 64}, axes="yx", **options)
    assert result.plan.regions.block_count > 1
    return {o: np.asarray(array) for o, array in result.items()}


def assert_equal(found: Mapping[str, Array], wanted: Mapping[str, Array]) -> None:
    """Assert that all outputs are the same to 1e-5."""
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5)
