"""What must hold between the parts of a model in format 0.4; each rule yields issues of a model."""

from __future__ import annotations

from collections.abc import Iterator

from ...generic.licenses import LICENSES
from ...node import Issue
from .model_fields import ModelFields
from .tensors import ImplicitOutputShape, InputTensorDescr, OutputTensorDescr, ParameterizedInputShape

__all__ = ["ALL"]

_PARENTS = ("keras_hdf5", "onnx", "pytorch_state_dict", "tensorflow_js", "tensorflow_saved_model_bundle", "torchscript")


def unique_tensor_names(descr: ModelFields) -> Iterator[Issue]:
    """Require distinct tensor names across inputs and outputs."""
    seen: set[str] = set()
    for key, tensors in (("inputs", descr.inputs), ("outputs", descr.outputs)):
        for index, tensor in enumerate(tensors):
            if tensor.name in seen:
                message = f"expected distinct tensor names across inputs and outputs, found {tensor.name!r} more than once"
                yield Issue(loc=(key, index, "name"), message=message)
            seen.add(tensor.name)


def output_shapes(descr: ModelFields) -> Iterator[Issue]:
    """Require that implicit shapes refer to a tensor of matching rank, and that a halo leaves something."""
    tensors: dict[str, InputTensorDescr | OutputTensorDescr] = {tensor.name: tensor for tensor in descr.inputs}
    tensors.update((tensor.name, tensor) for tensor in descr.outputs)
    for index, output in enumerate(descr.outputs):
        if isinstance(output.shape, ImplicitOutputShape):
            problem = _reference_problem(output, output.shape, tensors)
            if problem is not None:
                yield Issue(loc=("outputs", index, "shape", *problem.loc), message=problem.message)
                continue
        try:
            least = _least_shape(output, tensors, seen=())
        except OverflowError:
            yield Issue(loc=("outputs", index, "shape"), message="expected a shape that can be computed, found numbers that are too large")
            continue
        if least is None:
            message = "expected a reference that leads to an input or a fixed shape, found a circle"
            yield Issue(loc=("outputs", index, "shape", "reference_tensor"), message=message)
            continue
        for axis, size in enumerate(least):
            halo = output.halo[axis] if output.halo and axis < len(output.halo) else 0
            if size - 2 * halo < 1:
                loc = ("outputs", index, "halo" if halo else "shape")
                message = (
                    f"expected something to be left of axis {axis} of least size {size}, found {size - 2 * halo} after a halo of {halo}"
                )
                yield Issue(loc=loc, message=message)


def _reference_problem(
    output: OutputTensorDescr, shape: ImplicitOutputShape, tensors: dict[str, InputTensorDescr | OutputTensorDescr]
) -> Issue | None:
    reference = tensors.get(shape.reference_tensor)
    if reference is None:
        others = ", ".join(name for name in tensors if name != output.name)
        return Issue(loc=("reference_tensor",), message=f"expected the name of another tensor ({others}), found {shape.reference_tensor!r}")
    scaled = sum(scale is not None for scale in shape.scale)
    rank = _rank(reference)
    if scaled != rank:
        message = f"expected a scale for each of the {rank} axes of {shape.reference_tensor!r}, found {scaled}"
        return Issue(loc=("scale",), message=message)
    return None


def _rank(tensor: InputTensorDescr | OutputTensorDescr) -> int:
    if isinstance(tensor.shape, ParameterizedInputShape):
        return len(tensor.shape.min)
    return len(tensor.shape.scale) if isinstance(tensor.shape, ImplicitOutputShape) else len(tensor.shape)


def _least_shape(
    tensor: InputTensorDescr | OutputTensorDescr, tensors: dict[str, InputTensorDescr | OutputTensorDescr], seen: tuple[str, ...]
) -> tuple[int, ...] | None:
    shape = tensor.shape
    if isinstance(shape, ParameterizedInputShape):
        return shape.min
    if not isinstance(shape, ImplicitOutputShape):
        return shape
    reference = tensors.get(shape.reference_tensor)
    if reference is None or tensor.name in seen:
        return None
    below = _least_shape(reference, tensors, (*seen, tensor.name))
    if below is None:
        return None
    sizes = iter(below)
    return tuple(
        int(2 * offset) if scale is None else int(next(sizes, 0) * scale + 2 * offset)
        for scale, offset in zip(shape.scale, shape.offset, strict=False)
    )


def reference_tensors(descr: ModelFields) -> Iterator[Issue]:
    """Require that steps refer to inputs only, and in preprocessing to another one."""
    names = [tensor.name for tensor in descr.inputs]
    for key, steps_key, tensors in (("inputs", "preprocessing", descr.inputs), ("outputs", "postprocessing", descr.outputs)):
        for index, tensor in enumerate(tensors):
            allowed = [name for name in names if key == "outputs" or name != tensor.name]
            for position, step in enumerate(getattr(tensor, steps_key)):
                name = getattr(getattr(step, "kwargs", None), "reference_tensor", None)
                if name is not None and name not in allowed:
                    loc = (key, index, steps_key, position, "kwargs", "reference_tensor")
                    yield Issue(loc=loc, message=f"expected the name of an input ({', '.join(allowed) or 'none'}), found {name!r}")


def weights_parents(descr: ModelFields) -> Iterator[Issue]:
    """Refuse weights as their own parent."""
    for name, entry in descr.weights.items():
        if entry.parent is not None and (entry.parent == name or entry.parent not in (*_PARENTS, *descr.weights)):
            yield Issue(loc=("weights", name, "parent"), message=f"expected another weights format, found {entry.parent!r}")


def documented(descr: ModelFields) -> Iterator[Issue]:
    """Ask for what makes a model findable and citable."""
    if not descr.cite:
        yield Issue(loc=("cite",), message="expected something to cite, found none", severity="warning")
    if descr.license not in LICENSES:
        message = f"expected an identifier of the SPDX license list, found {descr.license!r}"
        yield Issue(loc=("license",), message=message, severity="warning")
    if not 5 <= len(descr.name) <= 64:
        yield Issue(loc=("name",), message=f"expected 5 to 64 characters, found {len(descr.name)}", severity="info")


ALL = (unique_tensor_names, output_shapes, reference_tensors, weights_parents, documented)
"""Every rule."""
