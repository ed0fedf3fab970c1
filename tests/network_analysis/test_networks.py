"""Sizes, strides and reach of networks whose answers are computed by hand."""

from __future__ import annotations

import json
import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import box_graph, identity_graph, pool_graph, resample_graph, save_graph
from networks_to_measure import of_onnx, of_session, of_torch, only, signature
from onnx import helper

from bioimageio_core.blocks import FixedSize, SteppedSize
from bioimageio_core.errors import ModelRunError
from bioimageio_core.network_analysis.analyse_network import analyse_network
from bioimageio_core.prediction.geometry.network_geometry import NetworkAnalysis

torch: Any = pytest.importorskip("torch")
nn: Any = torch.nn


class UNet(nn.Module):
    """Two levels, two convolutions of 3 each: 4 at the top, and 2 x 2 below the pooling."""

    def __init__(self, dims: int = 2, *, normalised: bool = False) -> None:
        super().__init__()
        conv = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[dims]
        norm = {1: nn.InstanceNorm1d, 2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}[dims]

        def two(inside: int, outside: int) -> nn.Sequential:
            between = norm(outside) if normalised else nn.Identity()
            return nn.Sequential(conv(inside, outside, 3, padding=1), between, nn.ReLU(), conv(outside, outside, 3, padding=1), nn.ReLU())

        self.down, self.bottom, self.up = two(1, 4), two(4, 4), two(8, 4)
        self.pool = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}[dims](2)
        self.grow, self.last = nn.Upsample(scale_factor=2), conv(4, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run."""
        skip = self.down(x)
        return self.last(self.up(torch.cat([skip, self.grow(self.bottom(self.pool(skip)))], 1)))


UNET_HALO = 8
"""2 + 2 at the top; two convolutions of one pixel below are 4 above; blocks on even origins share no pooling window."""


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


class TestUNets:
    """Encoder, decoder and a connection between them."""

    @pytest.mark.parametrize("dims", [1, 2, 3])
    def test_in_torch(self, dims: int) -> None:
        """Along every axis, as the graph has it: not-a-number passes."""
        measured = analyse_network(of_torch(UNet(dims)), signature((1, 1, *(32,) * dims)))
        for axis in measured.axes:
            (output,) = axis.outputs
            assert (axis.size, axis.stride, output.ratio, output.offset) == (SteppedSize(2, 2), 2, 1, 0)
            assert (output.halo, output.halo_anywhere, output.exact) == (UNET_HALO, UNET_HALO + 1, True)

    def test_on_onnx_runtime(self, tmp_path: Path) -> None:
        """Not-a-number is dropped on the way; differences reach as far."""
        measured = analyse_network(of_onnx(UNet(2), torch.zeros(1, 1, 32, 32), tmp_path / "unet.onnx"), signature((1, 1, 32, 32)))
        for axis in measured.axes:
            assert (axis.size, axis.stride) == (SteppedSize(2, 2), 2)
            assert axis.outputs[0].halo == UNET_HALO

    def test_statistics_of_the_image(self) -> None:
        """No halo is enough, the step is found nevertheless, and effects stand out near to where they are from."""
        axis, output = only(analyse_network(of_torch(UNet(2, normalised=True)), signature((1, 1, 32, 32))))
        assert (axis.size.step, axis.stride, output.halo, output.halo_anywhere) == (2, 2, None, None)
        assert output.local_halo is not None
        assert output.local_halo <= 2 * UNET_HALO

    def test_fixed_size(self) -> None:
        """The graph says so; or the network takes no other."""

        class Fixed(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = UNet(2)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                if x.shape[-1] != 64 or x.shape[-2] != 64:
                    raise RuntimeError("64 x 64 only")
                return self.inner(x)

        for network, fixed in ((UNet(2), True), (Fixed(), False)):
            axis, output = only(analyse_network(of_torch(network), signature((1, 1, 64, 64), fixed=fixed)))
            assert (axis.size, axis.stride, output.halo) == (FixedSize(64), 2, UNET_HALO)


class TestSingleOperations:
    """Graphs of a node or two."""

    def test_mean_filters(self, tmp_path: Path) -> None:
        """A kernel of 7 reaches 3 pixels."""
        box_graph(tmp_path / "box.onnx", size=7)
        axis, output = only(analyse_network(of_session(tmp_path / "box.onnx"), signature((1, 1, 64, 64))))
        assert (axis.size, axis.stride, output.halo, output.halo_anywhere) == (SteppedSize(1, 1), 1, 3, 3)

    def test_without_padding(self, tmp_path: Path) -> None:
        """What is not computed needs no halo; sizes below the kernel are not taken."""
        box_graph(tmp_path / "box.onnx", size=5, padded=False)
        axis, output = only(analyse_network(of_session(tmp_path / "box.onnx"), signature((1, 1, 64, 64))))
        assert (axis.size, output.ratio, output.offset, output.halo) == (SteppedSize(5, 1), 1, -4, 0)

    def test_pooling_that_drops_the_rest(self, tmp_path: Path) -> None:
        """Sizes that are no multiple of 8 come back smaller, and so do not count."""
        pool_graph(tmp_path / "pool.onnx")
        axis, output = only(analyse_network(of_session(tmp_path / "pool.onnx"), signature((1, 1, 100, 64))), "y")
        assert (axis.size, axis.stride, output.ratio, output.offset) == (SteppedSize(8, 8), 8, 1, 0)
        assert (output.halo, output.halo_anywhere) == (0, 7)

    def test_larger_and_smaller(self, tmp_path: Path) -> None:
        """Four times as large, a third as large."""
        for up, down, ratio, step in ((4, 1, Fraction(4), 1), (1, 3, Fraction(1, 3), 3)):
            resample_graph(tmp_path / "resample.onnx", up=up, down=down)
            axis, output = only(analyse_network(of_session(tmp_path / "resample.onnx"), signature((1, 1, 96, 96))))
            assert (axis.size, axis.stride, output.ratio, output.halo) == (SteppedSize(step, step), step, ratio, 0)

    def test_transposed_convolution(self) -> None:
        """A kernel of 6 at steps of 4, a pixel cut off at either side: pixel 0 reaches outputs -1 to 4."""
        axis, output = only(analyse_network(of_torch(nn.ConvTranspose1d(1, 1, 6, stride=4, padding=1)), signature((1, 1, 64))))
        assert (axis.size, axis.stride, output.ratio, output.offset) == (SteppedSize(1, 1), 1, 4, 0)
        assert output.halo == 4  # a whole input pixel, although one output pixel would do

    def test_unequal_axes(self) -> None:
        """Kernels of 1, 3 and 5, and pooling along two of three axes."""
        network = nn.Sequential(
            nn.Conv3d(1, 2, (1, 3, 5), padding=(0, 1, 2)), nn.AvgPool3d((1, 2, 4)), nn.Upsample(scale_factor=(1, 2, 4)), nn.Conv3d(2, 1, 1)
        )
        found = {a.axis: a for a in analyse_network(of_torch(network), signature((1, 1, 8, 32, 32))).axes}
        assert [found[a].size for a in "zyx"] == [SteppedSize(1, 1), SteppedSize(2, 2), SteppedSize(4, 4)]
        assert [found[a].stride for a in "zyx"] == [1, 2, 4]
        assert [found[a].outputs[0].halo for a in "zyx"] == [0, 1, 2]

    def test_one_answer_for_the_image(self) -> None:
        """An axis that no output follows has sizes, and nothing that a halo is for."""
        network = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.AdaptiveAvgPool2d(1))
        measured = analyse_network(of_torch(network), signature((1, 1, 32, 32)))
        assert [(a.size, a.outputs) for a in measured.axes] == [(SteppedSize(1, 1), ())] * 2


class TestSeveralInputs:
    """Inputs that have to go together, and those that need not."""

    def test_side_by_side(self, tmp_path: Path) -> None:
        """A sum takes images of one size."""
        save_graph(tmp_path / "sum.onnx", [helper.make_node("Add", ["a", "b"], ["out"])], {"a": 4, "b": 4}, {"out": 4})
        measured = analyse_network(of_session(tmp_path / "sum.onnx"), signature((1, 1, 64, 64), (1, 1, 64, 64)))
        assert [[name for name, _ in a.inputs] for a in measured.axes] == [["in0", "in1"]] * 2

    def test_of_half_the_size(self) -> None:
        """A small image goes with one of twice its size."""

        class Both(nn.Module):
            def forward(self, large: torch.Tensor, small: torch.Tensor) -> torch.Tensor:
                return large + nn.functional.interpolate(small, scale_factor=2)

        axis, output = only(analyse_network(of_torch(Both()), signature((1, 1, 64, 64), (1, 1, 32, 32))))
        assert axis.inputs == (("in0", 1), ("in1", Fraction(1, 2)))
        assert (axis.size, output.ratio, output.halo) == (SteppedSize(2, 2), 1, 0)

    def test_each_on_its_own(self, tmp_path: Path) -> None:
        """Two networks in one graph have sizes of their own."""
        nodes = [helper.make_node("Identity", ["a"], ["x"]), helper.make_node("Identity", ["b"], ["y"])]
        save_graph(tmp_path / "two.onnx", nodes, {"a": 4, "b": 4}, {"x": 4, "y": 4})
        measured = analyse_network(of_session(tmp_path / "two.onnx"), signature((1, 1, 64, 64), (1, 1, 64, 64), outputs=2))
        assert [(a.inputs[0][0], [o.tensor for o in a.outputs]) for a in measured.axes] == [
            ("in0", ["out0"]), ("in1", ["out1"]), ("in0", ["out0"]), ("in1", ["out1"])
        ]  # fmt: skip


class TestMeasurements:
    """The results as data."""

    def test_json_and_pickle(self, tmp_path: Path) -> None:
        """Both give the same back."""
        resample_graph(tmp_path / "half.onnx", down=2)
        measured = analyse_network(of_session(tmp_path / "half.onnx"), signature((1, 1, 64, 64)))
        assert NetworkAnalysis.from_dict(json.loads(json.dumps(measured.as_dict()))) == measured
        assert pickle.loads(pickle.dumps(measured)) == measured

    def test_network_that_fails(self) -> None:
        """Is said, not measured."""
        with pytest.raises(ModelRunError):
            analyse_network(of_torch(nn.Conv2d(3, 1, 3)), signature((1, 1, 32, 32)))

    def test_other_number_of_axes(self, tmp_path: Path) -> None:
        """Than the signature says."""
        identity_graph(tmp_path / "identity.onnx", rank=3)
        with pytest.raises(ModelRunError):
            analyse_network(of_session(tmp_path / "identity.onnx"), signature((1, 1, 32, 32)))

    def test_integers(self) -> None:
        """Images of whole numbers are changed within what they hold."""

        def network(inputs: list[np.ndarray]) -> list[np.ndarray]:
            assert inputs[0].dtype == np.float32
            wide = np.pad(inputs[0], [(0, 0), (0, 0), (1, 1)])
            return [(wide[..., :-2] + wide[..., 2:] > 0).astype(np.uint8)]

        axis, output = only(analyse_network(network, signature((1, 1, 64))))
        assert (axis.size, axis.stride, output.halo, output.exact) == (SteppedSize(1, 1), 1, 1, False)
