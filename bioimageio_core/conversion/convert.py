"""Converts weights to another format, and verifies them before anything is written."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
from numpy.typing import NDArray

from ..errors import MissingRequirementError, ModelRunError, PluginError, UnknownExtensionError
from ..libraries import import_libraries
from ..model_tests.test_report import WeightsTest
from ..model_tests.weights_tests import test_weights
from ..packaging import write_package
from ..packaging.package_places import package_places
from ..packaging.package_targets import check_target
from ..places import check_apart
from ..prediction.model.loaded_model import LoadedModel
from ..prediction.model.network import adapter_context
from ..prediction.model.test_tensors import load_test_inputs
from ..prediction.options import PredictOptions
from ..prediction.whole_tensor import WholeTensorCall
from ..registry import ConverterContext, WeightsConverterEntry, blamed
from ..resources import allotted_cores
from ..shown import Shown
from ..sources import open_package
from ..sources.hashes import sha256_of
from ..spec.converters import unstructured
from ..spec.updating import package_tree
from ..spec.validation import read_tree
from ..text import in_brief
from ..typing import FrozenMapping
from .altered_inputs import altered_examples
from .choose_converter import choose_converter
from .compare_networks import compare_networks
from .example_inputs import other_examples, variable_axes
from .quiet_streams import quiet_streams

__all__ = ["ConvertedWeights", "convert_weights"]

OF_DEVELOPERS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ImportWarning, ResourceWarning)
"""Warnings of converters that are for their developers."""


@attrs.frozen(kw_only=True, repr=False)
class ConvertedWeights(Shown):
    """Converted weights, and the difference of their outputs from those of the original weights."""

    path: Path
    """The package that was written."""

    from_format: str
    to_format: str
    converter: str
    deviations: FrozenMapping[str, float]
    """Greatest absolute difference from the outputs of the original weights, by output, over the test inputs and further sizes.

    Empty if the original weights cannot run here."""

    sizes: int
    """Number of sizes and batches in which both were run."""

    contents: int
    """Number of contents in which both were run: the test inputs, and altered ones (dark, bright, inverted, shuffled)."""

    warnings: tuple[str, ...]
    """What the converter warned of, a line each."""

    test: WeightsTest
    """The test of the converted weights on the test tensors."""

    def __repr__(self) -> str:
        return f"<ConvertedWeights {self.path}: {self.to_format} from {self.from_format}, {self.test.status}>"


def convert_weights(
    model: LoadedModel,
    to_format: str,
    path: Path,
    options: PredictOptions,
    *,
    overwrite: bool = False,
    include_outside: bool = False,
    report: Callable[[str], None] = lambda stage: None,
) -> ConvertedWeights:
    """Convert weights of a model, verify them, and write the model with all its files and the new weights.

    Args:
        model: The model, with test tensors.
        to_format: Weights format to convert to.
        path: A zip if it ends in ``.zip``, else a folder.
        options: `weights_format` names the weights to convert; `device`, `imports` and `trust` are used.
        overwrite: Replace an existing package.
        include_outside: Copy files of this machine from outside of the folder of the description, too.
        report: Called with the name of each stage.

    Raises:
        InputError: The model has these weights already, has none to convert from, or names files outside of its folder.
        UnknownExtensionError: No plugin converts to the format.
        MissingRequirementError: The packages that the converter needs are not installed.
        ModelRunError: The weights cannot be converted, or give other outputs after conversion; nothing is written.
        OutputError: The target exists, or cannot be written.

    """
    check_target(path, overwrite=overwrite)
    check_apart(path, [("its source", place) for place in package_places(model.descr, model.package)])
    converter = choose_converter(model, to_format, options.weights_format)
    given = load_test_inputs(model)
    call = WholeTensorCall(model, given, trust=options.trust)
    altered = dict(altered_examples(model, given, trust=options.trust))
    others = list(other_examples(model, given, trust=options.trust))
    with tempfile.TemporaryDirectory(prefix="bmz-convert-") as scratch:
        report(f"{converter.from_format} to {to_format}")
        with _warnings_in_lines() as warned:
            entry, file = _convert(converter, model, options, call.network_inputs, [*altered.values(), *others], Path(scratch))
        tree = unstructured(model.descr, model.registry)
        tree["weights"] = {**tree["weights"], to_format: entry}
        descr, _ = read_tree(tree, model.registry, model.package.name)
        added = {file.name: file}
        write_package(descr, model.package, model.registry, Path(scratch) / "package", added=added, include_outside=include_outside)
        with open_package(str(Path(scratch) / "package")) as package:
            written, _ = read_tree(package_tree(package), model.registry, package.name)
            converted = LoadedModel.of(written, package, model.registry)
            report(f"test {to_format}")
            test = _tested(converted, attrs.evolve(options, weights_format=to_format))
            compared = compare_networks(model, converted, converter, options, [call.network_inputs, *others], altered)
            write_package(written, package, model.registry, path, overwrite=overwrite)
    return ConvertedWeights(
        path=path,
        from_format=converter.from_format,
        to_format=to_format,
        converter=converter.name,
        deviations=compared.deviations,
        sizes=1 + len(others) if compared.deviations else 0,
        contents=compared.contents,
        warnings=tuple(warned),
        test=test,
    )


def _convert(
    converter: WeightsConverterEntry,
    model: LoadedModel,
    options: PredictOptions,
    inputs: Mapping[str, NDArray[Any]],
    others: list[dict[str, NDArray[Any]]],
    folder: Path,
) -> tuple[dict[str, Any], Path]:
    """Return the entry and the file of the converted weights."""
    import_libraries(options.imports)
    described = [t for t in model.io.inputs if t.id in inputs]
    source = attrs.evolve(
        adapter_context(model, converter.from_format, device=options.devices[0], threads=allotted_cores(), trust=options.trust),
        imports=options.imports,
    )
    target = folder / f"{_free_stem(model, converter.to_format)}{model.registry.weights_formats[converter.to_format].suffix}"
    context = ConverterContext(
        source=source,
        inputs=[inputs[t.id] for t in described],
        target=target,
        input_axes=tuple(t.axis_ids for t in described),
        output_axes=tuple(t.axis_ids for t in model.io.outputs),
        variable_axes=tuple(variable_axes(t, model.io) for t in (*described, *model.io.outputs)),
        other_inputs=[[other[t.id] for t in described] for other in others],
    )
    what = model.registry.words_for("weights_converters", converter.name)
    with blamed(what), quiet_streams():
        fields: object = converter.load()(context)
    if not isinstance(fields, Mapping):
        raise PluginError(f"{what} breaks its contract: expected a mapping of fields, found {type(fields).__name__}")
    if not target.is_file():
        raise PluginError(f"{what} breaks its contract: expected the file {target.name}, which it did not write")
    return {"source": target.name, "sha256": sha256_of(target), "parent": converter.from_format, **fields}, target


def _free_stem(model: LoadedModel, to_format: str) -> str:
    """Return a file name, without suffix, that no weights of the model have."""
    taken = {Path(str(w.source)).stem for w in model.weights.values() if hasattr(w, "source")}
    return f"weights_{to_format}" if "weights" in taken else "weights"


def _tested(converted: LoadedModel, options: PredictOptions) -> WeightsTest:
    """Return the test of converted weights.

    Raises:
        MissingRequirementError: No installed adapter runs them.
        ModelRunError: They do not reproduce the test tensors, or do not accept the described sizes.

    """
    try:
        (test,) = test_weights(converted, options, blocks=False, input_sizes=False).tests
    except (MissingRequirementError, UnknownExtensionError) as error:
        raise MissingRequirementError(f"the converted weights cannot be verified here, so nothing is written: {error}") from None
    noted = [t for t in test.sizes if t.status == "noted"]
    if test.status != "passed" or noted:
        why = test.message or noted[0].message
        raise ModelRunError(f"the converted {test.weights_format} weights do not match the description, so nothing is written: {why}")
    return test


@contextmanager
def _warnings_in_lines() -> Iterator[list[str]]:
    """Yield a list that gets, at the end of the ``with`` block, a line for each warning, except of deprecations and the like."""
    lines: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield lines
    lines += dict.fromkeys(in_brief(str(w.message)) for w in caught if not issubclass(w.category, OF_DEVELOPERS))
