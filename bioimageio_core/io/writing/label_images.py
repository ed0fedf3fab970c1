"""Labels of an OME-Zarr image: images in its group ``labels``, which lists them."""

from __future__ import annotations

import json
import warnings
from typing import Any, Literal

from ...errors import OutputError
from ..locations import file_system, join, local_path, zarr_store
from ..reading.ome_zarr import parse_multiscales
from ..reading.zarr_groups import attributes_of_group, is_zarr_node
from ..reading.zarr_layouts import ome_attributes
from .chunk_store import output_error
from .ome_output import OmeVersion

__all__ = ["add_to_labels", "check_integers", "renew_consolidated_metadata", "version_of_labelled_image"]

LABELS = "labels"


def version_of_labelled_image(location: str) -> OmeVersion | None:
    """Return the version of OME-Zarr in which labels of an image are written, as its own version of zarr requires.

    Args:
        location: Path or URL of an output.

    Returns:
        None where the output does not lie in the group ``labels`` of an OME-Zarr image.

    """
    image, labels, _ = _split(location)
    if labels != LABELS or not parse_multiscales(attributes_of_group(image)):
        return None
    files, path = file_system(image)
    return "0.5" if files.exists(join(path, "zarr.json")) else "0.4"


def add_to_labels(location: str, paths: list[str], version: OmeVersion) -> None:
    """List new labels in the group ``labels``, which is made where there is none.

    Args:
        location: Path or URL of an output in this group.
        paths: Of the labels within the output.
        version: Of the labels.

    Raises:
        OutputError: The group cannot be written.

    """
    import zarr

    image, _, name = _split(location)
    zarr_format: Literal[2, 3] = 2 if version == "0.4" else 3
    try:
        store = zarr_store(join(image, LABELS), read_only=False)
        group = zarr.open_group(store, mode="a", zarr_format=zarr_format, use_consolidated=False)
        ome: dict[str, Any] = {"version": version} if zarr_format == 3 else {}
        ome |= ome_attributes(dict(group.attrs))
        listed = ome.get("labels")
        known = list(listed) if isinstance(listed, list) else []
        new = ["/".join(filter(None, (name, path))) for path in paths]
        ome["labels"] = [*known, *(label for label in new if label not in known)]
        group.update_attributes({"ome": ome} if zarr_format == 3 else ome)
    except (OSError, ValueError, TypeError) as error:
        raise output_error(join(image, LABELS), error) from error


def renew_consolidated_metadata(location: str) -> None:
    """Renew the copies of all metadata that the groups above an output keep, which would hide the output.

    Raises:
        OutputError: They cannot be written.

    """
    import zarr

    files, path = file_system(location)
    place = location.rstrip("/") if local_path(location) is None else path
    while "/" in path.rstrip("/"):
        path = path.rstrip("/").rpartition("/")[0]
        place = place.rpartition("/")[0]
        if not place or not is_zarr_node(files, path):
            return
        zarr_format: Literal[2, 3] = 3 if files.exists(join(path, "zarr.json")) else 2
        if not _is_consolidated(files, path, zarr_format):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # zarr warns that other readers may not know these metadata, which were here before
                zarr.consolidate_metadata(zarr_store(place, read_only=False), zarr_format=zarr_format)
        except (OSError, ValueError, TypeError) as error:
            raise output_error(f"consolidated metadata of {place}", error) from error


def _is_consolidated(files: Any, path: str, zarr_format: Literal[2, 3]) -> bool:
    if zarr_format == 2:
        return bool(files.exists(join(path, ".zmetadata")))
    try:
        return bool(json.loads(files.cat_file(join(path, "zarr.json"))).get("consolidated_metadata"))
    except (OSError, ValueError, AttributeError):
        return False


def _split(location: str) -> tuple[str, str, str]:
    """Return the location of the image, the name of the group and that of the labels."""
    folder, _, name = location.rstrip("/").rpartition("/")
    image, _, group = folder.rpartition("/")
    return image, group, name


def check_integers(what: str, dtype: str) -> None:
    """Refuse labels that are no integers.

    Raises:
        OutputError: The dtype is another one.

    """
    if dtype[0] not in "iu":
        raise OutputError(f"{what} is {dtype}, but labels of an image are integers: give dtype= (--dtype uint16), or write it elsewhere")
