"""Every exception that the library raises on purpose.

The tree::

    BioimageioError
    ├── DescriptionError (ValueError)          a description or package is not what it claims to be
    │   ├── YamlError                          the text is not YAML 1.2, or is hostile
    │   ├── InvalidDescriptionError            a description breaks its format; carries the report
    │   └── HashMismatchError                  a file is not the file that the description names
    ├── SourceError (OSError)                  a source cannot be found, opened or read
    ├── OutputError (OSError)                  an output exists already or cannot be written
    ├── PluginError (ImportError)              a plugin is broken, or one is missing
    │   ├── UnknownExtensionError              a description names ops, weights or run modes that nobody brings
    │   └── MissingRequirementError            the plugin is here, its framework is not
    ├── InputError (ValueError)                the user's image or options do not fit the model
    │   ├── AxesError                          axes are unknown, ambiguous or of the wrong number
    │   ├── ChannelError                       channels do not fit, and which there are
    │   └── BlockError                         no valid grid of blocks exists for these sizes
    ├── ModelRunError (RuntimeError)           the network itself failed, or returned what was not described
    │   └── DeviceMemoryError                  the memory of a device does not suffice for a block
    └── TrustError (PermissionError)           code that comes with a model would have to run

Each says what, where, expected, found and what to do, in one sentence or two.
A plugin that fails costs the others nothing: it is told of by a `PluginWarning`.
All of them survive pickling, since workers raise them: the arguments of ``__init__`` are ``Exception.args``.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "AxesError",
    "BioimageioError",
    "BlockError",
    "ChannelError",
    "DescriptionError",
    "DeviceMemoryError",
    "HashMismatchError",
    "InputError",
    "InvalidDescriptionError",
    "MissingRequirementError",
    "ModelRunError",
    "OutputError",
    "PluginError",
    "PluginWarning",
    "SourceError",
    "TrustError",
    "UnknownExtensionError",
    "YamlError",
]


class BioimageioError(Exception):
    """Base of all errors raised on purpose; ``str(error)`` is fit to be shown to a user."""

    exit_status = 2
    """Exit status of ``bmz`` when this error ends a command: 1 the thing is not good, 2 wrong usage or no access."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class DescriptionError(BioimageioError, ValueError):
    """A description, or the package around it, is not what it claims to be."""

    exit_status = 1


class YamlError(DescriptionError):
    """The text is not YAML 1.2, repeats a key, or expands without bound.

    Args:
        message: One sentence.
        line: Where, counted from 1; None where no line is to blame.
        column: Where in the line, in characters counted from 1.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message, line, column)

    @property
    def line(self) -> int | None:
        """The line, counted from 1; None where no line is to blame."""
        line: int | None = self.args[1]
        return line

    @property
    def column(self) -> int | None:
        """The column, counted from 1; None where no line is to blame."""
        column: int | None = self.args[2]
        return column


class InvalidDescriptionError(DescriptionError):
    """A description breaks the rules of its format.

    Args:
        message: One sentence that names the source and the first problem.
        report: The `bioimageio_core.spec.validation.ValidationReport` with every problem, or None.
    """

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message, report)

    @property
    def report(self) -> Any:
        """The report with every problem, or None."""
        return self.args[1]


class HashMismatchError(DescriptionError):
    """The SHA-256 of a file differs from the one written in the description."""


class SourceError(BioimageioError, OSError):
    """A source cannot be found, opened or read."""


class OutputError(BioimageioError, OSError):
    """An output exists already, or cannot be written (no space, no permission)."""


class PluginError(BioimageioError, ImportError):
    """A plugin could not be imported or broke the contract of a hook."""


class PluginWarning(UserWarning):
    """A plugin failed to register, or parts of it did; the others are not affected."""


class UnknownExtensionError(PluginError):
    """A description names ops, weights formats or run modes for which no plugin is installed."""


class MissingRequirementError(PluginError):
    """A plugin is registered but something that it requires is not installed."""


class InputError(BioimageioError, ValueError):
    """An image, an option or a combination of both does not fit the model."""


class AxesError(InputError):
    """Axes are unknown, ambiguous, or of the wrong number."""


class ChannelError(InputError):
    """The channels of an image do not fit those that the model expects."""


class BlockError(InputError):
    """No valid grid of blocks exists for the sizes at hand."""


class ModelRunError(BioimageioError, RuntimeError):
    """The network failed, or returned tensors that differ from their description."""

    exit_status = 1


class DeviceMemoryError(ModelRunError):
    """The memory of a device does not suffice for a call of the network; smaller blocks may fit."""


class TrustError(BioimageioError, PermissionError):
    """Code that comes with a model would have to run, and nobody has allowed it."""
