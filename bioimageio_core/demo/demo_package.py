"""The package of the demonstration model: description, documentation, cover, test tensors and weights."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..onnx_runtime import import_onnxruntime
from ..report.pictures.side_by_side import overlay, to_grey, to_png
from .synthetic import nuclei_block
from .unet import FEATURES, HALO, STRIDE

__all__ = ["TEST_SEED", "normalise", "write_package"]

TEST_SEED = 1_000_003
"""Seed of the plane that test tensors and cover come from; training sees others."""

OPSET = 13
MIN_SIZE = 64

_DOCUMENTATION = """\
# Nuclei in synthetic fluorescence images

A small U-Net that marks cell nuclei in two-dimensional fluorescence images.
It was trained for a few minutes on images that are computed, not recorded: elliptic nuclei of varied size, brightness and focus,
on an uneven background, with the noise of a camera.
It shows what a bioimage.io model is and how one is run on an image of any size; it is no tool for research on real cells.

## Input

`image`: one channel, any height and width; other sizes than multiples of {stride} are padded.
Intensities are brought to mean 0 and variance 1 over the whole image.
Nuclei are expected to be about 10 to 30 pixels wide.

## Output

`probability`: the probability, from 0 to 1, that a pixel belongs to a nucleus.
Thresholded at 0.5 it agrees with the truth at an intersection over union of {iou:.3f} on synthetic images that were not trained on.

## Blocks

A pixel of the output depends on no more than {halo} pixels of the input to either side.
Blocks with this halo give the same result as the whole image.

## Training

{steps} steps of Adam on batches of {batch} images of {size} x {size} pixels, binary cross-entropy;
{parameters} parameters, features {features}.
The whole of it is repeated by `python -m bioimageio_core.demo.train OUT`.

## Validation

Compare the thresholded probability with a few nuclei outlined by hand, for instance by their intersection over union.
If it falls below 0.8 on your images, this is not the model for them.
"""

_DESCRIPTION = """\
format_version: 0.5.4
type: model
name: Nuclei in synthetic fluorescence images
description: A small U-Net that marks nuclei; trained on synthetic images to demonstrate blockwise prediction.
authors:
- name: bioimageio_core developers
cite:
- text: "Ronneberger et al.: U-Net: Convolutional Networks for Biomedical Image Segmentation. MICCAI 2015."
  doi: 10.1007/978-3-319-24574-4_28
license: MIT
documentation: documentation.md
covers: [cover.png]
tags: [nuclei, fluorescence-light-microscopy, semantic-segmentation, unet, 2d, demo]
timestamp: "2026-01-01T00:00:00+00:00"
version: 0.1.0
inputs:
- id: image
  description: Fluorescence of a nuclear stain.
  axes:
  - type: batch
  - type: channel
    channel_names: [nuclei]
  - type: space
    id: y
    size: {{min: {min_size}, step: {stride}}}
  - type: space
    id: x
    size: {{min: {min_size}, step: {stride}}}
  data:
    type: float32
  preprocessing:
  - id: zero_mean_unit_variance
    kwargs: {{axes: [channel, y, x], eps: 1.0e-6}}
  test_tensor:
    source: test_input.npy
    sha256: {test_input}
outputs:
- id: probability
  description: Probability that a pixel belongs to a nucleus.
  axes:
  - type: batch
  - type: channel
    channel_names: [nucleus]
  - type: space
    id: y
    size: {{tensor_id: image, axis_id: y}}
    halo: {halo}
  - type: space
    id: x
    size: {{tensor_id: image, axis_id: x}}
    halo: {halo}
  data:
    type: float32
    range: [0.0, 1.0]
  postprocessing:
  - id: sigmoid
  test_tensor:
    source: test_output.npy
    sha256: {test_output}
weights:
  onnx:
    source: weights.onnx
    sha256: {weights}
    opset_version: {opset}
"""


def normalise(image: NDArray[Any]) -> NDArray[np.float32]:
    """Return the image at mean 0 and variance 1, as the description has it for the input."""
    values = np.asarray(image, np.float64)
    return np.asarray((values - values.mean()) / (values.std() + 1e-6), np.float32)


def write_package(folder: Path, weights: bytes, *, iou: float, parameters: int, steps: int, batch: int, size: int) -> None:
    """Write the package into a folder, and the test output as ONNX Runtime computes it.

    Args:
        folder: Made where it is not there.
        weights: The ONNX file.
        iou: Quality on images that were not trained on, for the documentation.
        parameters: Their number, likewise.
        steps: Of the training, likewise.
        batch: Images per step, likewise.
        size: Pixels along their sides, likewise.

    """
    session = import_onnxruntime().InferenceSession(weights, providers=["CPUExecutionProvider"])

    def probability(image: NDArray[Any]) -> NDArray[np.float32]:
        logits = session.run(None, {"image": normalise(image)[None, None]})[0]
        return np.asarray(1 / (1 + np.exp(-np.asarray(logits, np.float64))), np.float32)

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.onnx").write_bytes(weights)
    image, _ = nuclei_block(TEST_SEED, 0, 0, 128, 128)
    np.save(folder / "test_input.npy", image.astype(np.float32)[None, None])
    np.save(folder / "test_output.npy", probability(image))
    (folder / "cover.png").write_bytes(_cover(probability))
    documentation = _DOCUMENTATION.format(
        stride=STRIDE,
        halo=HALO,
        iou=iou,
        parameters=parameters,
        features=", ".join(map(str, FEATURES)),
        steps=steps,
        batch=batch,
        size=size,
    )
    (folder / "documentation.md").write_text(documentation, encoding="utf-8")
    hashes = {
        name: hashlib.sha256((folder / file).read_bytes()).hexdigest()
        for name, file in (("test_input", "test_input.npy"), ("test_output", "test_output.npy"), ("weights", "weights.onnx"))
    }
    description = _DESCRIPTION.format(stride=STRIDE, halo=HALO, min_size=MIN_SIZE, opset=OPSET, **hashes)
    (folder / "bioimageio.yaml").write_text(description, encoding="utf-8")


def _cover(probability: Any) -> bytes:
    """Return a picture of twice its height's width: an image, and the same with nuclei marked."""
    image, _ = nuclei_block(TEST_SEED, 512, 512, 256, 256)
    grey = to_grey(image)
    left = np.repeat(grey[..., None], 3, axis=2)
    return to_png(np.concatenate([left, overlay(grey, probability(image)[0, 0] > 0.5)], axis=1))
