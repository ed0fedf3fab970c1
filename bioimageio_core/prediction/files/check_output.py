"""Checks before a run whether its output can be written."""

from __future__ import annotations

from ...io.writing.chosen_writer import writer_of
from ...io.writing.output_store import check_replaceable
from ..model.loaded_model import LoadedModel
from ..option_values import output_location
from ..options import RunOptions
from ..output.inputs_kept import check_inputs_kept
from ..planning.plan import Plan
from .file_set import file_set
from .run_to_files import check_files_replaceable

__all__ = ["check_output"]


def check_output(plan: Plan, output: str, model: LoadedModel, options: RunOptions) -> None:
    """Check whether a run could write an output; writes nothing.

    Args:
        plan: A plan for this output.
        output: Path or URL to write.
        model: The model of the plan.
        options: Options of the run.

    Raises:
        OutputError: The output exists and is not to be replaced or continued, or would overwrite what is read.

    """
    location = output_location(output)
    check_inputs_kept(location, plan, model, overwrite=options.overwrite)
    entry = writer_of(location, options.output_format)
    if entry is not None:
        check_files_replaceable(file_set(location, [o.id for o in plan.outputs]), options)
    elif not (options.resume or options.shard):
        check_replaceable(location, overwrite=options.overwrite)
