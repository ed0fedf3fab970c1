"""The results of model tests, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from ..shown import Shown, form_of
from ..typing import AxisId, FrozenMapping
from .compare_outputs import OutputComparison
from .evidence import Evidence

__all__ = ["Agreement", "BlockTrial", "SizeTrial", "Status", "TestReport", "WeightsTest"]

Status: TypeAlias = Literal["passed", "failed", "skipped", "noted"]
"""``noted`` marks a result that users should know, but that is not a fault of the weights."""


@attrs.frozen(kw_only=True)
class SizeTrial:
    """One call of the network with inputs of other sizes."""

    shapes: FrozenMapping[str, tuple[int, ...]]
    """Shape of each input, by id."""

    step: int
    """Number of steps by which the sizes are larger than the smallest ones."""

    batch: int
    status: Status
    message: str = ""

    @property
    def shapes_in_words(self) -> str:
        """Return the shapes, as in ``raw 1 x 1 x 64 x 64``."""
        return ", ".join(f"{name} {' x '.join(map(str, shape))}" for name, shape in self.shapes.items())


@attrs.frozen(kw_only=True)
class BlockTrial:
    """The comparison of prediction in several blocks with that in one block."""

    status: Status
    message: str = ""
    weights_format: str = ""
    blocks: int = 0
    greatest_difference: float = 0.0
    """Greatest ``|blockwise - whole| / max(1, |whole|)`` over all outputs."""


@attrs.frozen(kw_only=True)
class Agreement:
    """The difference of an output between two weights formats."""

    first: str
    second: str
    output: str
    greatest_difference: float
    """Greatest absolute difference on the test inputs; NaN where they differ in shape."""


@attrs.frozen(kw_only=True)
class WeightsTest:
    """The test of one weights format."""

    weights_format: str
    status: Status
    message: str = ""
    adapter: str = ""
    frameworks: FrozenMapping[str, str] = FrozenMapping()
    """Versions of the frameworks, by name of the distribution."""

    outputs: tuple[OutputComparison, ...] = ()
    sizes: tuple[SizeTrial, ...] = ()
    deviations: FrozenMapping[str, float] = FrozenMapping()
    """Greatest absolute difference, by output, from the outputs in full precision without compilation.

    Empty if the test itself is in full precision without compilation."""

    sha256: str = ""
    """Hash of the file of weights; empty if it was not read."""

    found: Mapping[str, NDArray[np.generic]] = attrs.field(default=FrozenMapping(), eq=False, repr=False)
    """The outputs, by id, as they were compared: without a halo that the test outputs lack."""

    @property
    def sizes_in_words(self) -> str:
        """Return the number of tested sizes, as in ``6 passed``."""
        counts = {status: sum(t.status == status for t in self.sizes) for status in ("passed", "failed", "noted")}
        return ", ".join(f"{n} {status}" for status, n in counts.items() if n)


@attrs.frozen(kw_only=True, repr=False)
class TestReport(Shown):
    """The tests of all weights formats of a model."""

    __test__ = False  # pytest collects classes of this name

    model: str
    tests: tuple[WeightsTest, ...]
    settings: str = "cpu"
    """Devices, precision and compilation, in words."""

    agreement: tuple[Agreement, ...] = ()
    """Differences for every pair of tested weights formats, by output."""

    blockwise: BlockTrial | None = None
    evidence: Evidence | None = None
    """When, with what and on what the model was tested."""

    inputs: Mapping[str, NDArray[np.generic]] = attrs.field(default=FrozenMapping(), eq=False, repr=False)
    expected: Mapping[str, NDArray[np.generic]] = attrs.field(default=FrozenMapping(), eq=False, repr=False)
    """The test outputs, by id."""

    axes: FrozenMapping[str, tuple[AxisId, ...]] = FrozenMapping()
    """Axes of inputs and outputs, by id."""

    @property
    def status(self) -> Literal["passed", "failed", "skipped"]:
        """``passed`` if no format failed and at least one was tested; ``skipped`` if none could be tested."""
        tested = [t for t in self.tests if t.status != "skipped"]
        if not tested:
            return "skipped"
        return "passed" if all(t.status == "passed" for t in tested) else "failed"

    def __repr__(self) -> str:
        return f"<TestReport {self.model}: {self.status}; {', '.join(f'{t.weights_format} {t.status}' for t in self.tests)}>"

    def page(self) -> str:
        """Return the report as an HTML page that needs no other file, runs no scripts and loads nothing."""
        return str(form_of(self, "page"))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, without the arrays."""
        plain = attrs.asdict(self, filter=lambda attribute, _: attribute.name not in ("found", "inputs", "expected", "axes"))
        return {"model": plain.pop("model"), "status": self.status, **_plain(plain)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TestReport:
        """Return the report that `as_dict` was called on, without its arrays."""
        from cattrs import Converter

        converter = Converter()
        converter.register_structure_hook(float, lambda value, _: float("nan") if value is None else float(value))  # JSON has no NaN
        converter.register_structure_hook_func(
            lambda t: getattr(t, "__origin__", t) is FrozenMapping,
            lambda value, t: FrozenMapping({str(k): converter.structure(v, t.__args__[1]) for k, v in value.items()}),
        )
        converter.register_structure_hook_func(lambda t: getattr(t, "__origin__", t) is Mapping, lambda value, t: FrozenMapping())
        return converter.structure({key: value for key, value in data.items() if key != "status"}, cls)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
