"""What the tests that ask the reference implementation share."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import attrs
import pytest


@attrs.frozen
class Opinion:
    """What the reference says of a description."""

    is_valid: bool
    errors: tuple[tuple[str, str], ...] = ()
    """Path with dots and message of each."""


class Judge:
    """`bioimageio.spec`, without looking at files and without a network."""

    def __init__(self, spec: Any) -> None:
        self.spec = spec
        self.context = spec.ValidationContext(perform_io_checks=False)

    def opinion(self, tree: Any, *, format_version: str = "discover") -> Opinion:
        """Judge a tree in its own format version, or once brought to another (``latest``)."""
        with self.context, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                descr = self.spec.build_description(copy.deepcopy(tree), format_version=format_version)
            except Exception as error:  # it raises where type or format_version are no text, among others
                return Opinion(False, (("", f"raised {type(error).__name__}"),))
        if isinstance(descr, self.spec.InvalidDescr):
            details = [error for detail in descr.validation_summary.details for error in detail.errors]
            return Opinion(False, tuple((".".join(map(str, error.loc)), error.msg) for error in details))
        return Opinion(True)


@pytest.fixture(scope="session")
def judge() -> Judge:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec = pytest.importorskip("bioimageio.spec", reason="the reference implementation is asked where it is installed")
    return Judge(spec)
