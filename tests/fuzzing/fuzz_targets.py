"""What is fuzzed: each target takes any bytes, and raises nothing but errors of the library.

Targets of plugins are there where the plugins are installed.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import attrs
import numpy as np

import bioimageio_core as bc
from bioimageio_core.errors import BioimageioError
from bioimageio_core.io.reading.image_opening import open_image
from bioimageio_core.sources import open_package

__all__ = ["TARGETS", "Target"]

YAML = (
    b"format_version: 0.5.4\ntype: model\nname: m\ndescription: d\nauthors: [{name: A}]\nlicense: MIT\ndocumentation: d.md\n"
    b"inputs:\n- id: raw\n  axes: [{type: batch}, {type: space, id: y, size: {min: 16, step: 4}}]\n"
    b"  preprocessing: [{id: clip, kwargs: {min: 0, max: 1}}]\n  data: {type: float32}\n  test_tensor: {source: in.npy}\n"
    b"outputs:\n- id: out\n  axes: [{type: batch}, {type: space, id: y, size: {tensor_id: raw, axis_id: y}, halo: 2}]\n"
    b"weights: {onnx: {source: w.onnx, opset_version: 13}}\n"
)
OME_XML = (
    b'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
    b'DimensionOrder="XYZCT" Type="uint8" SizeX="4" SizeY="4" SizeZ="1" SizeC="1" SizeT="1" PhysicalSizeX="0.5" PhysicalSizeXUnit="um">'
    b'<Channel ID="Channel:0:0" Name="DAPI"/><TiffData/></Pixels></Image></OME>'
)
ZARR = json.dumps(
    {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {
            "ome": {
                "version": "0.5",
                "multiscales": [
                    {
                        "axes": [{"name": "y", "type": "space", "unit": "micrometer"}, {"name": "x", "type": "space"}],
                        "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [0.5, 0.5]}]}],
                    }
                ],
                "omero": {"channels": [{"label": "DAPI"}]},
            }
        },
    }
).encode()
AXISTAGS = json.dumps({"axes": [{"key": "y", "resolution": 0.5}, {"key": "x", "resolution": 0}]}).encode()
N5 = json.dumps(
    {
        "dimensions": [4, 4],
        "blockSize": [2, 2],
        "dataType": "uint8",
        "compression": {"type": "raw"},
        "axes": ["x", "y"],
        "resolution": [0.5, 0.5],
        "units": ["um", "um"],
        "downsamplingFactors": [1, 1],
    }
).encode()
CZANN = json.dumps(
    {
        "Id": "0ea74e3f-4f4a-4b5e-9a1f-5d9f3b2b1c11",
        "Type": "SingleClassSemanticSegmentation",
        "MinOverlap": [8, 8],
        "Classes": ["a", "b"],
        "ModelName": "m",
        "InputShape": [16, 16, 1],
        "OutputShape": [16, 16, 2],
    }
).encode()
MACRO = b'run("32-bit");\nrun("Subtract...", "value=10");\nif (nImages > 0) { x = getValue("Mean"); run("Divide...", "value=" + x); }\n'


@attrs.frozen(kw_only=True)
class Target:
    """A reader of bytes."""

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    """Content that it reads well, to begin with."""


def read_yaml(content: bytes) -> None:
    """Validate a description, and repair it."""
    bc.validate(content)
    bc.update_format(content, repair=True)


def read_zip(content: bytes) -> None:
    """Open a package, and look at all files that it names."""
    if content.startswith(b"PK"):
        with open_package(content) as package:
            bc.validate(package, check_files=True)


def read_tiff_description(content: bytes) -> None:
    """Open a TIFF with any text as its description."""
    import tifffile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.ome.tif"
        text = content.replace(b"\0", b" ") or b" "
        tifffile.imwrite(path, np.zeros((4, 4), np.uint8), description=text, metadata=None)
        open_image(str(path))


def read_picture(content: bytes) -> None:
    """Open a picture, and decode it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.png"
        path.write_bytes(content)
        image = open_image(str(path))
        image.read((slice(0, 4),) * len(image.shape))


