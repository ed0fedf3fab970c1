"""The files of an output: where they go, and where a run keeps its results until they are complete."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ...atomic_files import atomic_file
from ...errors import OutputError
from ...io.writing.chosen_writer import EACH
from ...places import absolute_path, local_path
from ...typing import FrozenMapping

__all__ = ["FileSet", "file_set", "is_written_by_run", "run_place", "run_record"]


@attrs.frozen(kw_only=True)
class FileSet:
    """A file for each output of a model."""

    location: str
    """As users write it; with several outputs it contains `EACH`."""

    paths: FrozenMapping[str, Path]
    """The file of each output, by id."""

    @property
    def run_place(self) -> str:
        """The zarr folder beside the files that holds the results until the files are complete."""
        return run_place(self.location)

    @property
    def existing(self) -> tuple[Path, ...]:
        """The files that exist."""
        return tuple(path for path in self.paths.values() if path.exists())

    def record(self) -> Mapping[str, Any] | None:
        """Return the record of the run that wrote the files; None if one of them is missing, or is not as that run left it."""
        found: Mapping[str, Any] | None = None
        for path in self.paths.values():
            found = run_record(path)
            if found is None:
                return None
        return found

    def write_records(self, written: Mapping[str, Path], run: Mapping[str, Any]) -> None:
        """Record which run wrote each file, before it takes its place.

        Args:
            written: Each file, by id of the output, at the temporary place where it is complete.
            run: The record of the run, as JSON values.

        """
        for name, path in self.paths.items():
            content = {"run": dict(run), "file": _state(written[name])}
            with atomic_file(_record_path(path)) as file:
                file.write(json.dumps(content, default=str).encode())


def file_set(location: str, outputs: Sequence[str]) -> FileSet:
    """Return the files of an output.

    Args:
        location: Local path, with `EACH` for the id of the output.
        outputs: Ids of the outputs of the model.

    Raises:
        OutputError: There are several outputs, and the name does not tell them apart.

    """
    if len(outputs) > 1 and EACH not in location:
        raise OutputError(
            f"output {location} is one file, and the model has {len(outputs)} outputs ({', '.join(outputs)}): "
            f"expected {EACH} in the name, which stands for each of them, or a zarr folder, which holds all"
        )
    local = local_path(location)
    assert local is not None, "files are local"
    return FileSet(location=location, paths=FrozenMapping({name: Path(_place(local.replace(EACH, name))) for name in outputs}))


def _place(path: str) -> str:
    """Return the absolute path of a file; of a link, that of the file that it leads to, so that the link stays."""
    return os.path.realpath(path) if Path(path).is_symlink() and Path(path).exists() else absolute_path(path)


def run_place(location: str) -> str:
    """Return the hidden zarr folder beside a file in which a run keeps its results until the file is complete."""
    local = local_path(location)
    assert local is not None, "files are local"
    folder, name = os.path.split(_place(local.replace(EACH, "output")))
    return os.path.join(folder, f".{name}.bmz-run.zarr")  # noqa: PTH118


def is_written_by_run(location: str) -> bool:
    """Return whether a path or URL is that of a file that is as a run left it."""
    local = local_path(location)
    return local is not None and run_record(Path(_place(local))) is not None


def _record_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.bmz-run.json")


def run_record(path: Path) -> Mapping[str, Any] | None:
    """Return the record of the run that wrote a file; None if there is none, or the file is not as that run left it."""
    try:
        content = json.loads(_record_path(path).read_bytes())
        run, state = content["run"], content["file"]
        return run if isinstance(run, dict) and state == _state(path) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _state(path: Path) -> dict[str, Any]:
    """Return what tells a file from another one: its size, and a hash of its beginning and end."""
    size = path.stat().st_size
    with path.open("rb") as file:
        digest = hashlib.sha256(file.read(2**16))
        file.seek(max(0, size - 2**16))
        digest.update(file.read(2**16))
    return {"size": size, "ends": digest.hexdigest()}
