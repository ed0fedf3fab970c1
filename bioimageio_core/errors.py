"""All exceptions that the library raises on purpose.

The tree::

    BioimageioError
    ├── DescriptionError (ValueError)          a description or package is not what it claims to be
    │   ├── YamlError                          the text is not YAML 1.2, or is hostile
    │   ├── InvalidDescriptionError            a description breaks its format; carries the report
    │   └── HashMismatchError                  a file is not the file that the description names
    ├── SourceError (OSError)                  a source cannot be found, opened or read
    ├── OutputError (OSError)                  an output exists already or cannot be written
    ├── PluginError (ImportError)              a plugin is broken, or one is missing
    │   ├── UnknownExtensionError              no plugin provides an op, weights format or run mode
    │   └── MissingRequirementError            a plugin is installed, but its framework is not
    ├── InputError (ValueError)                an image or an option does not fit the model
    │   ├── AxesError                          axes are unknown, ambiguous or of the wrong number
    │   ├── ChannelError                       channels of the image do not match the model
    │   └── BlockError                         no valid grid of blocks exists for these sizes
    ├── ModelRunError (RuntimeError)           the network failed, or its outputs contradict the description
    │   └── DeviceMemoryError                  a block does not fit into device memory
    └── TrustError (PermissionError)           the model comes with code that is not trusted

Each message says what is wrong and where, what was expected and found, and what to do, in one or two sentences.
The failure of one plugin does not affect the other plugins: it is reported by a `PluginWarning`.
A prediction that may not be what is intended is reported by a `PredictionWarning`.
All of them survive pickling, since workers raise them: the arguments of ``__init__`` are ``Exception.args``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .option_spelling import spelt
from .text import without_secrets

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
    "PredictionWarning",
    "SourceError",
    "TrustError",
    "UnknownExtensionError",
    "YamlError",
]


class BioimageioError(Exception):
    """Base of all errors raised on purpose; ``str(error)`` is a message for users, without passwords and tokens of URLs."""

    exit_status = 2
    """Exit status of ``bmz`` if this error ends a command: 1 for a negative result, 2 for wrong usage or no access."""

    def __str__(self) -> str:
        return without_secrets(spelt(str(self.args[0]))) if self.args else ""


class DescriptionError(BioimageioError, ValueError):
    """A description, or the package around it, is not what it claims to be."""

    exit_status = 1


class YamlError(DescriptionError):
    """The text is not YAML 1.2, repeats a key, or expands without bound.

    Args:
        message: One sentence.
        line: Line number, counted from 1; None if unknown.
        column: Position in the line, in characters counted from 1; None if unknown.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message, line, column)

    @property
    def line(self) -> int | None:
        """Line number, counted from 1; None if unknown."""
        line: int | None = self.args[1]
        return line

    @property
    def column(self) -> int | None:
        """Position in the line, in characters counted from 1; None if unknown."""
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
    """A plugin could not be imported, or broke the contract of a hook."""


class _SpeltWarning(UserWarning):
    """A warning that names options as the reader writes them."""

    def __str__(self) -> str:
        return spelt(super().__str__())


class PluginWarning(_SpeltWarning):
    """A plugin, or a part of it, failed to register; other plugins are not affected."""


class PredictionWarning(_SpeltWarning):
    """A prediction may not be what is intended: what is known of an image is a guess, or contradicts what is given or what the model was
    trained with; or there may be seams between blocks.
    """


class UnknownExtensionError(PluginError):
    """A description names ops, weights formats or run modes for which no plugin is installed."""


class MissingRequirementError(PluginError):
    """A plugin is registered, but a package that it requires is not installed."""


class InputError(BioimageioError, ValueError):
    """An image, an option, or a combination of both does not fit the model."""


class AxesError(InputError):
    """Axes are unknown, ambiguous, or of the wrong number."""


class ChannelError(InputError):
    """The channels of an image do not match those of the model."""


class BlockError(InputError):
    """No valid grid of blocks exists for the given sizes."""


class ModelRunError(BioimageioError, RuntimeError):
    """The network failed, or its outputs contradict the description."""

    exit_status = 1


class DeviceMemoryError(ModelRunError):
    """A call of the network does not fit into device memory; smaller blocks may fit."""


class TrustError(BioimageioError, PermissionError):
    """Code that comes with a model would have to run, but is not trusted."""

    remedy: ClassVar[str] = (
        "allow it for once with trust=True (--trust), or from now on with trust_model() (bmz trust), if you know the author of the model"
    )
    """For the end of messages."""
