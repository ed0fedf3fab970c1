"""Statistics that were measured before predictions, kept in a file, and used again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..atomic_files import write_text
from ..errors import InputError
from ..io import Image
from ..io.reading.fingerprints import fingerprint
from ..typing import AxisId, FrozenMapping

__all__ = ["Statistics", "as_statistics", "image_key"]

FORMAT = 1


@attrs.frozen(kw_only=True)
class Statistics:
    """What was measured: values by name, of all images together and of each of them."""

    dataset: FrozenMapping[str, Any] = FrozenMapping()
    """Numbers or nested lists of them, of size 1 along the axes reduced over, by name; for a model those of `Prediction.statistics`."""

    images: FrozenMapping[str, FrozenMapping[str, Any]] = FrozenMapping()
    """Of each image, by its `image_key`; used for that image and no other."""

    nan_counts: FrozenMapping[str, int] = FrozenMapping()

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write a JSON file, whole or not at all.

        Raises:
            OutputError: It exists, or cannot be written.

        """
        data = {"statistics_format": FORMAT, "dataset": dict(self.dataset), "images": {k: dict(v) for k, v in self.images.items()}}
        write_text(path, json.dumps({**data, "nan_counts": dict(self.nan_counts)}, indent=1), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path) -> Statistics:
        """Read what `save` wrote.

        Raises:
            InputError: It is something else.

        """
        try:
            data = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
            if data["statistics_format"] != FORMAT:
                raise InputError(
                    f"{path} holds statistics of format {data['statistics_format']}: expected {FORMAT}; measure anew (bmz stats)"
                )
            return cls(
                dataset=FrozenMapping(data["dataset"]),
                images=FrozenMapping({k: FrozenMapping(v) for k, v in data["images"].items()}),
                nan_counts=FrozenMapping(data["nan_counts"]),
            )
        except FileNotFoundError:
            raise InputError(f"there is no {path}: expected statistics that 'bmz stats' wrote") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path} holds no statistics: expected what 'bmz stats' writes") from None


def image_key(image: Image, axes: Sequence[AxisId]) -> str:
    """Return what tells an image, seen along some axes, from others and from itself after a change."""
    said = json.dumps([fingerprint(image), list(image.shape), str(image.dtype), list(axes)], default=str)
    return hashlib.sha256(said.encode()).hexdigest()


def as_statistics(given: Mapping[str, Any] | Statistics | str | Path | None) -> Statistics:
    """Return statistics given as such, as a file, or as values by name.

    Raises:
        InputError: The file holds none.

    """
    if isinstance(given, Statistics):
        return given
    if isinstance(given, str | Path):
        return Statistics.load(given)
    return Statistics(dataset=FrozenMapping(given or {}))
