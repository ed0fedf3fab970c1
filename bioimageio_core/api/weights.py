"""Converts weights, begins descriptions from weights, and lists their requirements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from ..description_init.draft_model import DraftedModel, draft_model
from ..places import local_target
from ..prediction.option_values import module_names
from ..prediction.options import PredictOptions, evolve_options
from ..prediction.predict_kwargs import WeightsKwargs, shows_options
from ..progress import ProgressChoice, no_progress, shown_progress
from ..sources import Package, Source
from .loading import default_registry, load_with_consent

if TYPE_CHECKING:
    from ..conversion import ConvertedWeights
    from ..environments.environment import Environment

__all__ = ["convert_weights", "environment_of", "init_description"]


@shows_options(WeightsKwargs)
def convert_weights(
    source: Source | Package,
    to_format: str,
    path: str | Path,
    *,
    overwrite: bool = False,
    include_outside: bool = False,
    report: Callable[[str], None] = lambda stage: None,
    **options: Unpack[WeightsKwargs],
) -> ConvertedWeights:
    """Convert weights of a model to a further format, verify them, and write the model with both as a package.

    The converted weights must reproduce the test tensors, take all described sizes, and equal the original weights
    on the test inputs and in further sizes; else nothing is written.

    Args:
        source: Any source of `load_description`.
        to_format: The target weights format.
        path: The package to write: a zip if it ends in ``.zip``, else a folder.
        overwrite: Whether to replace an existing package.
        include_outside: Whether to copy files of this machine from outside of the model's folder, too.
        report: Called with the name of each stage.
        options: `weights_format` (the weights to convert; by default any with a converter), `device`, `imports` and `trust` of
            `PredictOptions`.

    Returns:
        The package, and how much outputs of the converted weights deviate.

    Raises:
        InputError: The model already has weights of this format, lacks the weights to convert, or names files outside of its folder.
        UnknownExtensionError: No installed plugin converts to this format.
        MissingRequirementError: A package that the converter requires is not installed.
        ModelRunError: The weights cannot be converted, or outputs of the converted weights deviate too much.
        TrustError: The model comes with code that has to run, and is not trusted.
        OutputError: The package exists, or cannot be written.

    """
    from ..conversion import convert_weights

    model, chosen = load_with_consent(source, evolve_options(PredictOptions(), options), tested=True)
    target = local_target(path)
    return convert_weights(model, to_format, target, chosen, overwrite=overwrite, include_outside=include_outside, report=report)


def environment_of(source: Source | Package, weights_format: str | None = None, *, trust: bool = False) -> Environment:
    """Return the requirements of a model with one of its weights formats; none of them has to be installed.

    Args:
        source: Any source of `load_description`.
        weights_format: The weights to run; None: those with the highest preference if all requirements were installed.
        trust: Whether packages and channels that the model itself names are part of it; options of pip and URLs never are.

    Returns:
        The requirements, with methods ``conda_file`` and ``pip_file`` that return files for conda and pip.

    Raises:
        InputError: The model lacks the weights format.
        UnknownExtensionError: No installed plugin runs the weights.
        SourceError: The dependency file of the model is missing or unreadable.

    """
    from ..environments.environment import environment_of

    model, options = load_with_consent(source, PredictOptions(trust=trust))
    return environment_of(model, weights_format, trust=options.trust)


def init_description(
    path: str | Path,
    folder: str | Path,
    *,
    name: str | None = None,
    axes: str | Mapping[str, str] | None = None,
    size: Mapping[str, int] | None = None,
    weights_format: str | None = None,
    imports: str | Sequence[str] = (),
    trust: bool = False,
    overwrite: bool = False,
    progress: ProgressChoice = None,
) -> DraftedModel:
    """Begin a description from the weights of a network, in a folder with test tensors, documentation and a cover.

    Properties that the file lacks are measured by running the network or, like the axes, guessed.
    Unknown fields get a placeholder with TODO, and are listed.
    The folder is written completely or not at all.

    Args:
        path: ONNX, TorchScript, an archive of `torch.export` (``.pt2``), ``.keras``, ``.h5``, or a zip with a TensorFlow SavedModel.
        folder: The folder to write.
        name: Name of the model; None: name of the folder.
        axes: Axes of the inputs instead of a guess, as in ``"bcyx"``; a mapping by input id if they differ.
        size: Valid sizes of the network, if known, by axis.
        weights_format: Format of the file; None: by its content.
        imports: Names of libraries to import before the weights are loaded, because these use their ops; to name one is to trust it.
        trust: Whether code that comes with the weights may run.
        overwrite: Whether to replace an existing package.
        progress: Bars (True), none (False), or a function that is called as ``progress(stage, done, total)``.
            None: bars in notebooks, of what takes more than two seconds.

    Returns:
        The folder, measured and guessed properties, and fields to fill in.

    Raises:
        SourceError: The file cannot be found or read.
        InputError: The format of the file is not supported, or the network fails on all inputs that were tried.
        MissingRequirementError: A package that runs the format is not installed.
        OutputError: The folder exists, or cannot be written.

    """
    with shown_progress(progress) as shown:
        return draft_model(
            Path(path).expanduser(),
            local_target(folder),
            default_registry(),
            name=name,
            axes={"": axes} if isinstance(axes, str) else axes,
            sizes=size,
            weights_format=weights_format,
            imports=module_names("imports", imports),
            trust=trust,
            overwrite=overwrite,
            report=shown or no_progress,
        )
