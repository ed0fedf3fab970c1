"""Whether a model reproduces its test tensors, in each of its weights formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from ..errors import BioimageioError, SourceError
from ..spec.model.tolerances import Tolerance, tolerances
from ..typing import AxisId
from .choose_weights import choose_weights, runnable_formats
from .loaded import LoadedModel
from .measure import Scanner
from .model_io import TensorIO
from .options import PredictOptions
from .predictor import Predictor
from .prepare import ArraySource, ready_steps, reference_statistics
from .run_mode import plan_run_mode
from .sample import Sample
from .steps import plan_steps
from .task import run_network

__all__ = ["OutputComparison", "TestReport", "WeightsTest", "compare", "test_weights"]


@attrs.frozen(kw_only=True)
class OutputComparison:
    """An output against its test tensor."""

    output: str
    passed: bool
    message: str
    """Empty where it passed."""

    greatest_deviation: float
    """Greatest absolute difference; NaN where the two cannot be compared."""

    at: tuple[int, ...]
    """Where it is."""

    mismatched: int
    """Elements beyond the tolerance."""

    elements: int
    tolerance: Tolerance


@attrs.frozen(kw_only=True)
class WeightsTest:
    """The test of one weights format."""

    weights_format: str
    status: Literal["passed", "failed", "skipped"]
    message: str = ""
    adapter: str = ""
    outputs: tuple[OutputComparison, ...] = ()


@attrs.frozen(kw_only=True)
class TestReport:
    """The tests of all weights formats of a model."""

    __test__ = False  # pytest collects classes of this name

    model: str
    tests: tuple[WeightsTest, ...]

    @property
    def status(self) -> Literal["passed", "failed"]:
        """Passed where no format failed and at least one was tested."""
        tested = [t for t in self.tests if t.status != "skipped"]
        return "passed" if tested and all(t.status == "passed" for t in tested) else "failed"


def test_weights(model: LoadedModel, options: PredictOptions, report: Callable[[str], None] = lambda stage: None) -> TestReport:
    """Run every weights format on the test inputs as they are, without padding or blocks, and compare with the test outputs.

    Args:
        model: The model.
        options: `weights_format` limits the test to one; `device` and `trust` are used.
        report: Told which weights format is tested.

    Raises:
        InputError: The model lacks the weights format asked for.
        SourceError: A test tensor is missing, or is no array.

    """
    answers = runnable_formats(model.weights, model.registry)
    if options.weights_format is not None:
        choose_weights(model.weights, model.registry, options)
        answers = {options.weights_format: answers[options.weights_format]}
    inputs = {t.id: _test_tensor(t, model) for t in model.io.inputs if t.test_tensor is not None or not t.optional}
    expected = {t.id: _test_tensor(t, model) for t in model.io.outputs}
    tests = []
    for name, why_not in answers.items():
        report(name)
        tests.append(_test_one(name, why_not, model, options, inputs, expected))
    return TestReport(model=model.io.name, tests=tuple(tests))


test_weights.__test__ = False  # type: ignore[attr-defined]  # pytest collects functions of this name


def _test_one(
    name: str, why_not: str, model: LoadedModel, options: PredictOptions, inputs: dict[str, NDArray[Any]], expected: dict[str, NDArray[Any]]
) -> WeightsTest:
    if why_not:
        return WeightsTest(weights_format=name, status="skipped", message=why_not)
    adapter_name = ""
    try:
        with Predictor(model, attrs.evolve(options, weights_format=name)) as predictor:
            weights = choose_weights(model.weights, model.registry, predictor.options)
            adapter_name = weights.adapter
            outputs = predict_bare(predictor, inputs)
    except BioimageioError as error:
        return WeightsTest(weights_format=name, status="failed", message=str(error), adapter=adapter_name)
    compared = tuple(compare(t.id, outputs[t.id], expected[t.id], _tolerance(model, t.id, name)) for t in model.io.outputs)
    failed = [c for c in compared if not c.passed]
    return WeightsTest(
        weights_format=name,
        status="failed" if failed else "passed",
        message="; ".join(f"output {c.output!r}: {c.message}" for c in failed),
        adapter=adapter_name,
        outputs=compared,
    )


def _tolerance(model: LoadedModel, output: str, weights_format: str) -> Tolerance:
    """Return the first tolerance that is for an output and a weights format; the defaults are for all."""
    return next(
        t for t in tolerances(model.descr) if output in t.output_ids and (not t.weights_formats or weights_format in t.weights_formats)
    )


def predict_bare(predictor: Predictor, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return outputs by id for arrays in the axes of the inputs: ops and one call of the network, nothing padded or cropped."""
    from dask.system import CPU_COUNT

    model, options = predictor.model, predictor.options
    weights = choose_weights(model.weights, model.registry, options)
    run_mode = plan_run_mode(model.io, options, model.registry)
    network = predictor.network(weights, run_mode, threads=CPU_COUNT, trust=options.trust)
    scanner = Scanner(registry=model.registry, workers=1)
    raw = {t.id: _sample(inputs[t.id], t.axis_ids) for t in model.io.inputs if t.id in inputs}
    steps = {t.id: plan_steps(t, model.registry) for t in (*model.io.inputs, *model.io.outputs)}
    references = reference_statistics(raw, [s for some in steps.values() for s in some], scanner)

    def process(tensor: TensorIO, sample: Sample) -> NDArray[Any]:
        ready = ready_steps(sample, steps[tensor.id], scanner, references, name=tensor.id, cut=tensor.axis_ids)
        return ready.read((0,) * len(ready.shape), ready.shape)

    processed = {t.id: process(t, raw[t.id]) for t in model.io.inputs if t.id in raw}
    with network.turn() as adapter:
        outputs = run_network(adapter, model.io, processed)
    return {t.id: process(t, _sample(a, t.axis_ids)) for t, a in zip(model.io.outputs, outputs, strict=True)}


