"""The reference implementation as a judge of descriptions: asked what it says, never looked into."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import attrs


@attrs.frozen
class Opinion:
    """What the reference says of a description."""

    is_valid: bool
    errors: tuple[tuple[str, str], ...] = ()
    """Path with dots and message of each."""

    dump: dict[str, Any] = attrs.field(factory=dict, repr=False)
    """The description as it reads it, without what is a default."""


class Judge:
    """`bioimageio.spec`, without looking at files and without a network."""

    def __init__(self) -> None:
        import bioimageio.spec as spec

        self.spec = spec
        self.context = spec.ValidationContext(perform_io_checks=False)

    def opinion(self, tree: Any, *, format_version: str = "discover", dump: bool = False) -> Opinion:
        """Judge a tree in its own format version, or once brought to another (``latest``)."""
        with self.context, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                descr = self.build(copy.deepcopy(tree), format_version)
            except Exception as error:  # it raises where type or format_version are no text, among others
                return Opinion(False, (("", f"raised {type(error).__name__}"),))
            if isinstance(descr, self.spec.InvalidDescr):
                details = [error for detail in descr.validation_summary.details for error in detail.errors]
                return Opinion(False, tuple((".".join(map(str, error.loc)), error.msg) for error in details))
            written = self.spec.dump_description(descr, exclude_unset=False, exclude_defaults=True) if dump else {}
        return Opinion(True, dump=written)

    def build(self, tree: Any, format_version: str = "discover") -> Any:
        """Return what the reference makes of a tree: a description, or one that says why it is none."""
        return self.spec.build_description(tree, format_version=format_version)

    def errors_of_package(self, path: Path) -> tuple[str, ...]:
        """Return what is wrong with a package, its files included."""
        summary = self.spec.load_description_and_validate_format_only(path, perform_io_checks=True)
        return tuple(f"{'.'.join(map(str, error.loc))}: {error.msg}" for detail in summary.details for error in detail.errors)
