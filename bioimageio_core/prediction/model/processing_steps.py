"""Processing ops of a tensor, looked up in the registry, with the needs of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

import attrs

from ...errors import InputError, PluginError
from ...packaging.argument_files import ArgumentFiles
from ...registry import Measure, Needs, OpContext, ProcessingOp, Registry, blamed
from ...typing import AxisId, FrozenMapping
from .described_files import DescribedFiles
from .loaded_model import LoadedModel
from .tensor_spec import TensorIO

__all__ = ["OpsByStep", "Step", "check_references", "make_ops", "measure_text", "plan_steps"]

OpsByStep: TypeAlias = "Mapping[tuple[str, int], ProcessingOp]"
"""Made ops by id of the tensor and number of the step."""


@attrs.frozen(kw_only=True)
class Step:
    """One op of a tensor, and its needs."""

    number: int
    """Position among the steps of the tensor, from 1; implied casts count."""

    name: str
    kwargs: Any
    axes: tuple[AxisId, ...]
    """Axes of the tensor."""

    needs: Needs
    described: Any = attrs.field(default=None, eq=False, repr=False)
    """The node of the complete step; None for an implied cast."""

    def make(self, model: LoadedModel, *, trust: bool) -> ProcessingOp:
        """Import the implementation and bind the arguments.

        Args:
            model: The model, for ops that are made from its files.
            trust: Whether code that comes with the model may run.

        Raises:
            PluginError: A plugin's implementation cannot be imported or made.
            TrustError: The op is code of the model, which is not trusted.
            ModelRunError: The code of the model fails.
            SourceError: A file of the model that the op needs is missing.
            HashMismatchError: The SHA-256 of a file is not the described one.

        """
        entry = model.registry.processing_ops[self.name]
        files: Mapping[str, str] | None = ArgumentFiles.of(self.kwargs, model.package)
        if entry.runs_model_code:
            files = DescribedFiles(self.described, model.package, model.descr.attachments, with_source=True)
        context = None if files is None else OpContext(step=self.described, files=files, trust=trust)
        with blamed(f"making {model.registry.words_for('processing_ops', self.name)}"):
            return entry.make(self.kwargs, self.axes, context)

    def sees_whole(self, cut_axes: Collection[AxisId]) -> bool:
        """Return whether the op needs the whole tensor at once where these axes are cut into blocks."""
        return self.needs.whole_sample or any(a in cut_axes for a in self.needs.whole_axes)

    def needs_halo(self, cut_axes: Collection[AxisId]) -> bool:
        """Return whether the op needs pixels of neighbouring blocks where these axes are cut."""
        return any(size and axis in cut_axes for axis, size in self.needs.halo.items())

    def key(self, tensor: str, measure: Measure) -> str:
        """Return the name of a statistic in results and in supplied statistics: tensor, step and measure."""
        return f"{tensor}: {self.number}. {self.name}: {measure_text(measure)}"

    @property
    def own_measures(self) -> bool:
        """Whether the op needs statistics of its own tensor, measured after the steps before it."""
        return any(m.tensor is None for m in self.needs.measures)


def plan_steps(tensor: TensorIO, registry: Registry) -> tuple[Step, ...]:
    """Return the steps of a tensor with their needs.

    Raises:
        PluginError: A plugin's ``requirements`` fails, or returns what is not about this tensor.
        InputError: A plugin's ``requirements`` refuses the arguments.

    """
    axes = tensor.axis_ids
    steps = []
    for number, op in enumerate(tensor.ops, start=1):
        entry = registry.processing_ops[op.name]
        what = f"requirements of {registry.words_for('processing_ops', op.name)} for tensor {tensor.id!r}"
        with blamed(what):
            needs = entry.requirements(op.kwargs, axes)
        _check_needs(needs, axes, what)
        steps.append(Step(number=number, name=op.name, kwargs=op.kwargs, axes=axes, needs=needs, described=op.step))
    return tuple(steps)


def _check_needs(needs: object, axes: tuple[AxisId, ...], what: str) -> None:
    if not isinstance(needs, Needs):
        raise PluginError(f"{what}: expected Needs, found {type(needs).__name__}")
    try:
        needs.check_axes(axes)
    except ValueError as error:
        raise PluginError(f"{what}: {error}") from None


def make_ops(steps: Iterable[tuple[str, Step]], model: LoadedModel, *, trust: bool) -> OpsByStep:
    """Make the ops of steps, each of which is given after the id of its tensor; raises what `Step.make` does."""
    return FrozenMapping({(tensor, step.number): step.make(model, trust=trust) for tensor, step in steps})


def check_references(steps: Iterable[tuple[str, Step]], inputs: Collection[str], registry: Registry) -> None:
    """Check that statistics of other tensors are those of inputs that there are.

    Args:
        steps: All steps, each after the id of its tensor.
        inputs: Ids of the inputs that are given.
        registry: The registry with the ops.

    Raises:
        InputError: An op needs a statistic of another tensor.

    """
    for tensor, step in steps:
        for measure in step.needs.measures:
            if measure.tensor is not None and measure.tensor not in inputs:
                raise InputError(
                    f"{registry.words_for('processing_ops', step.name)} of {tensor!r} needs the {measure_text(measure)}: "
                    f"expected one of the given inputs ({', '.join(inputs)})"
                )


def measure_text(measure: Measure) -> str:
    """Return a measure in words, as in ``percentile 99.8 over y, x`` or ``histogram 256 0 65535 over y, x``."""
    q = "" if measure.q is None else f" {measure.q:g}"
    ddof = " (n - 1)" if measure.ddof else ""
    of = "" if measure.tensor is None else f" of {measure.tensor}"
    name = measure.kind if measure.statistic is None else measure.statistic.name
    bins = (
        "" if measure.bins is None else " ".join(["", str(measure.bins), *(repr(float(e)).removesuffix(".0") for e in measure.range or ())])
    )
    return f"{name}{q}{ddof}{bins}{of} over {', '.join(measure.axes)}"
