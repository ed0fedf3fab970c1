"""Statistics of datasets and images, saved in a file for later predictions."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..atomic_files import write_text
from ..errors import InputError
from ..io import Image
from ..io.reading.fingerprints import fingerprint
from ..shown import Shown
from ..typing import AxisId, FrozenMapping
from .option_values import option_error

__all__ = ["Statistics", "as_statistics", "image_key"]

FORMAT = 1


@attrs.frozen(kw_only=True, repr=False)
class Statistics(Shown):
    """Measured statistics by name, of all images together and of each image."""

    dataset: FrozenMapping[str, Any] = FrozenMapping()
    """Statistics of all images together, by name: numbers, or nested lists of size 1 along reduced axes. Names are those of
    `Prediction.statistics` if measured for a model."""

    images: FrozenMapping[str, FrozenMapping[str, Any]] = FrozenMapping()
    """Statistics of each image, by its `image_key`; they apply to this image only."""

    nan_counts: FrozenMapping[str, int] = FrozenMapping()
    """Number of NaN by tensor; tensors without NaN are left out."""

    path: str | None = attrs.field(default=None, eq=False)
    """The file that they were read from; None where they were measured."""

    def __repr__(self) -> str:
        names = dict.fromkeys([*self.dataset, *(name for values in self.images.values() for name in values)])
        measures = ", ".join(dict.fromkeys(name.rpartition("/")[2] for name in names))
        of = f" of {len(self.images)} image{'s' * (len(self.images) != 1)}" if self.images else ""
        return f"<Statistics{of}: {measures[:200] or 'none'}>"

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write a JSON file, completely or not at all.

        Raises:
            OutputError: The file exists, holds something else than statistics, or cannot be written.

        """
        data = {"statistics_format": FORMAT, "dataset": dict(self.dataset), "images": {k: dict(v) for k, v in self.images.items()}}
        text = json.dumps({**data, "nan_counts": dict(self.nan_counts)}, indent=1)
        write_text(path, text, overwrite=overwrite, replaces=("file of statistics", lambda found: "statistics_format" in json.loads(found)))

    @classmethod
    def load(cls, path: str | Path) -> Statistics:
        """Read a file that `save` wrote.

        Raises:
            InputError: The file is missing, or is no such file.

        """
        try:
            data = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
            if data["statistics_format"] != FORMAT:
                raise InputError(
                    f"{path} holds statistics of format {data['statistics_format']}: expected format {FORMAT}; measure again (bmz stats)"
                )
            return cls(
                dataset=FrozenMapping(data["dataset"]),
                images=FrozenMapping({k: FrozenMapping(v) for k, v in data["images"].items()}),
                nan_counts=FrozenMapping(data["nan_counts"]),
                path=str(path),
            )
        except FileNotFoundError:
            raise InputError(f"statistics file {path} does not exist: expected a file that 'bmz stats' wrote") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path} holds no statistics: expected a file that 'bmz stats' wrote") from None


def image_key(image: Image, axes: Sequence[AxisId]) -> str:
    """Return a key that identifies an image and its content along the given axes."""
    key = json.dumps([fingerprint(image), list(image.shape), str(image.dtype), list(axes)], default=str)
    return hashlib.sha256(key.encode()).hexdigest()


def as_statistics(given: Mapping[str, Any] | Statistics | str | os.PathLike[str] | None) -> Statistics:
    """Return statistics from an instance, a file, or values by name.

    Raises:
        InputError: The file holds no statistics, or the value is of another type.

    """
    if isinstance(given, Statistics):
        return given
    if isinstance(given, str | os.PathLike):
        return Statistics.load(os.fsdecode(given))
    if given is not None and not (isinstance(given, Mapping) and all(isinstance(name, str) for name in given)):
        raise option_error("statistics", given, "statistics by name, the result of compute_statistics, or the file that 'bmz stats' wrote")
    return Statistics(dataset=FrozenMapping(given or {}))
