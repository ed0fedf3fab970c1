"""The last step of a run: the output becomes a zarr group with the record of the run."""

from __future__ import annotations

from typing import Any

from ...io import OutputStore
from ...io.writing.label_images import LabelsPlace, add_to_labels, labels_place, renew_consolidated_metadata
from ...io.writing.ome_output import OmeImage
from ...json_values import json_safe
from ..planning.plan import Plan
from .open_output import OpenOutput, array_spec, open_output
from .result import LabelledArray, Prediction
from .sinks import MemorySink

__all__ = ["complete_prediction", "finalize", "labelled_arrays"]


def finalize(output: OpenOutput, plan: Plan, attributes: dict[str, Any]) -> None:
    """Complete an output: write its metadata and remove the state of the run. Several processes may do so at the same time.

    Args:
        output: The output, with all its data written.
        plan: The plan.
        attributes: The record of the run, for the attributes of the group.

    Raises:
        OutputError: The output cannot be written.

    """
    if output.store is None:
        return
    for tensor in output.tensors:
        if tensor.planned.data_dependent:
            assert isinstance(tensor.sink, MemorySink)
            array = tensor.sink.array
            output.store.ensure(array_spec(tensor.planned, array.shape))
            if array.size:
                output.store.write(tensor.planned.id, (0,) * array.ndim, array)
    location = output.store.location
    images = _images(output)
    labels = _labels(output)
    depth = 0 if labels is None else labels.depth
    for image in images:
        image.write_metadata(location, depth=depth)
    of_root = next((image.metadata(depth=depth) for image in images if not image.path), {})
    output.store.finish({**of_root, "bioimageio_core": json_safe(attributes)}, zarr_format=images[0].zarr_format if images else 3)
    _update_groups_above(output, labels)


def _labels(output: OpenOutput) -> LabelsPlace | None:
    """Return the labels of an image that an output is; None if it is none."""
    return None if output.store is None or not _images(output) else labels_place(output.store.location)


def _images(output: OpenOutput) -> list[OmeImage]:
    return [t.image for t in output.tensors if t.image is not None]


def _update_groups_above(output: OpenOutput, labels: LabelsPlace | None) -> None:
    """Enter a complete output in the groups above it: as labels of an image, and in their copies of all metadata."""
    if output.store is None:
        return
    if labels is not None:
        add_to_labels(labels, [image.path for image in _images(output)])
    else:
        renew_consolidated_metadata(output.store.location)


def labelled_arrays(output: OpenOutput) -> dict[str, LabelledArray]:
    """Return the outputs by id: zarr arrays if the run has a store, else numpy arrays."""
    found = {}
    for tensor in output.tensors:
        planned = tensor.planned
        if output.store is None:
            assert isinstance(tensor.sink, MemorySink)
            found[planned.id] = LabelledArray(tensor.sink.array, planned.axes)
        elif tensor.image is not None:
            found[planned.id] = LabelledArray(output.store.array(tensor.image.place(0)), tensor.image.axes)
        else:
            found[planned.id] = LabelledArray(output.store.array(planned.id), planned.axes)
    return found


def complete_prediction(plan: Plan, path: str) -> Prediction:
    """Return the prediction of an output that is already complete; remove run state that an interrupted process left behind."""
    OutputStore(path).tidy()
    output = open_output(plan, path, {}, overwrite=False, joins=False, continued=True)
    _update_groups_above(output, _labels(output))
    return Prediction(
        labelled_arrays(output),
        plan=plan,
        statistics={},
        times={"total": 0.0},
        nan_counts={},
        finished=True,
        done_before=plan.regions.count,
    )