def _sample(array: NDArray[Any], axes: tuple[AxisId, ...]) -> Sample:
    return Sample(source=ArraySource(array=array), axes=axes, shape=array.shape, chunks=array.shape, extra=0)


def compare(output: str, actual: NDArray[Any], expected: NDArray[Any], tolerance: Tolerance) -> OutputComparison:
    """Compare an output with its test tensor.

    An element matches where ``|actual - expected| <= absolute + relative * |expected|``, in float64;
    NaN matches NaN only, and an infinity itself only.
    """

    def verdict(
        passed: bool, message: str, deviation: float = float("nan"), at: Sequence[int] = (), mismatched: int = 0
    ) -> OutputComparison:
        return OutputComparison(
            output=output,
            passed=passed,
            message=message,
            greatest_deviation=deviation,
            at=tuple(at),
            mismatched=mismatched,
            elements=int(actual.size),
            tolerance=tolerance,
        )

    if actual.shape != expected.shape:
        return verdict(False, f"has shape {actual.shape}, the test tensor {expected.shape}")
    if not actual.size:
        return verdict(True, "", 0.0)
    a, e = actual.astype(np.float64), expected.astype(np.float64)
    with np.errstate(invalid="ignore"):
        difference = np.abs(a - e)
        same = (a == e) | (np.isnan(a) & np.isnan(e))
        difference = np.where(same, 0.0, np.where(np.isnan(difference), np.inf, difference))
        beyond = ~same & ~(difference <= tolerance.absolute + tolerance.relative * np.abs(np.where(np.isfinite(e), e, 0.0)))
    mismatched = int(np.count_nonzero(beyond))
    at = [int(i) for i in np.unravel_index(int(np.argmax(difference)), difference.shape)]
    where = tuple(at)
    greatest = float(difference[where])
    per_million = mismatched / actual.size * 1e6
    if per_million <= tolerance.mismatched_per_million:
        return verdict(True, "", greatest, at, mismatched)
    message = (
        f"{mismatched} of {actual.size} elements differ by more than {tolerance.absolute:g} + {tolerance.relative:g} * |expected| "
        f"({per_million:.0f} per million, {tolerance.mismatched_per_million:g} allowed); "
        f"the greatest difference is {greatest:.4g}, at {where}"
    )
    return verdict(False, message, greatest, at, mismatched)


def _test_tensor(tensor: TensorIO, model: LoadedModel) -> NDArray[Any]:
    if tensor.test_tensor is None:
        raise SourceError(f"tensor {tensor.id!r} of {model.io.name!r} has no test tensor: nothing can be tested")
    path = model.package.local(tensor.test_tensor.source, sha256=tensor.test_tensor.sha256)
    return load_npy(path)


def load_npy(path: Path) -> NDArray[Any]:
    """Return the array of a ``.npy`` file, running no pickled code."""
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SourceError(f"{path.name} is no .npy file that can be read: {error}") from None
    return array
