"""What processing ops have to keep."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import reject
from hypothesis import strategies as st

from ..errors import BioimageioError, MissingRequirementError
from ..packaging.references import file_references, names_files
from ..registry import Needs, ProcessingOp, ProcessingOpEntry
from ..registry.entries.processing import op_key
from ..typing import AxisId, FrozenMapping
from .descriptions import Case, DescriptionConformance
from .entry import one_sentence
from .fixtures import assert_close, assert_same
from .processes import in_threads
from .strategies import SIZES, blocks, noise, tensors
from .trees import TreeReader
from .trial import Trial

__all__ = ["ProcessingOpConformance"]


NOT_SPACE = ("batch", "channel", "time", "index")
"""Axes along which no object extends."""


class ProcessingOpConformance(DescriptionConformance):
    """The laws of processing ops; a subclass sets ``entry`` to a `ProcessingOpEntry`."""

    kind = "processing_ops"
    entry: ProcessingOpEntry

    kwargs: Sequence[Mapping[str, Any]] = ()
    """Arguments to try, as they are written in descriptions; none: made up from the class."""

    files: Mapping[str, bytes] = FrozenMapping()
    """Contents of the files that the arguments name, by their ``source``; none: made up, numbers of the size of the tensor."""

    axes: tuple[AxisId, ...] = ("batch", "channel", "y", "x")
    """Axes of the tensors."""

    sizes: Mapping[AxisId, tuple[int, int]] = SIZES
    """Least and largest size by axis; one to nine for those that are not named."""

    dtypes: tuple[str, ...] = ("float32", "float64", "uint8", "int16")
    """Dtypes of the tensors."""

    values: tuple[float, float] = (-100.0, 100.0)
    """Least and largest value of the tensors."""

    rtol: float = 1e-5
    """Relative tolerance of comparisons."""

    atol: float = 1e-6
    """Absolute tolerance of comparisons."""

    keeps_shape: bool = True
    """The result has the shape that the needs declare (`Needs.shape`); only an op that sees the whole sample may return another."""

    object_size: Mapping[AxisId, int] = FrozenMapping()
    """Pixels of the result that the largest object in the tensors spans, by axis; no matter where objects join that touch."""

    makes_nan: bool = False
    """The op may return NaN where none went in."""

    def listed(self) -> Sequence[Mapping[str, Any]]:
        """Return the listed arguments as processing steps."""
        if not self.kwargs:
            return ()
        return [{op_key(self.tried): self.entry.name, "kwargs": dict(kwargs)} for kwargs in self.kwargs]

    def test_needs(self, case: Case) -> None:
        """`requirements` returns the same `Needs` at every call, about axes that the tensor has."""

        def law(trial: Trial, data: Any) -> None:
            needs = trial.needs
            assert isinstance(needs, Needs), f"expected requirements to return Needs, found {type(needs).__name__}"
            assert needs == self.entry.requirements(trial.kwargs, self.axes), "expected equal needs for equal arguments"
            needs.check_axes(self.axes)

        self.law(case, law)

    def test_makes_an_op(self, case: Case) -> None:
        """What `load` returns makes an op, which is called with a tensor and its statistics."""
        self.law(case, lambda trial, data: _expect(isinstance(trial.op, ProcessingOp), "expected the op to be callable"), examples=2)

    def test_input_is_left_alone(self, case: Case) -> None:
        """The tensor is not changed in place."""

        def law(trial: Trial, data: Any) -> None:
            given = trial.tensor.copy()
            trial.op(given, trial.measured)
            assert_same(given, trial.tensor, "the op changed its input in place")

        self.law(case, law)

    def test_shape(self, case: Case) -> None:
        """The result has the shape that the needs declare (`Needs.shape`), without one that of the tensor."""

        def law(trial: Trial, data: Any) -> None:
            if self.keeps_shape or not trial.needs.whole_sample:
                given, found = trial.tensor.shape, trial.whole().shape
                assert found == trial.shape, f"expected the shape {trial.shape} from {given}, found {found}: declare it as Needs.shape"

        self.law(case, law)

    def test_dtype(self, case: Case) -> None:
        """The result has the dtype that the needs declare, without one that of the tensor (`Needs.dtypes_from`)."""

        def law(trial: Trial, data: Any) -> None:
            given, found = trial.tensor.dtype.name, trial.whole().dtype.name
            expected = trial.needs.dtypes_from(given)
            assert found in expected, f"expected {' or '.join(expected)} from {given}, found {found}: declare it as Needs.dtype"

        self.law(case, law)

    def test_blocks_give_the_whole(self, case: Case) -> None:
        """Cut anywhere along the axes that the needs allow to be cut, the blocks together are the whole."""

        def law(trial: Trial, data: Any) -> None:
            if trial.needs.whole_sample:
                reject()
            if trial.needs.objects is not None:
                pytest.skip("the op labels objects: see test_joined_blocks_give_the_whole")
            whole = trial.whole()
            out = np.empty_like(whole)
            cut = data.draw(blocks(self.axes, trial.tensor.shape, trial.uncut_axes), label="blocks")
            for block in cut:
                out[trial.of_result(block)] = trial.of_block(block)
            assert_close(out, whole, rtol=self.rtol, atol=self.atol, what="blocks beside the whole (whole_axes, halo, whole_sample?)")

        self.law(case, law)

    def test_joined_blocks_give_the_whole(self, case: Case) -> None:
        """Objects found block by block and joined as the needs say are those of the whole tensor (`Needs.objects`)."""

        def law(trial: Trial, data: Any) -> None:
            objects = trial.needs.objects
            if objects is None:
                pytest.skip("the op labels no objects (Needs.objects)")
            size = {**objects.size, **self.object_size}
            space = [axis for axis in trial.needs.result_axes(self.axes) if axis not in NOT_SPACE]
            if objects.join != "touch" and any(axis not in size for axis in space):
                pytest.skip(f"set object_size to the pixels that the largest object in the tensors spans along {', '.join(space)}")
            cut = data.draw(blocks(self.axes, trial.tensor.shape, NOT_SPACE), label="blocks")
            cuts = {axis: sorted({block[self.axes.index(axis)].start for block in cut}) for axis in space}
            expected = trial.in_boxes(dict.fromkeys(space, ()), size)
            assert_same(
                trial.in_boxes(cuts, size), expected, "objects joined from blocks beside those of the whole (halo, join, object_size?)"
            )

        self.law(case, law)

    def test_labels(self, case: Case) -> None:
        """Labels of objects are integers from 0 (`Needs.objects`)."""

        def law(trial: Trial, data: Any) -> None:
            if trial.needs.objects is None:
                pytest.skip("the op labels no objects (Needs.objects)")
            labels = trial.whole()
            assert labels.dtype.kind in "iu", f"expected labels of an integer dtype, found {labels.dtype}: declare one as Needs.dtype"
            assert labels.min() >= 0, f"expected 0 where there is no object, and positive labels, found {labels.min()}"

        self.law(case, law)

    def test_no_new_nan(self, case: Case) -> None:
        """No NaN comes out where none went in."""
        if self.makes_nan:
            pytest.skip("the author says that the op makes NaN")

        def law(trial: Trial, data: Any) -> None:
            assert not np.isnan(trial.whole()).any(), f"NaN from numbers within {self.values}: set `values` or `makes_nan` if that is meant"

        self.law(case, law)

    def test_repeats(self, case: Case) -> None:
        """The same tensor gives the same result, from the same op and from a new one."""

        def law(trial: Trial, data: Any) -> None:
            first = trial.whole()
            assert_same(trial.whole(), first, "the second call gives another result")
            assert_same(trial.whole(trial.new_op()), first, "a new op gives a different result")

        self.law(case, law, examples=5)

    def test_travels(self, case: Case) -> None:
        """The op can be pickled, as it is sent to the workers of a cluster, and does the same there."""

        def law(trial: Trial, data: Any) -> None:
            expected = trial.whole()
            try:
                travelled, _ = pickle.loads(pickle.dumps((trial.op, trial.needs)))  # noqa: S301 (written just now)
            except Exception as error:
                raise AssertionError(f"the op or its needs cannot be pickled: define them at the top of the module ({error})") from error
            trial.package.close()  # unpacked files of this process are not there on other machines
            assert_same(trial.whole(travelled), expected, "the pickled op gives another result")

        self.law(case, law, examples=3)

    def test_threads(self, case: Case) -> None:
        """Called from eight threads at once, the op gives each its own result."""

        def law(trial: Trial, data: Any) -> None:
            dtype = str(trial.tensor.dtype)
            shape = tuple(32 if axis not in self.sizes else n for axis, n in zip(self.axes, trial.tensor.shape, strict=True))
            given = [noise(shape, dtype, seed, self.values) for seed in range(8)]
            trials = [Trial.of(self.entry, trial.kwargs, self.axes, tensor, self.files) for tensor in given]
            alone = [t.whole() for t in trials]
            together = in_threads([partial(t.whole, trials[0].op) for t in trials])
            for expected, results in zip(alone, together, strict=True):
                for found in results:
                    assert_same(found, expected, "a call in one thread changes the result in another")

        self.law(case, law, examples=1)

    def test_wrong_file(self, case: Case) -> None:
        """A file of the model with other content is refused in one sentence, with an error of `bioimageio_core.errors`."""
        if not names_files(self.entry.descr[case.version]):
            pytest.skip("the arguments name no file")

        def law(trial: Trial, data: Any) -> None:
            wrong = {reference.source: b"not what the op reads" for reference in file_references(trial.kwargs)}
            if not wrong:
                reject()
            try:
                Trial.of(self.entry, trial.kwargs, self.axes, trial.tensor, wrong).whole()
            except BioimageioError as error:
                one_sentence(str(error))

        self.law(case, law, examples=3)

    def test_reference(self, case: Case) -> None:
        """The result is that of the independent implementation that the entry names."""
        if not self.entry.reference_implementation:
            pytest.skip("the entry names no reference_implementation")
        module, _, name = self.entry.reference_implementation.partition(":")
        reference = getattr(import_module(module), name)

        def law(trial: Trial, data: Any) -> None:
            expected = reference(trial.tensor.copy(), trial.kwargs, self.axes)
            assert_close(trial.whole(), expected, rtol=self.rtol, atol=self.atol, what=self.entry.reference_implementation)

        self.law(case, law)

    def law(self, case: Case, check: Callable[[Trial, Any], None], *, examples: int | None = None) -> None:
        """Check a law on arguments and tensors.

        Arguments that are made up may be refused, with an error of this library that is fit to be shown to a user.
        """
        self.needs_an_implementation()
        cls, reader = self.entry.descr[case.version], TreeReader.of(self.entry, case.version)

        def run(tree: dict[str, Any], dtype: str, data: Any) -> None:
            kwargs = getattr(reader.structure(cls, tree), "kwargs", None)
            tensor = data.draw(tensors(self.axes, dtype, self.sizes, self.values), label="tensor")
            try:
                trial = Trial.of(self.entry, kwargs, self.axes, tensor, self.files)
                trial.whole()
            except BioimageioError as error:
                if case.listed:
                    raise
                one_sentence(str(error))
                reject()
            check(trial, data)

        self.for_all(run, case.trees, st.sampled_from(self.dtypes), st.data(), examples=examples)

    def needs_an_implementation(self) -> None:
        """Skip the test if no installed plugin runs the op."""
        if self.entry.described_only:
            pytest.skip(f"{self.entry.name} is described only")
        if self.entry.runs_model_code:
            pytest.skip(f"{self.entry.name} is code of a model")
        try:
            self.entry.load()
        except MissingRequirementError as error:
            pytest.skip(str(error))


def _expect(holds: bool, message: str) -> None:
    assert holds, message
