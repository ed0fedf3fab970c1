"""Weights of models: converted, described anew, and what has to be installed for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..description_init.draft_model import DraftedModel, draft_model
from ..prediction.options import PredictOptions, Progress, evolve_options
from ..sources import Package, Source
from .loading import default_registry, load_model

if TYPE_CHECKING:
    from ..conversion import ConvertedWeights
    from ..environments.environment import Environment

__all__ = ["convert_weights", "environment_of", "init_description"]


def convert_weights(
    source: Source | Package,
    to_format: str,
    path: str | Path,
    *,
    overwrite: bool = False,
    report: Callable[[str], None] = lambda stage: None,
    **options: Any,
) -> ConvertedWeights:
    """Add weights in another format to a model: convert some that it has, verify them, and write all of it as a package.

    The converted weights have to reproduce the test tensors, take the sizes that are described,
    and give what the weights give that they are made of, on the test inputs and in other sizes; else nothing is written.

    Args:
        source: What `load_description` takes.
        to_format: The weights format to convert to.
        path: The package to write: a zip if it ends in ``.zip``, else a folder.
        overwrite: Replace a package that is there.
        report: Told what is done.
        options: `weights_format` (the weights to convert; by default those for which there is a converter), `device`, `trust`
            of `PredictOptions`.

    Returns:
        The package, and how far the converted weights are from the others.

    Raises:
        InputError: The model has these weights already, or has none to convert from.
        UnknownExtensionError: No plugin knows a way.
        MissingRequirementError: What it needs is not installed.
        ModelRunError: The weights cannot be converted, or the converted ones do not give the same.
        TrustError: Code that comes with the model would have to run.
        OutputError: Something is there already, or cannot be written.

    """
    from ..conversion import convert_weights

    chosen = evolve_options(PredictOptions(), options)
    return convert_weights(load_model(source), to_format, Path(path).expanduser(), chosen, overwrite=overwrite, report=report)


def environment_of(source: Source | Package, weights_format: str | None = None) -> Environment:
    """Return what has to be installed to run a model with one of its weights formats; none of it needs to be.

    Args:
        source: What `load_description` takes.
        weights_format: The weights to run; None: those that would be preferred if all were installed.

    Returns:
        Requirements, with the methods ``conda_file`` and ``pip_file`` that write them.

    Raises:
        InputError: The model has no such weights.
        UnknownExtensionError: No plugin runs them.
        SourceError: The file of its own dependencies is missing, or cannot be read.

    """
    from ..environments.environment import environment_of

    return environment_of(load_model(source), weights_format)


def init_description(
    path: str | Path,
    folder: str | Path,
    *,
    name: str | None = None,
    axes: str | Mapping[str, str] | None = None,
    size: Mapping[str, int] | None = None,
    weights_format: str | None = None,
    trust: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> DraftedModel:
    """Begin a description from the weights of a network, in a folder with test tensors, documentation and a cover.

    What the file says is read, and what it does not say is measured by running the network or, as the axes, guessed.
    What could not be known has a placeholder that says TODO, and is listed.
    A folder that could not be written whole is not there at all.

    Args:
        path: ONNX, TorchScript, an archive of `torch.export` (``.pt2``), ``.keras``, ``.h5``, or a zip with a TensorFlow SavedModel.
        folder: The folder to write.
        name: Of the model; None: that of the folder.
        axes: Axes of the inputs instead of a guess, as in ``"bcyx"``; by id of the input where they differ.
        size: Sizes that the network is known to take, by axis.
        weights_format: Format of the file; None: what its content says.
        trust: Run code that comes with the weights.
        overwrite: Replace a package that is there.
        progress: Called as ``progress(stage, done, total)``.

    Returns:
        The folder, what was measured and guessed, and what is to be filled in.

    Raises:
        SourceError: There is no such file.
        InputError: It is of no format that can be begun from, or the network takes nothing of what was tried.
        MissingRequirementError: What runs the format is not installed.
        OutputError: Something is there already, or cannot be written.

    """
    return draft_model(
        Path(path).expanduser(),
        Path(folder).expanduser(),
        default_registry(),
        name=name,
        axes={"": axes} if isinstance(axes, str) else axes,
        sizes=size,
        weights_format=weights_format,
        trust=trust,
        overwrite=overwrite,
        report=progress or (lambda stage, done, total: None),
    )
