"""Runs the model of this module on the files that it is given, by the convention of APEER modules.

Parameters come as JSON in the environment variable WFE_INPUT_JSON, else in /params/WFE_input_params.json.
Results go to /output: a file for each output of the model, and JSON that names them in the file that the parameters name.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import bioimageio_core as bc
from bioimageio_core.atomic_files import move_into_place, temporary_file, write_bytes
from bioimageio_core.axis_names import LETTER_OF, SPACE
from bioimageio_core.errors import BioimageioError

HERE = Path(__file__).resolve().parent
PARAMETERS, RESULTS = "WFE_INPUT_JSON", "WFE_output_params_file"
log = logging.getLogger("module")


class WrongParameterError(Exception):
    """What a user gave cannot be used; one sentence."""


def main() -> int:
    """Run the module; return its exit status: 0 good, 1 it failed, 2 a parameter is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, default=Path("/params/WFE_input_params.json"), help="file with the parameters")
    parser.add_argument("--output", type=Path, default=Path("/output"), help="folder for results")
    given = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stdout)
    try:
        run(read_parameters(given.params), given.output)
    except WrongParameterError as error:
        log.error(str(error))
        return 2
    except BioimageioError as error:
        log.error(str(error))
        return error.exit_status or 1
    except Exception:
        log.exception("the module failed")
        return 1
    return 0


