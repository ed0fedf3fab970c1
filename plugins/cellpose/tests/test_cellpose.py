"""The op ``cellpose_flow_dynamics``, beside what the package ``cellpose`` gives for the same arrays."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import attrs
import numpy as np
import pytest
from bioimageio_runtime_cellpose import bioimageio_processing_ops, needs
from bioimageio_runtime_cellpose.following import Place, follow
from bioimageio_runtime_cellpose.op import CellposeOp
from cellpose.dynamics import compute_masks, follow_flows
from cellpose.utils import fill_holes_and_remove_small_masks
from numpy.typing import NDArray
from windows import in_windows, renumbered

from bioimageio_core.errors import DescriptionError, ModelRunError
from bioimageio_core.processing.descr_v0_5_objects import CellposeFlowDynamicsKwargs
from bioimageio_core.registry import LabellingOp, Needs, Objects, ShapeChange
from bioimageio_core.testing import ProcessingOpConformance
from bioimageio_core.typing import FrozenMapping

(ENTRY,) = bioimageio_processing_ops()
PLANE = ("batch", "channel", "y", "x")
VOLUME = ("batch", "channel", "z", "y", "x")
KWARGS: dict[str, Any] = {"cellprob_threshold": 0.0, "flow_threshold": 0.4, "do_3D": False}


def arguments(**changed: Any) -> CellposeFlowDynamicsKwargs:
    """Return arguments."""
    return CellposeFlowDynamicsKwargs(**{**KWARGS, **changed})


def op(axes: tuple[str, ...], **changed: Any) -> CellposeOp:
    """Return the op."""
    made = ENTRY.make(arguments(do_3D=len(axes) == 5, **changed), axes, None)
    assert isinstance(made, CellposeOp)
    return made


def of_package(tensor: NDArray[Any], *, min_size: int = 15, **options: Any) -> NDArray[Any]:
    """Return the labels that the functions of the package give for one item."""
    labels = compute_masks(tensor[:-1], tensor[-1], **{"do_3D": tensor.ndim == 4, **options})
    return np.asarray(fill_holes_and_remove_small_masks(labels, min_size=min_size))


class TestPlaneContract(ProcessingOpConformance):
    """What every op keeps, of images."""

    entry = ENTRY
    kwargs = (KWARGS, {**KWARGS, "min_size": 0, "flow_threshold": 0.0, "output_dtype": "uint32"})
    sizes = FrozenMapping(batch=(1, 2), channel=(3, 3), y=(1, 9), x=(1, 9))
    values = (-6.0, 6.0)
    examples = 5


class TestVolumeContract(ProcessingOpConformance):
    """What every op keeps, of volumes."""

    entry = ENTRY
    axes = VOLUME
    kwargs = ({**KWARGS, "do_3D": True},)
    sizes = FrozenMapping(batch=(1, 1), channel=(4, 4), z=(1, 3), y=(1, 5), x=(1, 5))
    values = (-6.0, 6.0)
    examples = 3


@pytest.mark.filterwarnings("ignore:Sparse invariant checks:UserWarning")
class TestWhole:
    """Complete tensors."""

    @pytest.mark.parametrize("options", [{}, {"flow_threshold": 0.0, "min_size": 300}, {"cellprob_threshold": 7.0}])
    def test_plane(self, plane: NDArray[Any], options: dict[str, Any]) -> None:
        """The labels are those of the package."""
        labels = op(PLANE, **options)(plane, {})
        assert labels.dtype == np.uint16
        assert labels.shape == (1, 1, 140, 160)
        np.testing.assert_array_equal(labels[0, 0], of_package(plane[0], **options))
        assert (labels.max() > 3) == ("cellprob_threshold" not in options)

    def test_volume(self, volume: NDArray[Any]) -> None:
        """The labels are those of the package."""
        labels = op(VOLUME)(volume, {})
        assert labels.max() > 5
        np.testing.assert_array_equal(labels[0, 0], of_package(volume[0]))

    def test_bad_flows(self, plane: NDArray[Any]) -> None:
        """Objects whose flows are not those of their shape are dropped."""
        turned = plane.copy()
        turned[0, :2, :, 80:] *= 0.3
        kept, all_of_them = op(PLANE)(turned, {}), op(PLANE, flow_threshold=0.0)(turned, {})
        assert 0 < kept.max() < all_of_them.max()
        np.testing.assert_array_equal(kept[0, 0], of_package(turned[0], flow_threshold=0.4))

    def test_batch(self, plane: NDArray[Any]) -> None:
        """Items of the batch are labelled by themselves."""
        nothing = plane.copy()
        nothing[:, -1] = -6
        labels = op(PLANE)(np.concatenate([nothing, plane, plane]), {})
        assert labels[0].max() == 0
        np.testing.assert_array_equal(labels[1], op(PLANE)(plane, {})[0])
        np.testing.assert_array_equal(labels[2], np.where(labels[1] > 0, labels[1] + labels[1].max(), 0))

    def test_flows_that_are_none(self, plane: NDArray[Any]) -> None:
        """Missing and endless flows end nothing."""
        broken = plane.copy()
        broken[0, 0, ::3], broken[0, 1, ::5] = np.nan, np.inf
        assert op(PLANE)(broken, {}).shape == (1, 1, 140, 160)

    def test_too_many_objects(self) -> None:
        """Objects without a number in the dtype are an error; they would get the numbers of others."""
        labels = np.arange(70_000, dtype=np.uint32).reshape(250, 280)
        uint16, uint32 = op(PLANE), op(PLANE, output_dtype="uint32")
        with pytest.raises(ModelRunError, match=r"expected at most 65,535 objects for output_dtype uint16, found 69,999: .*uint32"):
            uint16._as_dtype(labels)
        assert uint32._as_dtype(labels).max() == 69_999

    def test_channels(self, plane: NDArray[Any]) -> None:
        """A network with another number of channels is an error in one sentence."""
        with pytest.raises(ModelRunError, match="expected 3 channels, the flows along y, x and the cell probability, found 2"):
            op(PLANE)(plane[:, 1:], {})


@pytest.mark.filterwarnings("ignore:Sparse invariant checks:UserWarning")
class TestWindows:
    """Tensors that are labelled in parts."""

    @pytest.mark.parametrize("core", [(140, 160), (64, 64), (37, 81)])
    def test_plane(self, plane: NDArray[Any], core: tuple[int, int]) -> None:
        """Every pixel has the label that it has in the whole."""
        assert isinstance(op(PLANE), LabellingOp)
        whole = renumbered(op(PLANE)(plane, {})[0, 0])
        np.testing.assert_array_equal(in_windows(op(PLANE), plane, core=core, halo=40), whole)

    @pytest.mark.parametrize("core", [(31, 20, 18), (16, 32, 30)])
    def test_volume(self, volume: NDArray[Any], core: tuple[int, int, int]) -> None:
        """Every voxel has the label that it has in the whole."""
        whole = renumbered(op(VOLUME)(volume, {})[0, 0])
        np.testing.assert_array_equal(in_windows(op(VOLUME), volume, core=core, halo=24), whole)

    def test_large_object(self) -> None:
        """An object is too large where it is so for the image, not for a window."""
        y, x = np.mgrid[-20:20, -20:20]
        flows = np.where(np.hypot(y, x) < 15, -5 * np.array([y, x]) / np.maximum(np.hypot(y, x), 1), 0)
        tensor = np.concatenate([flows, np.where(np.hypot(y, x) < 15, 6, -6)[np.newaxis]]).astype(np.float32)[np.newaxis]
        made = attrs.evolve(op(PLANE), flow_threshold=0)
        assert made(tensor, {}).max() == 0
        assert made.label(tensor, {}, {"y": (40, 0), "x": (0, 40)}).max() == 1

    def test_ends(self, plane: NDArray[Any]) -> None:
        """Flows of a window lead to where they lead in the image, which is where the package says."""
        inside = plane[0, -1] > 0
        flows = plane[0, :2] * inside / 5
        y, x = np.nonzero(inside)
        ends = follow(flows, (y, x), Place(first=(0, 0), window=(140, 160), image=(140, 160)))
        np.testing.assert_array_equal(ends, follow_flows(flows, inds=(y, x)).int())
        part = np.s_[30:130, 20:150]
        y, x = np.nonzero(inside[part])
        there = Place(first=(30, 20), window=(100, 130), image=(140, 160))
        found = follow(flows[:, *part], (y, x), there).numpy().T + np.array(there.first)
        expected = {tuple(start): end for start, end in zip(np.argwhere(inside).tolist(), ends.numpy().T.tolist(), strict=True)}
        inner = [k for k, (a, b) in enumerate(zip(y, x, strict=True)) if 40 < a < 60 and 40 < b < 90]
        moved = [np.abs(found[k] - expected[(y[k] + 30, x[k] + 20)]).max() for k in inner]
        assert len(moved) > 100
        assert max(moved) <= 1  # 0 but where rounding differs


class TestNeeds:
    """What plans know of the op."""

    def test_joined_by_overlap(self) -> None:
        """One channel; small objects go when they are joined."""
        expected = Needs(
            dtype="uint32",
            objects=Objects(join="overlap", overlap=0.5, least_pixels=20),
            shape=ShapeChange(axes=PLANE, sizes={"channel": 1}, takes={"channel": 3}),
        )
        assert needs(arguments(min_size=20, output_dtype="uint32"), PLANE) == expected
        assert needs(arguments(min_size=-1, do_3D=True), VOLUME).objects == Objects(join="overlap")

    @pytest.mark.parametrize(
        ("axes", "do_3d", "found"),
        [
            (VOLUME, False, "axes batch, channel, y, x where do_3D is False, found batch, channel, z, y, x"),
            (("batch", "y", "x", "channel"), False, "found batch, y, x, channel"),
            (("batch", "channel", "t", "y", "x"), True, "axes batch, channel, y, x or batch, channel, z, y, x where do_3D is True"),
        ],
    )
    def test_refused(self, axes: tuple[str, ...], do_3d: bool, found: str) -> None:
        """What the op cannot do is an error before anything is computed."""
        with pytest.raises(DescriptionError, match=found):
            needs(arguments(do_3D=do_3d), axes)


class TestImports:
    """What is imported, in a new process."""

    def test_light_until_used(self) -> None:
        """The hook imports neither numpy nor a framework."""
        code = (
            "import sys\n"
            "import bioimageio_runtime_cellpose as plugin\n"
            "list(plugin.bioimageio_processing_ops())\n"
            "print(sorted({'numpy', 'torch', 'cellpose'} & set(sys.modules)))\n"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert result.stdout.splitlines() == ["[]"]
