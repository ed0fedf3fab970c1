"""A model that predictions can be planned with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import attrs

from ...packaging.argument_files import ArgumentFiles
from ...packaging.package_places import package_places
from ...places import Place
from ...registry import Registry
from ...sources import Package
from .from_v0_4 import model_io_v0_4
from .from_v0_5 import model_io_v0_5
from .missing_plugins import check_runnable
from .tensor_spec import ModelIO, OpCall

__all__ = ["LoadedModel"]


@attrs.frozen(kw_only=True, eq=False)
class LoadedModel:
    """A valid description, its normalised inputs and outputs, its package of files, and the plugins that run it."""

    descr: Any
    io: ModelIO
    package: Package
    registry: Registry

    @classmethod
    def of(cls, descr: Any, package: Package, registry: Registry) -> LoadedModel:
        """Normalise a description.

        Raises:
            UnknownExtensionError: No installed plugin provides an op or the run mode that the description names.
            DescriptionError: A plugin refuses the arguments of its op or run mode.

        """
        build = model_io_v0_4 if descr.format_version.startswith("0.4") else model_io_v0_5
        io = build(descr)
        check_runnable(descr, io, registry)
        return cls(descr=descr, io=io, package=package, registry=registry)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The places that the description and its files are read from, which no output may overwrite."""
        return package_places(self.descr, self.package)

    def sha256_of_weights(self, weights_format: str) -> str:
        """Return the described SHA-256 of weights, else the SHA-256 of the file.

        Raises:
            SourceError: The file is missing.

        """
        entry = self.weights[weights_format]
        return str(entry.sha256 or self.package.sha256_of(str(entry.source)))

    def sha256_of_code(self) -> tuple[str, ...]:
        """Return the SHA-256 of the files of ops that are code of the model, in the order of the ops.

        Raises:
            SourceError: A file is missing.

        """
        steps = [op.step for tensor in (*self.io.inputs, *self.io.outputs) for op in tensor.ops if self._is_code(op)]
        return tuple(step.sha256 or self.package.sha256_of(str(step.source)) for step in steps)

    def _is_code(self, op: OpCall) -> bool:
        return op.name in self.registry.processing_ops and self.registry.processing_ops[op.name].runs_model_code

    def sha256_of_op_files(self) -> dict[str, str]:
        """Return the SHA-256 of each file that arguments of ops name, by tensor, position of the op and path in its arguments.

        Raises:
            SourceError: A file is missing.
            HashMismatchError: The SHA-256 of a file is not the described one.

        """
        tensors = (*self.io.inputs, *self.io.outputs)
        named = [(f"{t.id}.{n}", ArgumentFiles.of(op.kwargs, self.package)) for t in tensors for n, op in enumerate(t.ops)]
        return {f"{place}.{name}": sha256 for place, files in named if files for name, sha256 in files.hashes().items()}

    @property
    def weights(self) -> Mapping[str, Any]:
        """Entries of the description by weights format."""
        weights: Mapping[str, Any] = self.descr.weights
        return weights
