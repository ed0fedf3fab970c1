"""A run whose outputs become files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import OutputError
from ...io import holds_something
from ...io.writing.write_errors import check_no_dangling_link, writing
from ...labelled_arrays import LabelledArray
from ...registry import ImageWriterEntry
from ...sources.locks import temporary_lock
from ..options import RunOptions
from ..output.finalize import prediction_before
from ..output.labelled_output import labelled_output
from ..output.result import Prediction
from ..output.run_identity import check_same_run
from ..output.tensor_array import TensorArray
from ..planning.plan import Plan
from .file_image import FileImage
from .file_set import FileSet, file_set
from .layouts import check_layouts
from .write_files import words, write_files

__all__ = ["check_files_replaceable", "run_to_files"]


def run_to_files(
    plan: Plan,
    location: str,
    entry: ImageWriterEntry,
    options: RunOptions,
    identity: Callable[[], Mapping[str, Any]],
    run: Callable[[str], Prediction],
) -> Prediction:
    """Carry out a plan, and write the outputs to files.

    The run writes zarr to a hidden folder beside the files, so that it is shared by shards and resumed like any other.

    Args:
        plan: A plan for this output.
        location: Local path of the file, with `EACH` for the id of the output where there are several.
        entry: The format.
        options: The options of the run.
        identity: Returns the identity of the run.
        run: Carries out the plan, with the path of a zarr group as output.

    Raises:
        OutputError: A file exists and is not to be replaced, cannot hold an output, or cannot be written.

    """
    if not plan.ome and not any(o.data_dependent for o in plan.outputs):
        raise OutputError(f"output {location} is a file: expected a plan for this output, as plan(inputs, {location!r}) makes it")
    files = file_set(location, [o.id for o in plan.outputs])
    check_layouts(plan, files, entry)
    continues = (options.resume or options.shard is not None) and not options.overwrite
    begun = holds_something(files.run_place)
    if continues and not begun:
        record = files.record()
        if record is not None:
            check_same_run(location, dict(record.get("identity", {})), dict(identity()))
            return prediction_before(_arrays(plan, files), plan)
    check_files_replaceable(files, options)
    for path in files.paths.values():
        with writing(str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
    try:
        prediction = run(files.run_place)
        if not prediction.finished:
            return prediction
        with temporary_lock(Path(f"{files.run_place}.lock")):
            if holds_something(files.run_place):  # else another shard has written the files meanwhile
                write_files(plan, files, entry, progress=options.callback)
    except OutputError as error:
        raise words(error, files) from error.__cause__
    return prediction.with_outputs(_arrays(plan, files))


def check_files_replaceable(files: FileSet, options: RunOptions) -> None:
    """Check that files can be written.

    Raises:
        OutputError: One exists and is not to be replaced, a run has begun them that is not to be continued, or a folder is in the way.

    """
    continues = (options.resume or options.shard is not None) and not options.overwrite
    begun = holds_something(files.run_place)
    for path in files.paths.values():
        check_no_dangling_link(str(path))
        if not path.parent.is_dir() and path.parent.exists():
            raise OutputError(f"{path} cannot be written: {path.parent} is a file")
        if path.is_dir():
            raise OutputError(f"{path} is a folder: give another name")
    if options.overwrite or (continues and begun):
        return
    if begun:
        raise OutputError(
            f"{files.location} was started by a run that still computes, or was interrupted: resume=True (--resume) then completes it, "
            "overwrite=True (--overwrite) writes it again; or give another name"
        )
    if files.existing:
        why = ", and is not as a run left it, so that it cannot be resumed" if continues else ""
        raise OutputError(f"{files.existing[0]} exists{why}: give overwrite=True (--overwrite) or another name")


def _arrays(plan: Plan, files: FileSet) -> dict[str, LabelledArray]:
    found = {}
    for output in plan.outputs:
        image = plan.ome[output.id]
        written = FileImage(location=str(files.paths[output.id]), axes=image.axes, shape=image.levels[0].shape)
        array = TensorArray(source=written, source_axes=image.axes, axes=output.axes, shape=output.shape, dtype=np.dtype(image.dtype))
        found[output.id] = labelled_output(output, array, plan)
    return found
