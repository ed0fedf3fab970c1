"""What adapters, which run weights, have to keep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ..errors import InputError, ModelRunError
from ..registry import AdapterContext, WeightsAdapter, WeightsAdapterEntry
from .entry import EntryConformance, one_sentence
from .fixtures import WeightsExample, assert_close, assert_same
from .processes import in_threads

__all__ = ["WeightsAdapterConformance"]

NO_DEVICE = "nowhere"
"""No framework knows a device of this name."""


class WeightsAdapterConformance(EntryConformance):
    """The laws of adapters; a subclass sets ``entry`` to a `WeightsAdapterEntry` and overrides the fixture ``example``."""

    kind = "weights_adapters"
    entry: WeightsAdapterEntry

    rtol: float = 1e-4
    """Relative tolerance of outputs."""

    atol: float = 1e-5
    """Absolute tolerance of outputs."""

    @pytest.fixture
    def example(self, tmp_path: Path) -> WeightsExample:
        """Weights, inputs and outputs; override it."""
        pytest.skip("there is no example of weights: override the fixture `example`")

    @pytest.fixture
    def adapter(self, example: WeightsExample) -> Iterator[WeightsAdapter]:
        """Load the weights of the example."""
        adapter = self.open(example.context())
        yield adapter
        adapter.close()

    def open(self, context: AdapterContext) -> WeightsAdapter:
        """Load weights; skip the test where the framework is not installed."""
        self.needs_installed()
        return self.entry.load()(context)

    def test_protocol(self, adapter: WeightsAdapter) -> None:
        """An adapter can be called and closed."""
        assert isinstance(adapter, WeightsAdapter), "expected the methods __call__ and close"

    def test_outputs(self, adapter: WeightsAdapter, example: WeightsExample) -> None:
        """The outputs are those of the example, as arrays in described order."""
        outputs = adapter(example.inputs)
        assert len(outputs) >= len(example.outputs), f"expected {len(example.outputs)} outputs, found {len(outputs)}"
        for number, (found, expected) in enumerate(zip(outputs, example.outputs, strict=False)):
            assert isinstance(found, np.ndarray), f"expected a numpy array as output {number}, found {type(found).__name__}"
            assert found.dtype == expected.dtype, f"expected {expected.dtype} as output {number}, found {found.dtype}"
            assert_close(found, expected, rtol=self.rtol, atol=self.atol, what=f"output {number}")

    def test_inputs_are_left_alone(self, adapter: WeightsAdapter, example: WeightsExample) -> None:
        """The inputs are not changed in place, and outputs of one call not by the next."""
        given = [None if array is None else array.copy() for array in example.inputs]
        first = adapter(given)
        kept = [np.array(output) for output in first]
        for before, after in zip(example.inputs, given, strict=True):
            if before is not None and after is not None:
                assert_same(after, before, "the adapter changed an input in place")
        adapter(_scaled(example, 2.0))
        for before, after in zip(kept, first, strict=True):
            assert_same(after, before, "a later call changed the outputs of an earlier one")

    def test_threads(self, adapter: WeightsAdapter, example: WeightsExample) -> None:
        """Called from eight threads at once, the adapter gives each its own outputs."""
        if not self.entry.thread_safe:
            pytest.skip("the entry says that the adapter is not thread safe")
        inputs = [_scaled(example, 1 + n / 8) for n in range(8)]
        alone = [[np.array(output) for output in adapter(i)] for i in inputs]
        together = in_threads([lambda i=i: [np.array(output) for output in adapter(i)] for i in inputs])  # type: ignore[misc]
        for expected, results in zip(alone, together, strict=True):
            for found in results:
                for one, other in zip(found, expected, strict=True):
                    assert_close(one, other, rtol=self.rtol, atol=self.atol, what="a call in one thread changes the outputs in another")

    def test_closes_and_loads_again(self, example: WeightsExample) -> None:
        """After one adapter was closed, the same weights can be loaded again."""
        for _ in range(2):
            adapter = self.open(example.context())
            self.test_outputs(adapter, example)
            adapter.close()

    def test_two_at_once(self, adapter: WeightsAdapter, example: WeightsExample) -> None:
        """Two adapters with the same weights do not disturb each other."""
        self.open(example.context()).close()
        self.test_outputs(adapter, example)

    def test_device_that_is_not_there(self, example: WeightsExample) -> None:
        """A device that cannot be used is refused with InputError, in one sentence."""
        self.needs_installed()
        try:
            adapter = self.entry.load()(example.context(device=NO_DEVICE))
        except InputError as error:
            one_sentence(str(error))
            return
        except Exception as error:
            raise AssertionError(f"expected InputError for the device {NO_DEVICE!r}, found {type(error).__name__}: {error}") from error
        adapter.close()
        pytest.fail(f"expected InputError for the device {NO_DEVICE!r}, found it accepted")

    @pytest.mark.parametrize("content", [b"", b"this is no network\n" * 100], ids=["empty", "text"])
    def test_broken_file(self, example: WeightsExample, tmp_path: Path, content: bytes) -> None:
        """A file that holds no weights gives ModelRunError, in one sentence, when it is loaded or at the first call."""
        if not example.path.is_file():
            pytest.skip("the weights of the example are no single file")
        path = tmp_path / f"broken{example.path.suffix}"
        path.write_bytes(content)
        self.fails_in_one_sentence(example.context(path=str(path)), example, "a file that holds no weights")

    def test_wrong_input(self, example: WeightsExample) -> None:
        """If the network cannot take an input of another rank, that is a ModelRunError in one sentence."""
        adapter = self.open(example.context())
        try:
            adapter([None if array is None else np.zeros((1, *array.shape, 1), array.dtype) for array in example.inputs])
        except ModelRunError as error:
            one_sentence(str(error))
        except Exception as error:
            raise AssertionError(f"expected ModelRunError for an input of another rank, found {type(error).__name__}: {error}") from error
        finally:
            adapter.close()

    def fails_in_one_sentence(self, context: AdapterContext, example: WeightsExample, what: str) -> None:
        """Assert that loading, or the first call, raises ModelRunError."""
        self.needs_installed()
        try:
            self.entry.load()(context)(example.inputs)
        except ModelRunError as error:
            one_sentence(str(error))
        except Exception as error:
            raise AssertionError(f"expected ModelRunError for {what}, found {type(error).__name__}: {error}") from error
        else:
            pytest.fail(f"expected ModelRunError for {what}, found outputs")


def _scaled(example: WeightsExample, factor: float) -> list[NDArray[Any] | None]:
    """Return other inputs of the same shapes and dtypes."""
    return [None if array is None else (array * factor).astype(array.dtype) for array in example.inputs]
