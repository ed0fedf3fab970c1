"""Ops of the user's choice, after those of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from ....errors import InputError
from ....registry import ProcessingOpEntry, Registry, plugin_hint
from ....registry.op_arguments import arguments_in_words
from ....spec.converters import converter_for
from ....structuring.freezing import thaw
from ....structuring.problems import StructureProblems
from ...model.implicit_casts import call_of
from ...model.tensor_spec import ModelIO, TensorIO
from ...option_values import suggestion
from ...postprocessing_option import AddedStep

__all__ = ["with_added_steps"]


def with_added_steps(model: ModelIO, steps: Sequence[AddedStep], registry: Registry) -> ModelIO:
    """Return a model with more postprocessing.

    Raises:
        InputError: An op is not installed or has wrong arguments, or the output is not known.

    """
    outputs = {output.id: output for output in model.outputs}
    for step in steps:
        output = _output(model, step)
        described = _described(step, registry)
        outputs[output] = _with_step(outputs[output], described, step.name)
    return attrs.evolve(model, outputs=tuple(outputs.values())) if steps else model


def _with_step(output: TensorIO, step: Any, name: str) -> TensorIO:
    return attrs.evolve(output, ops=(*output.ops, call_of(step, name)))


def _output(model: ModelIO, step: AddedStep) -> str:
    ids = [output.id for output in model.outputs]
    if step.output in ids:
        return str(step.output)
    if step.output is None and len(ids) == 1:
        return ids[0]
    found = "none" if step.output is None else repr(step.output)
    raise InputError(
        f"postprocessing= (--post) {step.name!r}: expected the output that it is for ({', '.join(ids)}), "
        f"as in '{ids[0]}/{step.name}', found {found}"
    )


def _described(step: AddedStep, registry: Registry) -> Any:
    """Return an op as a node of a description."""
    runnable = {name: entry for name, entry in registry.processing_ops.items() if not entry.described_only and _may_follow(entry)}
    entry = runnable.get(step.name)
    if entry is None:
        hint = plugin_hint("processing_ops", step.name)
        raise InputError(
            f"postprocessing= (--post): no installed plugin provides the op {step.name!r}{hint}: {suggestion(step.name, sorted(runnable))}"
        )
    cls = entry.descr["0.5"]
    tree = {"id": step.name, **({"kwargs": thaw(step.kwargs)} if step.kwargs else {})}
    try:
        return converter_for(registry, "0.5").structure(tree, cls)
    except StructureProblems as error:
        first = error.problems[0]
        place = ".".join(map(str, first.loc)).removeprefix("kwargs.")
        what = f"{place}: {first.message}"
        if place == "kwargs":
            what = "expected no arguments" if step.kwargs else "expected arguments"
        end = "" if what.endswith("?") else ";"
        raise InputError(f"postprocessing= (--post) {step.name!r}: {what}{end} {arguments_in_words(entry)}") from None


def _may_follow(entry: ProcessingOpEntry) -> bool:
    """Return whether an op can be added by name: code of a model cannot."""
    return "0.5" in entry.descr and "postprocessing" in entry.where and not entry.runs_model_code
