"""What converters of weights have to keep."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ..errors import BioimageioError
from ..registry import ConverterContext, WeightsConverterEntry, collect, missing_requirements
from .entry import EntryConformance, one_sentence
from .fixtures import WeightsExample, assert_close
from .trees import TreeReader

__all__ = ["WeightsConverterConformance"]


class WeightsConverterConformance(EntryConformance):
    """The laws of converters; a subclass sets ``entry`` to a `WeightsConverterEntry` and overrides the fixture ``example``."""

    kind = "weights_converters"
    entry: WeightsConverterEntry

    rtol: float = 1e-3
    """Relative tolerance of outputs of the converted weights."""

    atol: float = 1e-4
    """Absolute tolerance of outputs of the converted weights."""

    @pytest.fixture
    def example(self, tmp_path: Path) -> WeightsExample:
        """Weights to convert, inputs and outputs; override it."""
        pytest.skip("there is no example of weights: override the fixture `example`")

    def converted(self, example: WeightsExample, target: Path) -> Mapping[str, Any]:
        """Convert the example."""
        self.needs_installed()
        inputs = [array for array in example.inputs if array is not None]
        return self.entry.load()(ConverterContext(source=example.context(), inputs=inputs, target=target))

    def test_formats(self) -> None:
        """It leads from one weights format to another, and its plugin or an installed one describes both."""
        assert self.entry.from_format != self.entry.to_format, f"it converts {self.entry.from_format} to itself"
        known = {**collect().weights_formats, **self.collected().weights_formats}
        for name in (self.entry.from_format, self.entry.to_format):
            assert name in known, f"no installed plugin describes the weights format {name!r}: expected one of {', '.join(sorted(known))}"

    def test_writes_the_target(self, example: WeightsExample, tmp_path: Path) -> None:
        """The target is written, nothing beside it, and the source stays as it was."""
        folder = tmp_path / "target"
        folder.mkdir()
        before = _digest(example.path)
        self.converted(example, folder / "converted.weights")
        assert [p.name for p in folder.iterdir()] == ["converted.weights"], f"expected the target alone, found {list(folder.iterdir())}"
        assert _digest(example.path) == before, "the weights to convert were changed"

    def test_fields(self, example: WeightsExample, tmp_path: Path) -> None:
        """The fields that are returned make a weights entry, with the source and parent that the caller adds."""
        suffix = {"onnx": ".onnx", "torchscript": ".pt", "keras_v3": ".keras", "keras_hdf5": ".h5"}.get(self.entry.to_format, ".zip")
        fields = self.converted(example, tmp_path / f"converted{suffix}")
        strange = {"source", "sha256", "parent"} & {*fields}
        assert not strange, f"the caller writes {', '.join(sorted(strange))}: expected only other fields"
        target = collect().weights_formats[self.entry.to_format]
        for version, cls in target.descr.items():
            tree = {"source": f"converted{suffix}", "parent": self.entry.from_format, **fields}
            errors = [p for p in TreeReader.of(target, version).errors(cls, tree) if p.loc[:1] != ("source",)]
            assert not errors, f"{tree} is no entry of format {version}: {errors[0].message}"

    def test_same_outputs(self, example: WeightsExample, tmp_path: Path) -> None:
        """An installed adapter gives with the converted weights what the example says."""
        adapters = [a for a in collect().adapters_for(self.entry.to_format) if not missing_requirements(a.requires)]
        if not adapters:
            pytest.skip(f"no adapter that can run here runs {self.entry.to_format}")
        target = tmp_path / "converted.weights"
        self.converted(example, target)
        adapter = adapters[0].load()(example.context(path=str(target), weights=None))
        try:
            for number, (found, expected) in enumerate(zip(adapter(example.inputs), example.outputs, strict=False)):
                assert_close(np.asarray(found), expected, rtol=self.rtol, atol=self.atol, what=f"output {number} of {adapters[0].name}")
        finally:
            adapter.close()

    def test_broken_source(self, example: WeightsExample, tmp_path: Path) -> None:
        """A file that holds no weights is refused with an error of this library, in one sentence, and no target is left."""
        self.needs_installed()
        broken, target = tmp_path / f"broken{example.path.suffix}", tmp_path / "target.weights"
        broken.write_bytes(b"this is no network\n" * 100)
        context = ConverterContext(
            source=example.context(path=str(broken)), inputs=[a for a in example.inputs if a is not None], target=target
        )
        try:
            self.entry.load()(context)
        except BioimageioError as error:
            one_sentence(str(error))
        except Exception as error:
            raise AssertionError(f"expected an error of bioimageio_core.errors, found {type(error).__name__}: {error}") from error
        else:
            pytest.fail("expected a file that holds no weights to be refused, found it converted")
        assert not target.exists(), "a target was left although the conversion failed"


def _digest(path: Path) -> str:
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return hashlib.sha256(b"".join(hashlib.sha256(p.read_bytes()).digest() for p in files)).hexdigest()
