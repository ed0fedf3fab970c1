"""The op ``stardist_postprocessing``, beside what the package ``stardist`` gives for the same arrays."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from bioimageio_runtime_stardist import needs
from nuclei import ANISOTROPY, ENTRY, Nuclei
from numpy.typing import NDArray
from stardist import Rays_GoldenSpiral, non_maximum_suppression, non_maximum_suppression_3d, polygons_to_label, polyhedron_to_label
from windows import in_windows, renumbered

from bioimageio_core.errors import DescriptionError, ModelRunError
from bioimageio_core.registry import LabellingOp, Needs, Objects, ShapeChange
from bioimageio_core.testing import ProcessingOpConformance
from bioimageio_core.typing import FrozenMapping

PLANE = {"prob_threshold": 3.0, "nms_threshold": 0.4, "n_rays": 4, "grid": [1, 1], "b": 0}
VOLUME = {**PLANE, "grid": [1, 1, 1], "anisotropy": [2.0, 1.0, 1.0]}


class TestPlaneContract(ProcessingOpConformance):
    """What every op keeps, of images."""

    entry = ENTRY
    kwargs = (PLANE, {**PLANE, "b": [[1, 0], [0, 2]], "grid": [2, 3]})
    sizes = FrozenMapping(batch=(1, 2), channel=(5, 5), y=(1, 9), x=(1, 9))
    values = (-1.0, 4.0)
    examples = 10


class TestVolumeContract(ProcessingOpConformance):
    """What every op keeps, of volumes."""

    entry = ENTRY
    axes = ("batch", "z", "channel", "y", "x")
    kwargs = (VOLUME, {**VOLUME, "grid": [1, 2, 2], "overlap_label": 0})
    sizes = FrozenMapping(batch=(1, 1), channel=(5, 5), z=(1, 3), y=(1, 5), x=(1, 5))
    values = (-1.0, 4.0)
    examples = 5


def of_package(nuclei: Nuclei, grid: tuple[int, ...], b: Any, **overlap: int) -> NDArray[np.int32]:
    """Return the labels that the functions of the package give."""
    prediction = nuclei.tensor(grid)[0]
    dist, prob = prediction[..., 1:], prediction[..., 0]
    size = tuple(int(n) for n in np.multiply(prob.shape, grid))
    options = {"grid": grid, "b": b, "prob_thresh": nuclei.kwargs["prob_threshold"], "nms_thresh": nuclei.kwargs["nms_threshold"]}
    if len(grid) == 2:
        points, scores, rays = non_maximum_suppression(dist, prob, **options)
        return np.asarray(polygons_to_label(rays, points, prob=scores, shape=size))
    spiral = Rays_GoldenSpiral(nuclei.kwargs["n_rays"], anisotropy=ANISOTROPY)
    points, scores, rays = non_maximum_suppression_3d(dist, prob, spiral, **options)
    return np.asarray(polyhedron_to_label(rays, points, spiral, size, prob=scores, verbose=False, **overlap))


class TestWhole:
    """Complete tensors."""

    @pytest.mark.parametrize(("grid", "b"), [((1, 1), 2), ((2, 2), 0), ((1, 1), ((5, 20), (0, 40))), ((2, 4), 1)])
    def test_plane(self, plane: Nuclei, grid: tuple[int, int], b: Any) -> None:
        """The labels are those of the package."""
        labels = plane.op(grid=grid, b=b)(plane.tensor(grid), {})
        expected = of_package(plane, grid, b)
        assert expected.max() > 10
        assert labels.dtype == np.int32
        np.testing.assert_array_equal(labels[0, ..., 0], expected)

    @pytest.mark.parametrize("b", [1, ((0, 0), (8, 1), (1, 4))])
    def test_volume(self, volume: Nuclei, b: Any) -> None:
        """The labels are those of the package."""
        expected = of_package(volume, (1, 1, 1), b)
        assert expected.max() > 10
        np.testing.assert_array_equal(volume.op(b=b)(volume.tensor(), {})[0, ..., 0], expected)

    def test_overlap(self, volume: Nuclei) -> None:
        """Voxels of more than one object are background where the arguments say so."""
        expected = of_package(volume, (1, 1, 1), 1, overlap_label=0)
        assert np.count_nonzero(expected) < np.count_nonzero(of_package(volume, (1, 1, 1), 1))
        np.testing.assert_array_equal(volume.op(overlap_label=0)(volume.tensor(), {})[0, ..., 0], expected)

    def test_batch_and_axes(self, plane: Nuclei) -> None:
        """Items of the batch are labelled by themselves, wherever the channels are."""
        both = np.concatenate([plane.tensor(), np.zeros_like(plane.tensor()), plane.tensor()[:, ::-1]])
        labels = plane.op()(both, {})
        axes = ("batch", "channel", "y", "x")
        assert labels[1].max() == 0
        assert labels[2][labels[2] > 0].min() == labels[0].max() + 1
        np.testing.assert_array_equal(labels[0], plane.op()(plane.tensor(), {})[0])
        np.testing.assert_array_equal(labels, ENTRY.make(plane.arguments(), axes, None)(np.moveaxis(both, -1, 1), {}))

    def test_distances_that_are_none(self, plane: Nuclei) -> None:
        """Negative, missing and endless distances of candidates end nothing."""
        tensor = plane.tensor().copy()
        for channel, value in ((1, -5.0), (2, np.nan), (3, np.inf), (4, 1e30)):
            tensor[..., channel] = value
        labels = plane.op()(tensor, {})
        assert labels.shape == (1, 200, 220, 1)
        assert labels.max() > 0

    def test_channels(self, plane: Nuclei) -> None:
        """A network with another number of rays is an error in one sentence."""
        with pytest.raises(ModelRunError, match="expected 33 channels, a probability and n_rays=32 distances, found 32"):
            plane.op()(plane.tensor()[..., 1:], {})


class TestWindows:
    """Tensors that are labelled in parts."""

    @pytest.mark.parametrize("core", [(200, 220), (64, 64), (50, 110), (37, 81)])
    def test_plane(self, plane: Nuclei, core: tuple[int, int]) -> None:
        """Every pixel has the label that it has in the whole."""
        assert isinstance(plane.op(), LabellingOp)
        whole = renumbered(plane.op()(plane.tensor(), {})[0, ..., 0])
        np.testing.assert_array_equal(in_windows(plane.op(), plane.tensor(), core=core, halo=60), whole)

    def test_grid(self, plane: Nuclei) -> None:
        """Where a pixel of the prediction stands for several of the image, too."""
        grid = (2, 4)
        op, tensor = plane.op(grid=grid), plane.tensor(grid)
        np.testing.assert_array_equal(in_windows(op, tensor, core=(30, 25), halo=30), renumbered(op(tensor, {})[0, ..., 0]))

    @pytest.mark.parametrize("core", [(31, 20, 20), (12, 25, 36)])
    def test_volume(self, volume: Nuclei, core: tuple[int, int, int]) -> None:
        """Every voxel has the label that it has in the whole."""
        whole = renumbered(volume.op()(volume.tensor(), {})[0, ..., 0])
        np.testing.assert_array_equal(in_windows(volume.op(), volume.tensor(), core=core, halo=24), whole)

    @pytest.mark.parametrize("b", [0, 3, ((30, 0), (0, 11))])
    def test_border_is_that_of_the_image(self, plane: Nuclei, b: Any) -> None:
        """Centres are left out near the edges of the image, however wide the border, and not near those of windows."""
        op = plane.op(b=b)
        whole = renumbered(op(plane.tensor(), {})[0, ..., 0])
        np.testing.assert_array_equal(in_windows(op, plane.tensor(), core=(20, 220), halo=60), whole)

    def test_equally_probable(self, plane: Nuclei) -> None:
        """Which of two equally probable shapes stays does not depend on the window."""
        tensor = plane.tensor().copy()
        tensor[..., 0] = np.round(tensor[..., 0], 1)
        whole = renumbered(plane.op()(tensor, {})[0, ..., 0])
        np.testing.assert_array_equal(in_windows(plane.op(), tensor, core=(64, 64), halo=60), whole)

    def test_far_away(self, plane: Nuclei, volume: Nuclei) -> None:
        """A window far from the origin gives the shapes of its pixels, without memory for all before it."""
        for nuclei in (plane, volume):
            beyond = dict.fromkeys(nuclei.op().space, (100_000, 0))
            near = nuclei.op(b=0)(nuclei.tensor(), {})
            far = nuclei.op(b=0).label(nuclei.tensor(), {}, beyond)
            assert near.max() == far.max()
            assert np.count_nonzero(near != far) < 0.02 * np.count_nonzero(near)


class TestNeeds:
    """What plans know of the op."""

    def test_plane(self, plane: Nuclei) -> None:
        """One channel, at the size of the image."""
        expected = Needs(
            dtype="int32",
            objects=Objects(join="owner", context=2),
            shape=ShapeChange(axes=("batch", "y", "x", "channel"), sizes={"channel": 1}, scale={"y": 2}, takes={"channel": 33}),
        )
        assert needs(plane.arguments(grid=(2, 1)), ("batch", "channel", "y", "x")) == expected
        assert expected.shape is not None
        assert expected.shape.shape({"batch": 1, "channel": 33, "y": 5, "x": 7}) == (1, 10, 7, 1)

    @pytest.mark.parametrize(
        ("axes", "changed", "found"),
        [
            (("batch", "channel", "z", "y", "x"), {}, "for a grid of 2 numbers, found batch, channel, z, y, x"),
            (("channel", "y", "x"), {}, "found channel, y, x"),
            (("batch", "channel", "y", "x"), {"grid": (0, 1)}, "expected grid to be numbers of at least 1"),
            (("batch", "channel", "y", "x"), {"n_rays": 2}, "expected n_rays to be at least 3, found 2"),
        ],
    )
    def test_refused(self, plane: Nuclei, axes: tuple[str, ...], changed: dict[str, Any], found: str) -> None:
        """What the op cannot do is an error before anything is computed."""
        with pytest.raises(DescriptionError, match=found):
            needs(plane.arguments(**changed), axes)

    @pytest.mark.parametrize(
        ("changed", "found"),
        [({"overlap_label": -1}, "expected overlap_label to be 0 or none, found -1"), ({"anisotropy": (0.0, 1.0, 1.0)}, "above 0")],
    )
    def test_refused_in_volumes(self, volume: Nuclei, changed: dict[str, Any], found: str) -> None:
        """A label for overlaps cannot be told from objects, once they are joined."""
        with pytest.raises(DescriptionError, match=found):
            needs(volume.arguments(**changed), volume.axes)


class TestImports:
    """What is imported, in a new process."""

    def test_light_until_used(self) -> None:
        """The hook imports no numpy, and the op no TensorFlow."""
        code = (
            "import sys\n"
            "import bioimageio_runtime_stardist as plugin\n"
            "(entry,) = plugin.bioimageio_processing_ops()\n"
            "print(sorted({'numpy', 'stardist'} & set(sys.modules)))\n"
            "entry.load()\n"
            "print(sorted({'numpy', 'stardist', 'tensorflow', 'keras', 'tf_keras', 'torch'} & set(sys.modules)))\n"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert result.stdout.splitlines() == ["[]", "['numpy', 'stardist']"]
