"""The last step of a run: the output becomes a zarr group with the record of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...io import OutputStore
from ...io.writing.label_images import LabelsPlace, add_to_labels, labels_place, renew_consolidated_metadata
from ...io.writing.label_metadata import image_label, path_to_image
from ...io.writing.ome_output import OmeImage
from ...io.writing.output_store import origin_of_output
from ...io.writing.replaced_output import take_place
from ...io.writing.write_errors import CompletedElsewhere
from ...json_values import json_safe
from ...labelled_arrays import LabelledArray
from ...typing import AxisId, FrozenMapping
from ..planning.plan import Plan
from ..planning.planned_tensors import PlannedOutput
from .labelled_output import labelled_output
from .open_output import OpenOutput, array_spec, open_output
from .result import Prediction
from .sinks import MemorySink
from .tensor_array import TensorArray

__all__ = ["complete_prediction", "finalize", "labelled_arrays", "prediction_before"]


def finalize(output: OpenOutput, plan: Plan, attributes: dict[str, Any], objects: Mapping[str, int] = FrozenMapping()) -> None:
    """Complete an output: write its metadata and remove the state of the run. Several processes may do so at the same time.

    Args:
        output: The output, with all its data written.
        plan: The plan.
        attributes: The record of the run, for the attributes of the group.
        objects: Number of objects of each output that labels objects.

    Raises:
        CompletedElsewhere: Another process completed it, or another run took its place.
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
    if output.continued:
        output.store.remove_partial_files()
    if output.state is not None:
        output.state.sync()  # all data are on the disk before the output counts as complete
        output.state.check()
    location = output.store.location
    images = _images(output)
    labels = _labels(output)
    about = {image.name: _image_label(image, output, plan, labels, objects.get(image.name, 0)) for image in images}
    for image in images:
        image.write_metadata(output.store.pinned, about[image.name])
    of_root = next((image.metadata(about[image.name]) for image in images if not image.path), {})
    output.store.finish({**of_root, "bioimageio_core": json_safe(attributes)}, zarr_format=images[0].zarr_format if images else 3)
    if output.state is not None and output.state.run_id and origin_of_output(location).get("id") != output.state.run_id:
        raise CompletedElsewhere  # another run has its folder there
    take_place(location, output.location)
    _update_groups_above(output, labels)


def _image_label(image: OmeImage, output: OpenOutput, plan: Plan, labels: LabelsPlace | None, count: int) -> dict[str, Any] | None:
    """Return what the metadata of labels say; None of an image that is no labels."""
    if labels is None and not image.labels:
        return None
    source = "../" * labels.depth if labels is not None else _path_to_labelled(output, plan)
    up = "../" * len(image.path.split("/")) * bool(image.path)
    return image_label(image.version, source=None if source is None else up + source, count=count)


def _path_to_labelled(output: OpenOutput, plan: Plan) -> str | None:
    """Return the path from an output to the first of the OME-Zarr images that the run reads; None where there is none."""
    paths = (path_to_image(output.location, planned.bound.image) for planned in plan.inputs)
    return next((path for path in paths if path is not None), None)


def _labels(output: OpenOutput) -> LabelsPlace | None:
    """Return the labels of an image that an output is; None if it is none."""
    return None if output.store is None or not _images(output) else labels_place(output.location)


def _images(output: OpenOutput) -> list[OmeImage]:
    return [t.image for t in output.tensors if t.image is not None]


def _update_groups_above(output: OpenOutput, labels: LabelsPlace | None) -> None:
    """Enter a complete output in the groups above it: as labels of an image, and in their copies of all metadata."""
    if output.store is None:
        return
    if labels is not None:
        add_to_labels(labels, [image.path for image in _images(output)])
    else:
        renew_consolidated_metadata(output.location)


def labelled_arrays(output: OpenOutput, plan: Plan, *, complete: bool = True) -> dict[str, LabelledArray]:
    """Return the outputs by id: zarr arrays if the run has a store, else numpy arrays.

    Args:
        output: The output.
        plan: The plan.
        complete: Whether it is complete, and at its final place.

    """
    found = {}
    store = (
        None if output.store is None else OutputStore(output.location if complete else output.store.location)
    )  # arrays for the user, beyond the end of the run
    for tensor in output.tensors:
        planned = tensor.planned
        if store is None:
            assert isinstance(tensor.sink, MemorySink)
            array: Any = tensor.sink.array
        elif tensor.image is not None:
            array = _with_axes_of(planned, store.array(tensor.image.place(0)), tensor.image.axes)
        else:
            array = store.array(planned.id)
        found[planned.id] = labelled_output(planned, array, plan)
    return found


def _with_axes_of(output: PlannedOutput, array: Any, axes: tuple[AxisId, ...]) -> Any:
    """Return the array of an image with the axes of the output."""
    if axes == output.axes:
        return array
    return TensorArray(source=array, source_axes=axes, axes=output.axes, shape=output.shape, dtype=np.dtype(array.dtype))


def complete_prediction(plan: Plan, written: str, path: str) -> Prediction:
    """Return the prediction of an output that is already complete; do what an interrupted process left to do.

    Args:
        plan: The plan.
        written: Path or URL where the output was written.
        path: Its final path or URL.

    """
    OutputStore(written).tidy()
    take_place(written, path)
    output = open_output(plan, path, {}, overwrite=False, joins=False, continued=True)
    _update_groups_above(output, _labels(output))
    if output.store is not None:
        output.store.close()
    return prediction_before(labelled_arrays(output, plan), plan)


def prediction_before(outputs: Mapping[str, LabelledArray], plan: Plan) -> Prediction:
    """Return the prediction of outputs that an earlier run completed."""
    return Prediction(
        outputs,
        plan=plan,
        statistics={},
        times={"total": 0.0},
        nan_counts={},
        finished=True,
        done_before=plan.regions.count,
    )