def read_parameters(file: Path) -> dict[str, Any]:
    """Return the parameters, wherever they come from."""
    where = PARAMETERS if PARAMETERS in os.environ else str(file)
    try:
        text = os.environ[PARAMETERS] if PARAMETERS in os.environ else file.read_text(encoding="utf-8")
        parameters = json.loads(text)
    except OSError as error:
        raise WrongParameterError(f"no parameters: {PARAMETERS} is not set, and {file} cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise WrongParameterError(f"the parameters in {where} are no JSON: {error}") from None
    if not isinstance(parameters, dict):
        raise WrongParameterError(f"the parameters in {where} are {type(parameters).__name__}: expected names with values")
    return parameters


def run(parameters: dict[str, Any], output: Path) -> None:
    """Predict, write a file for each output, and then the JSON that names them."""
    results = parameters.pop(RESULTS, None)
    if not isinstance(results, str) or not results or Path(results).name != results:
        raise WrongParameterError(f"{RESULTS}: expected the name of a file in {output}, found {results!r}")
    specification = json.loads((HERE / "module_specification.json").read_text(encoding="utf-8"))["spec"]
    settings = json.loads((HERE / "settings.json").read_text(encoding="utf-8"))
    values = checked(parameters, specification["inputs"])
    model = bc.load_model_description(HERE / "model")
    ids = [tensor.id if hasattr(tensor, "id") else tensor.name for tensor in model.inputs]
    suffixes = {i: "" if len(ids) == 1 else f"_{i}" for i in ids}
    images = {i: values[f"image{suffix}"] for i, suffix in suffixes.items()}
    axes = {i: values[f"axes{suffix}"] for i, suffix in suffixes.items() if values[f"axes{suffix}"]}
    options = {"axes": axes or None, "channel": channel(values["channel"]), "block": block(values["block"]), **settings}
    options |= {"memory": f"{values['memory']} GiB", "weights_format": values.get("weights_format")}
    log.info("predicting %s", ", ".join(f"{i} = {path}" for i, path in images.items()))
    stem = Path(images[ids[0]]).name.partition(".")[0]
    scratch = output / f".{stem}.zarr"
    try:
        prediction = bc.predict(HERE / "model", images, scratch, overwrite=True, **options)
        for words in remarks(prediction.plan):
            log.warning(words)
        files = {name: str(save(array, output / f"{stem}_{name}")) for name, array in prediction.items()}
    finally:
        remove(scratch)
    write_bytes(output / results, json.dumps(files).encode(), overwrite=True)
    log.info("written: %s", ", ".join(files.values()))


def remarks(plan: Any) -> Iterator[str]:
    """Yield what a user should know of how the images were understood."""
    for given in plan.inputs:
        if given.bound.axes_guessed:
            yield f"the axes of {given.bound.image.name} were guessed to be {', '.join(given.bound.image.axes)}: give them as a parameter"
    yield from plan.warnings


def checked(given: Mapping[str, Any], inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return all parameters, those that are not given by their defaults."""
    unknown = [name for name in given if name not in inputs and not name.startswith("WFE_")]
    if unknown:
        raise WrongParameterError(f"unknown parameter {unknown[0]!r}: expected some of {', '.join(inputs)}")
    values = {}
    for name, described in inputs.items():
        kind = next(key for key in described if key.startswith("type:"))
        if given.get(name) is None and "default" not in described:
            raise WrongParameterError(f"the parameter {name!r} is missing: expected the path of an image")
        value = given[name] if given.get(name) is not None else described["default"]
        check(name, value, kind, described[kind])
        values[name] = value
    return values


def check(name: str, value: Any, kind: str, limits: Any) -> None:
    """Refuse a value that is not of its kind."""
    if kind == "type:number":
        low, high = limits["lower_inclusive"], limits["upper_inclusive"]
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise WrongParameterError(f"{name}: expected a number from {low} to {high}, found {value!r}")
    elif kind == "type:choice_single":
        if value not in limits:
            raise WrongParameterError(f"{name}: expected one of {', '.join(limits)}, found {value!r}")
    elif not isinstance(value, str):
        raise WrongParameterError(f"{name}: expected {'the path of a file' if kind == 'type:file' else 'text'}, found {value!r}")
    elif kind == "type:file" and not Path(value).is_file():
        raise WrongParameterError(f"{name}: the file {value} does not exist")


def channel(text: str) -> Any:
    """Return channels as prediction takes them: names or numbers."""
    parts = [int(part) if part.strip().isdecimal() else part.strip() for part in text.split(",") if part.strip()]
    return None if not parts else parts[0] if len(parts) == 1 else parts


def block(text: str) -> dict[str, int]:
    """Return sizes by axis, which are given as ``y=512,x=512``."""
    sizes = {}
    for part in (part for part in text.split(",") if part.strip()):
        axis, _, size = part.partition("=")
        if not axis.strip() or not size.strip().isdecimal() or not int(size):
            raise WrongParameterError(f"block: expected sizes as in y=512,x=512, found {text!r}")
        sizes[axis.strip()] = int(size)
    return sizes


def save(array: Any, path: Path) -> Path:
    """Write an output as OME-TIFF, plane by plane; other arrays as .npy. The file appears when it is complete."""
    kept = {axis: size for axis, size in zip(array.axes, array.shape, strict=True) if axis in SPACE or size > 1}
    letters = {axis: LETTER_OF.get(axis, axis) for axis in kept}
    target = path.with_name(f"{path.name}.ome.tif" if {"y", "x"} <= {*kept} else f"{path.name}.npy")
    with temporary_file(target.parent, target.name) as part:
        if target.suffix == ".npy":
            with part.open("wb") as file:
                np.save(file, np.asarray(array))
        else:
            save_planes(array, part, letters)
        move_into_place(part, target, overwrite=True)
    return target


def save_planes(array: Any, path: Path, letters: Mapping[str, str]) -> None:
    """Write planes along y and x in the order of the other axes: t, z, c, then what has no letter in OME-TIFF."""
    import tifffile

    order = ["t", "z", "c"]
    outer = sorted((a for a in letters if a not in "yx"), key=lambda a: order.index(letters[a]) if letters[a] in order else len(order))
    sizes = dict(zip(array.axes, array.shape, strict=True))
    dtype = np.dtype(np.uint8) if array.dtype == np.bool_ else np.dtype(array.dtype)
    ome = all(letters[a] in order for a in outer) and dtype.itemsize * 8 <= (64 if dtype.kind == "f" else 32)

    def planes() -> Iterator[Any]:
        for at in itertools.product(*(range(sizes[a]) for a in outer)):
            fixed = dict(zip(outer, at, strict=True))
            plane = np.asarray(array[tuple(fixed.get(a, slice(None) if a in "yx" else 0) for a in array.axes)])
            yx = [a for a in array.axes if a in "yx"]
            yield np.ascontiguousarray(plane if yx == ["y", "x"] else plane.T, dtype)

    named = {"axes": "".join(letters[a][0].upper() for a in outer) + "YX"}
    shape = (*(sizes[a] for a in outer), sizes["y"], sizes["x"])
    with tifffile.TiffWriter(path, bigtiff=int(np.prod(shape)) * dtype.itemsize > 2**31, ome=ome) as writer:
        writer.write(planes(), shape=shape, dtype=dtype, photometric="minisblack", metadata=named)


def remove(folder: Path) -> None:
    """Remove what was computed on the way."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
