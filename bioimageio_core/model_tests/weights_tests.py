"""Tests each weights format of a model on its test tensors, in other sizes and in blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import combinations
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..errors import BioimageioError
from ..prediction.model.loaded_model import LoadedModel
from ..prediction.model.processing_steps import plan_steps
from ..prediction.model.test_tensors import load_test_inputs, load_test_outputs, test_tensor_paths
from ..prediction.model.weights_selection import choose_weights, runnable_formats, settings_in_words
from ..prediction.options import PredictOptions
from ..prediction.predictor import Predictor
from ..prediction.whole_tensor import WholeTensorCall
from ..spec.model.tolerances import Tolerance, tolerances
from ..typing import FrozenMapping
from .check_test_tensors import tensor_problems
from .compare_outputs import compare, difference, label_difference, without_halo
from .test_report import Agreement, TestReport, WeightsTest
from .try_blocks import try_blocks
from .try_sizes import try_sizes

__all__ = ["test_weights", "tolerance_of"]

Arrays = Mapping[str, NDArray[np.generic]]


def test_weights(
    model: LoadedModel,
    options: PredictOptions,
    *,
    sizes: bool = True,
    blocks: bool = True,
    input_sizes: bool = True,
    report: Callable[[str], None] = lambda stage: None,
) -> TestReport:
    """Run every weights format on the test inputs, without padding or blocks, and compare with the test outputs.

    Args:
        model: The model.
        options: `weights_format` limits the test to one; `device`, `precision`, `compile`, `imports` and `trust` are used.
        sizes: Also test other sizes and batches.
        blocks: Also compare prediction in several blocks with that in one block.
        input_sizes: Also fail where a test input has a size that the description excludes.
        report: Called with the name of each stage.

    Raises:
        InputError: The model lacks the requested weights format.
        SourceError: A test tensor is missing, or is not an array.

    """
    answers = runnable_formats(model.weights, model.registry)
    if options.weights_format is not None:
        choose_weights(model.weights, model.registry, options)
        answers = {options.weights_format: answers[options.weights_format]}
    inputs, expected = load_test_inputs(model), load_test_outputs(model)
    problems = tensor_problems(model.descr, test_tensor_paths(model)) if input_sizes else ()
    contradictions = [p.message for p in problems if p.loc[0] == "inputs" and p.severity == "error"]  # outputs are compared
    tests = []
    for name, why_not in answers.items():
        if why_not:
            tests.append(WeightsTest(weights_format=name, status="skipped", message=why_not))
        else:
            tested = _test_one(model, attrs.evolve(options, weights_format=name), inputs, expected, sizes, report)
            if contradictions:
                message = "; ".join([*contradictions, *([tested.message] if tested.message else [])])
                tested = attrs.evolve(tested, status="failed", message=message)
            tests.append(tested)
    ran = [t for t in tests if t.found]
    blockwise = None
    if ran and blocks:
        report("blocks")
        blockwise = try_blocks(model, attrs.evolve(options, weights_format=_fastest(ran, model)))
    return TestReport(
        model=model.io.name,
        tests=tuple(tests),
        settings=settings_in_words(options.devices, options.precision, options.compile),
        agreement=tuple(_agreement(ran, _labelled(model) if ran else frozenset())),
        blockwise=blockwise,
        inputs=FrozenMapping(inputs),
        expected=FrozenMapping(expected),
        axes=FrozenMapping({t.id: t.axis_ids for t in (*model.io.inputs, *model.io.outputs)}),
    )


test_weights.__test__ = False  # type: ignore[attr-defined]  # pytest collects functions of this name


def _test_one(
    model: LoadedModel, options: PredictOptions, inputs: Arrays, expected: Arrays, sizes: bool, report: Callable[[str], None]
) -> WeightsTest:
    name = str(options.weights_format)
    report(name)
    adapter = ""
    try:
        weights = choose_weights(model.weights, model.registry, options)
        adapter = weights.adapter
        call = WholeTensorCall(model, inputs, trust=options.trust)
        with Predictor(model, options) as predictor, predictor.open_network() as network:
            outputs = call.outputs(network)
            tried = tuple(try_sizes(model, network, inputs, trust=options.trust)) if sizes else ()
        deviations = _deviations(model, options, call, outputs)
    except BioimageioError as error:
        return WeightsTest(weights_format=name, status="failed", message=str(error), adapter=adapter)
    compared = []
    labels = _labelled(model)
    for tensor in model.io.outputs:
        outputs[tensor.id], halo = without_halo(tensor, outputs[tensor.id], expected[tensor.id])
        comparison = compare(
            tensor.id, outputs[tensor.id], expected[tensor.id], tolerance_of(model, tensor.id, name), labels=tensor.id in labels
        )
        compared.append(attrs.evolve(comparison, cropped=FrozenMapping(halo)))
    wrong = [f"output {c.output!r}: {c.message}" for c in compared if not c.passed]
    wrong += [f"sizes {t.shapes_in_words}: {t.message}" for t in tried if t.status == "failed"]
    return WeightsTest(
        weights_format=name,
        status="failed" if wrong else "passed",
        message="; ".join(wrong),
        adapter=adapter,
        frameworks=_versions(model.registry.weights_adapters[adapter].requires),
        outputs=tuple(compared),
        sizes=tried,
        deviations=deviations,
        sha256=_hash(model, name),
        found=FrozenMapping(outputs),
    )


def _hash(model: LoadedModel, weights_format: str) -> str:
    source = getattr(model.weights[weights_format], "source", None)
    return "" if source is None else model.package.sha256_of(str(source))


def tolerance_of(model: LoadedModel, output: str, weights_format: str) -> Tolerance:
    """Return the first tolerance that applies to an output and a weights format; the default applies to all."""
    return next(
        t for t in tolerances(model.descr) if output in t.output_ids and (not t.weights_formats or weights_format in t.weights_formats)
    )


def _deviations(model: LoadedModel, options: PredictOptions, call: WholeTensorCall, outputs: Arrays) -> FrozenMapping[str, float]:
    """Return the greatest difference of each output from that in full precision without compilation."""
    if options.precision == "fp32" and not options.compile:
        return FrozenMapping()
    with Predictor(model, attrs.evolve(options, precision="fp32", compile=False)) as predictor, predictor.open_network() as network:
        plain = call.outputs(network)
    labels = _labelled(model)
    return FrozenMapping({name: _greatest(array, plain[name], labels=name in labels) for name, array in outputs.items()})


def _labelled(model: LoadedModel) -> frozenset[str]:
    """Return the outputs that label objects."""
    return frozenset(t.id for t in model.io.outputs if any(step.needs.objects is not None for step in plan_steps(t, model.registry)))


def _greatest(first: NDArray[Any], second: NDArray[Any], *, labels: bool) -> float:
    if first.shape != second.shape:
        return float("nan")
    return float(np.max((label_difference if labels else difference)(first, second), initial=0.0))


def _agreement(tests: list[WeightsTest], labels: frozenset[str]) -> list[Agreement]:
    return [
        Agreement(
            first=a.weights_format,
            second=b.weights_format,
            output=name,
            greatest_difference=_greatest(array, b.found[name], labels=name in labels),
        )
        for a, b in combinations(tests, 2)
        for name, array in a.found.items()
    ]


def _fastest(tests: list[WeightsTest], model: LoadedModel) -> str:
    best = max(tests, key=lambda t: (t.status == "passed", model.registry.weights_adapters[t.adapter].preference))
    return best.weights_format


def _versions(names: tuple[str, ...]) -> FrozenMapping[str, str]:
    """Return the versions of the packages that an adapter imports, if their distributions have the same names."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return FrozenMapping(found)