def picture(kind: str) -> bytes:
    """Return a picture."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(file, kind, dpi=(300, 300))
    return file.getvalue()


def read_axes_of_hdf5(content: bytes) -> None:
    """Open an HDF5 file with any text as axes and sizes of its dataset."""
    import h5py

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.h5"
        with h5py.File(path, "w") as file:
            file["raw"] = np.zeros((4, 4), np.uint8)
            for name in ("axistags", "axes", "element_size_um"):
                file["raw"].attrs[name] = np.void(content) if content and name == "axes" else content.replace(b"\0", b" ")
        open_image(str(path))


def read_n5(content: bytes) -> None:
    """Open an N5 folder with any attributes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.n5"
        path.mkdir()
        (path / "attributes.json").write_bytes(content)
        open_image(str(path))


def read_zarr_group(content: bytes) -> None:
    """Open a zarr group with any metadata, which holds an array."""
    import zarr

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.zarr"
        zarr.create_array(str(path / "0"), shape=(4, 4), chunks=(4, 4), dtype="uint8")
        (path / "zarr.json").write_bytes(content)
        open_image(str(path))


def read_czann(content: bytes) -> None:
    """Import a `.czann` file with any ``model.json``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.czann"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("model.json", content)
            file.writestr("x.model", b"")
        bc.import_model(path, Path(folder) / "imported")


def read_czann_archive(content: bytes) -> None:
    """Import any file as a `.czann` file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.czann"
        path.write_bytes(content)
        bc.import_model(path, Path(folder) / "imported", format="czann")


def read_macro(content: bytes) -> None:
    """Parse a macro of ImageJ, and carry it out on an image that only records."""
    from bioimageio_runtime_deepimagej.macro_meaning import understand
    from bioimageio_runtime_deepimagej.macro_values import MacroError

    try:
        understand(content.decode("utf-8", "replace"))
    except MacroError:
        return


def zipped(**members: bytes) -> bytes:
    """Return a zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for name, content in members.items():
            opened.writestr(name.replace("__", "."), content)
    return file.getvalue()


def _targets() -> dict[str, Target]:
    found = {
        "yaml": Target(read=read_yaml, seeds=(YAML, YAML.replace(b"0.5.4", b"0.4.10"))),
        "zip": Target(read=read_zip, seeds=(zipped(bioimageio__yaml=YAML, d__md=b"# d"),)),
        "zarr": Target(read=read_zarr_group, seeds=(ZARR,)),
    }
    if find_spec("tifffile"):
        found["tiff"] = Target(read=read_tiff_description, seeds=(OME_XML, b"ImageJ=1.53\nunit=um\nspacing=0.5\nimages=1\n"))
    if find_spec("PIL"):
        found["picture"] = Target(read=read_picture, seeds=(picture("PNG"), picture("BMP"), picture("GIF"), picture("JPEG")))
    if find_spec("h5py"):
        found["hdf5_axes"] = Target(read=read_axes_of_hdf5, seeds=(AXISTAGS, b"zyx"))
    if find_spec("tensorstore"):
        found["n5"] = Target(read=read_n5, seeds=(N5,))
    if find_spec("bioimageio_runtime_czmodel"):
        found["czann"] = Target(read=read_czann, seeds=(CZANN,))
        found["czann_archive"] = Target(read=read_czann_archive, seeds=(zipped(model__json=CZANN, x__model=b""),))
    if find_spec("bioimageio_runtime_deepimagej"):
        found["macro"] = Target(read=read_macro, seeds=(MACRO,))
    return {name: attrs.evolve(target, read=_only_own_errors(target.read)) for name, target in found.items()}


def _only_own_errors(read: Callable[[bytes], object]) -> Callable[[bytes], None]:
    def reading(content: bytes) -> None:
        try:
            read(content)
        except BioimageioError:
            return

    return reading


TARGETS: Mapping[str, Target] = MappingProxyType(_targets())
