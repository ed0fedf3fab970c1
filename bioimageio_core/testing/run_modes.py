"""What run modes have to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ..errors import BioimageioError
from ..registry import Pipeline, PipelineTensor, RunMode, RunModeEntry, WeightsAdapter
from ..typing import FrozenMapping
from .entry import EntryConformance, one_sentence
from .fixtures import assert_close, assert_same
from .networks import BoxFilter, Identity, Network, Pooling
from .strategies import Block, blocks, kit_settings, tensors
from .trees import TreeReader

__all__ = ["RunModeConformance"]

AXES = ("batch", "channel", "y", "x")
SIZES = {"batch": (1, 2), "channel": (1, 3), "y": (2, 6), "x": (2, 6)}
"""In cells of the network's grid."""


class RunModeConformance(EntryConformance):
    """The laws of run modes; a subclass sets ``entry`` to a `RunModeEntry`."""

    kind = "run_modes"
    entry: RunModeEntry

    kwargs: Sequence[Mapping[str, Any]] = ({},)
    """Arguments to try, as they are written in descriptions."""

    keeps_identity: bool = False
    """With a network that returns its input, the result is the input."""

    networks: Sequence[type[Network]] = (Identity, BoxFilter, Pooling)
    """What the laws are tried on."""

    examples: int = 25
    """How many examples each law is tried on."""

    rtol: float = 1e-5
    """Relative tolerance of comparisons."""

    atol: float = 1e-5
    """Absolute tolerance of comparisons."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each law once for each of the arguments and networks."""
        if "arguments" in metafunc.fixturenames:
            metafunc.parametrize("arguments", [dict(kwargs) for kwargs in self.kwargs], ids=[str(dict(kwargs)) for kwargs in self.kwargs])
        if "network" in metafunc.fixturenames:
            metafunc.parametrize("network", [cls() for cls in self.networks], ids=[cls.__name__ for cls in self.networks])

    def made(self, arguments: Mapping[str, Any]) -> RunMode:
        """Return the run mode with its arguments."""
        self.needs_installed()
        given = (
            FrozenMapping(arguments)
            if self.entry.kwargs is None
            else TreeReader.of(self.entry, "0.5").structure(self.entry.kwargs, dict(arguments))
        )
        return self.entry.load()(given)

    def test_protocol(self, arguments: dict[str, Any]) -> None:
        """A run mode plans and wraps."""
        assert isinstance(self.made(arguments), RunMode), "expected the methods plan and wrap"

    def test_plan(self, arguments: dict[str, Any], network: Network) -> None:
        """The plan keeps inputs and outputs, names axes that they have or that it adds, and is the same at every call."""
        before = pipeline_of(network)
        after = self.made(arguments).plan(before)
        assert isinstance(after, Pipeline), f"expected plan to return a Pipeline, found {type(after).__name__}"
        assert (after.inputs, after.outputs) == (before.inputs, before.outputs), "the plan changes inputs or outputs of the network"
        known = [axis for axis in after.added_axes if axis in AXES]
        assert not known, f"the plan adds axes that the model has: {sorted(known)}"
        unlike = {*after.added_axes.values()} - {"y", "x"}
        assert not unlike, f"expected added axes that are like axes of space of the model, y or x, found {sorted(unlike)}"
        strange = {*after.halo, *after.whole_axes} - {*AXES, *after.added_axes}
        assert not strange, f"the plan names axes that the model lacks: {sorted(strange)}"
        assert all(size >= 0 for size in after.halo.values()), f"expected a halo of at least 0, found {dict(after.halo)}"
        assert after.batch_size >= 1, f"expected a batch size of at least 1, found {after.batch_size}"
        assert self.made(arguments).plan(before) == after, "expected an equal plan at the second call"

    def test_outputs_keep_their_form(self, arguments: dict[str, Any], network: Network) -> None:
        """The wrapped network returns arrays of the shape and dtype that the network returns, and leaves its input alone."""
        wrapped, axes = self.wrapped(arguments, network), self.axes(arguments, network)

        def law(tensor: NDArray[Any]) -> None:
            before = tensor.copy()
            (expected,), outputs = _of_planes(network, tensor, axes), wrapped([tensor])
            assert len(outputs) == 1, f"expected one output, found {len(outputs)}"
            found = np.asarray(outputs[0])
            assert found.shape == expected.shape, f"expected the shape {expected.shape}, found {found.shape}"
            assert found.dtype == expected.dtype, f"expected {expected.dtype}, found {found.dtype}"
            assert_same(tensor, before, "the input was changed in place")
            assert_same(wrapped([tensor])[0], found, "the second call gives another result")

        self.for_all(law, self.images(network, axes))

    def test_identity(self, arguments: dict[str, Any]) -> None:
        """With a network that returns its input the result is the input."""
        if not self.keeps_identity:
            pytest.skip("the author does not say `keeps_identity = True`")
        wrapped, axes = self.wrapped(arguments, Identity()), self.axes(arguments, Identity())

        def law(tensor: NDArray[Any]) -> None:
            assert_close(wrapped([tensor])[0], tensor, rtol=self.rtol, atol=self.atol, what="the identity network, wrapped")

        self.for_all(law, self.images(Identity(), axes))

    def test_blocks_give_the_whole(self, arguments: dict[str, Any], network: Network) -> None:
        """Run on blocks with the halo and the whole axes that it asks for, it gives what it gives for the whole image."""
        planned = self.made(arguments).plan(pipeline_of(network))
        wrapped, axes = self.wrapped(arguments, network), self.axes(arguments, network)
        whole_axes = {*planned.whole_axes, "batch", "channel"}

        def law(tensor: NDArray[Any], data: Any) -> None:
            whole = np.asarray(wrapped([tensor])[0])
            out = np.empty_like(whole)
            for block in data.draw(blocks(axes, tensor.shape, whole_axes, network.grain), label="blocks"):
                given, kept = _with_halo(block, dict(zip(axes, tensor.shape, strict=True)), planned, network.grain)
                out[block] = np.asarray(wrapped([tensor[given]])[0])[kept]
            assert_close(out, whole, rtol=self.rtol, atol=self.atol, what="blocks beside the whole (halo, whole_axes?)")

        self.for_all(law, self.images(network, axes), st.data())

    def test_closes_the_network(self, arguments: dict[str, Any]) -> None:
        """Closing what wraps the network closes the network."""
        network = Identity()
        self.wrapped(arguments, network).close()
        assert network.closed, "the network was not closed"

    def test_wrong_arguments(self, arguments: dict[str, Any]) -> None:
        """An argument that does not exist is refused in one sentence, before anything runs."""
        wrong = {**arguments, "no_such_argument": 1}
        if self.entry.kwargs is not None:
            found = [p for p in TreeReader.of(self.entry, "0.5").problems(self.entry.kwargs, wrong) if p.loc == ("no_such_argument",)]
            assert found, "expected no_such_argument to be refused, found it accepted"
            one_sentence(found[0].message)
            return
        with pytest.raises(BioimageioError) as caught:
            self.entry.load()(FrozenMapping(wrong))
        one_sentence(str(caught.value))

    def wrapped(self, arguments: Mapping[str, Any], network: Network) -> WeightsAdapter:
        """Return a network in this run mode."""
        mode = self.made(arguments)
        wrapped = mode.wrap(network, mode.plan(pipeline_of(network)))
        assert isinstance(wrapped, WeightsAdapter), "expected wrap to return something with the methods __call__ and close"
        return wrapped

    def axes(self, arguments: Mapping[str, Any], network: Network) -> tuple[str, ...]:
        """Return the axes of what the wrapped network takes: those of the network, and those that the run mode adds."""
        planned = self.made(arguments).plan(pipeline_of(network))
        return planned.block_axes(planned.inputs[0])

    def images(self, network: Network, axes: tuple[str, ...] = AXES) -> st.SearchStrategy[NDArray[Any]]:
        """Return a strategy for images that a network takes, with axes of space beside those of the network."""
        sizes = {
            axis: (low, high) if axis in AXES[:2] else (low * network.grain, high * network.grain)
            for axis in axes
            for low, high in (SIZES.get(axis, SIZES["y"]),)
        }
        if network.grain == 1:
            return tensors(axes, "float32", sizes)
        return st.builds(_on_grid, tensors(axes, "float32", sizes), st.just(network.grain))

    def for_all(self, law: Any, *strategies: st.SearchStrategy[Any]) -> None:
        """Check a law on examples of strategies."""
        kit_settings(self.examples)(given(*strategies)(law))()


