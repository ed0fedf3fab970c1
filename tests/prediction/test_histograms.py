"""Ops that need a histogram of the image: measured, supplied or recorded, along axes that the model lacks, in blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import pointwise_model
from made_sites import Site

import bioimageio_core as bc

BINS = 8
IMAGE = np.random.default_rng(0).gamma(2, 1, (2, 40, 30)).astype(np.float32)

PLUGIN = """
from functools import partial
from bioimageio_core.registry import Measure, Needs, ProcessingOpEntry, hookimpl
from bioimageio_core.spec.node import Node, node


@node
class Kwargs(Node):
    of: str | None = None
    axes: tuple[str, ...] = ("y", "x")


@node
class Descr(Node):
    id: str = "equalise"
    kwargs: Kwargs = Kwargs()


def histogram(kwargs):
    return Measure(kind="histogram", axes=kwargs.axes, bins=8, range=(0, 4), tensor=kwargs.of)


def equalise(measure, tensor, measured):
    import numpy as np

    share = np.cumsum(measured[measure], axis=-1) / measured[measure].sum(axis=-1, keepdims=True)
    bins = np.clip(tensor * 2, 0, 7).astype(int)
    found = np.take_along_axis(np.broadcast_to(share, (*tensor.shape, 8)), bins[..., None], -1)[..., 0]
    return found.astype("float32")


@hookimpl
def bioimageio_processing_ops():
    yield ProcessingOpEntry(
        name="equalise",
        descr={"0.5": Descr},
        load=lambda: lambda kwargs, axes: partial(equalise, histogram(kwargs)),
        requirements=lambda kwargs, axes: Needs(measures=(histogram(kwargs),), dtype="float32"),
    )
"""

PREDICT = """
import json, os
import numpy as np
import bioimageio_core as bc

folder = {folder!r}
image = os.path.join(folder, "image.npy")
common = {{"axes": "tyx", "block": {{"y": 16, "x": 16}}}}

def save(name, outputs):
    np.save(os.path.join(folder, name + ".npy"), np.asarray(outputs["out"]))

for name in ("before", "after"):
    save(name, bc.predict(os.path.join(folder, name), image, **common))
before, stored = os.path.join(folder, "before"), os.path.join(folder, "stored.zarr")
result = bc.predict(before, image, stored, **common)
save("stored", result)
statistics = bc.compute_statistics(image, before, axes="tyx")
(found,) = [list(values) for values in statistics.images.values()]
save("supplied", bc.predict(before, image, statistics=statistics, **common))
dataset, name = os.path.join(folder, "dataset"), "raw: 2. equalise: histogram 8 0 4 over batch, y, x"
save("given", bc.predict(dataset, image, statistics={{name: [1, 1, 1, 1, 0, 0, 0, 0]}}, **common))
pooled = bc.predict(before, image, stats_over=["time"], **common)
save("pooled", pooled)
try:
    bc.predict(dataset, image, statistics={{name: [1, 1]}}, **common)
except bc.errors.InputError as error:
    wrong = str(error)
print(json.dumps({{"names": found, "statistics": dict(result.statistics), "wrong": wrong}}))
"""


def equalised(image: np.ndarray[Any, Any], of: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return each pixel as the share of pixels of an image in its bin and those below."""
    counts, _ = np.histogram(of.astype(np.float64), BINS, (0, 4))
    return np.asarray((np.cumsum(counts) / counts.sum())[np.clip(image * 2, 0, 7).astype(int)], np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all outputs."""
    return tmp_path_factory.mktemp("histograms")


@pytest.fixture(scope="module")
def told(folder: Path) -> Any:
    """Outputs by name of file; what is printed is returned."""
    site = Site(folder / "site")
    site.folder.mkdir()
    site.install("equalise", PLUGIN)
    np.save(folder / "image.npy", IMAGE)
    for name, steps in (
        ("before", {"pre": [{"id": "equalise"}]}),
        ("dataset", {"pre": [{"id": "equalise", "kwargs": {"axes": ["batch", "y", "x"]}}]}),
        ("after", {"post": [{"id": "equalise", "kwargs": {"of": "raw"}}]}),
    ):
        (folder / name).mkdir()
        pointwise_model(folder / name, **steps)
    return site.python(PREDICT.format(folder=str(folder)))


@pytest.mark.parametrize("name", ["before", "after", "stored", "supplied"])
def test_of_each_time_point(told: Any, folder: Path, name: str) -> None:
    """Before the network, after it with the histogram of the raw image, on disk, and from statistics that were measured before."""
    expected = np.stack([equalised(image, image) for image in IMAGE])
    np.testing.assert_array_equal(np.load(folder / f"{name}.npy").reshape(IMAGE.shape), expected)


def test_of_all_time_points(told: Any, folder: Path) -> None:
    """Pooled over an axis that the model lacks."""
    expected = np.stack([equalised(image, IMAGE) for image in IMAGE])
    np.testing.assert_array_equal(np.load(folder / "pooled.npy").reshape(IMAGE.shape), expected)


def test_given(told: Any, folder: Path) -> None:
    """Counts of a dataset, by their name; as many as there are bins."""
    found = np.load(folder / "given.npy").reshape(IMAGE.shape)
    np.testing.assert_array_equal(found, np.float32([0.25, 0.5, 0.75, 1, 1, 1, 1, 1])[np.clip(IMAGE * 2, 0, 7).astype(int)])
    assert told["wrong"].endswith("have 2 values: expected 8")


def test_names(told: Any) -> None:
    """With the number of bins and their range; counts are reported."""
    assert told["names"] == ["raw: 2. equalise: histogram 8 0 4 over y, x"]
    assert told["statistics"][told["names"][0]] == [np.histogram(i.astype(np.float64), BINS, (0, 4))[0].tolist() for i in IMAGE]


def test_without_a_model() -> None:
    """As `bmz stats` measures it."""
    (found,) = bc.compute_statistics(IMAGE, measures=["histogram 8 0 4"], over=["y", "x"], axes="tyx").dataset.items()
    assert found[0] == "histogram 8 0 4 over y, x"
    assert np.squeeze(found[1]).tolist() == [np.histogram(i.astype(np.float64), BINS, (0, 4))[0].tolist() for i in IMAGE]


@pytest.mark.parametrize("text", ["histogram", "histogram 8", "histogram 8 4 0", "histogram 0 0 4", "histogram 8 0 4 5", "histogram x 0 4"])
def test_wrong_without_a_model(text: str) -> None:
    """One sentence."""
    with pytest.raises(bc.errors.InputError, match=r"or a histogram by its number of bins and their range, 'histogram 256 0 65535'"):
        bc.compute_statistics(IMAGE, measures=[text])