def pipeline_of(network: Network) -> Pipeline:
    """Return how a block is predicted with one of the kit's networks."""
    tensor = PipelineTensor(id="raw", axes=AXES, kinds=("batch", "channel", "space", "space"), dtype="float32", ops=())
    halo = FrozenMapping({"y": network.halo, "x": network.halo} if network.halo else {})
    return Pipeline(inputs=(tensor,), outputs=(attrs.evolve(tensor, id="out"),), halo=halo)


def _of_planes(network: Network, tensor: NDArray[Any], axes: Sequence[str]) -> list[NDArray[Any]]:
    """Return what a network gives for each plane y, x of a tensor."""
    added = [n for n, axis in enumerate(axes) if axis not in AXES]
    if not added:
        return network([tensor])
    planes = np.moveaxis(tensor, added, range(len(added)))
    outputs = [network([planes[at]])[0] for at in np.ndindex(planes.shape[: len(added)])]
    return [np.moveaxis(np.stack(outputs).reshape(planes.shape), range(len(added)), added)]


def _on_grid(tensor: NDArray[Any], grain: int) -> NDArray[Any]:
    """Return the part of a tensor whose sizes in space are multiples of the network's grid."""
    return tensor[(slice(None), slice(None), *(slice(0, size // grain * grain) for size in tensor.shape[2:]))]


def _with_halo(block: Block, sizes: Mapping[str, int], planned: Pipeline, grain: int) -> tuple[Block, Block]:
    """Return what to read for a block, and where in what was read it lies."""
    given, kept = [], []
    for (axis, size), part in zip(sizes.items(), block, strict=True):
        wanted = planned.halo.get(axis, planned.halo.get(planned.added_axes.get(axis, axis), 0))
        halo = -(-wanted // grain) * grain
        start = max(0, part.start - halo)
        given.append(slice(start, min(size, part.stop + halo)))
        kept.append(slice(part.start - start, part.stop - start))
    return tuple(given), tuple(kept)
