"""Tests of models whose descriptions label objects: outputs are compared as objects, whatever their numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from labelling_ops import ComponentsKwargs, blobs, components, labelling_registry, loaded, truth
from made_models import BATCH, box_graph, channels, follows, identity_graph, save_description_0_5, space, tensor, with_test_tensors
from numpy.typing import NDArray

from bioimageio_core.model_tests.test_report import TestReport
from bioimageio_core.model_tests.weights_tests import test_weights as run_tests
from bioimageio_core.prediction.model.loaded_model import LoadedModel
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.predictor import Predictor
from bioimageio_core.prediction.verify import verify_blocks
from bioimageio_core.registry import Measured, Needs, Objects, ProcessingOpEntry, Registry, ShapeChange
from bioimageio_core.report.cards.make_model_card import model_card
from bioimageio_core.report.failed_outputs import save_failed_outputs
from bioimageio_core.report.html.model_test_page import model_test_page
from bioimageio_core.report.text.card_text import card_text
from bioimageio_core.report.text.model_test_text import model_test_text
from bioimageio_core.spec.node import Node, node
from bioimageio_core.spec.validation import read_tree
from bioimageio_core.spec.yaml import load_yaml
from bioimageio_core.typing import FrozenMapping


@node
class FirstDescr(Node):
    """Components of the first of two channels."""

    id: str = "first"
    kwargs: ComponentsKwargs = ComponentsKwargs()


def first(kwargs: Any, maps: NDArray[Any], measured: Measured) -> NDArray[Any]:
    return components(kwargs, maps[:, :1], measured)


@pytest.fixture(scope="module")
def registry() -> Registry:
    known = labelling_registry()
    op = ProcessingOpEntry(
        name="first",
        descr={"0.5": FirstDescr},
        load=lambda: lambda kwargs, axes: partial(first, kwargs),
        requirements=lambda kwargs, axes: Needs(
            shape=ShapeChange(axes=axes, sizes={"channel": 1}, takes={"channel": 2}), dtype="int32", objects=Objects(join="touch")
        ),
        where=("postprocessing",),
    )
    return attrs.evolve(known, processing_ops=FrozenMapping({**known.processing_ops, op.name: op}))


IMAGE = np.stack([blobs((60, 50)), blobs((60, 50), 1)])[None]
LABELS = truth(IMAGE[0, 0])[None, None].astype(np.int32)


def describe(folder: Path, labels: NDArray[Any], *, as_result: bool = True) -> Path:
    """Write a model whose op labels the first of two channels, described as the result has it, or as the network does."""
    identity_graph(folder / "weights.onnx")
    post = [{"id": "first", "kwargs": {"threshold": 0.5}}]
    names = ("labels",) if as_result else ("a", "b")
    save_description_0_5(
        folder,
        [tensor("raw", BATCH, channels("a", "b"), *(space(axis, {"min": 32, "step": 1}) for axis in "yx"))],
        [
            tensor(
                "out", BATCH, channels(*names), *(space(axis, follows(axis), halo=4) for axis in "yx"), dtype="int32", postprocessing=post
            )
        ],
    )
    return with_test_tensors(folder, {"raw": IMAGE}, {"out": labels})


def report_of(folder: Path, registry: Registry, labels: NDArray[Any], **described: Any) -> TestReport:
    return run_tests(loaded(describe(folder, labels, **described), registry), PredictOptions())


class TestModelTests:
    """`bmz test`."""

    @pytest.mark.parametrize("as_result", [True, False])
    def test_other_numbers(self, tmp_path: Path, registry: Registry, as_result: bool) -> None:
        """Numbers do not matter; other sizes and batches are those that the network gives, whichever of both is described."""
        order = np.random.default_rng(0).permutation(LABELS.max()) + 1
        report = report_of(tmp_path, registry, np.concatenate([[0], order])[LABELS].astype(np.int32), as_result=as_result)
        (test,) = report.tests
        assert (test.status, test.message) == ("passed", "")
        assert (test.outputs[0].labels, test.outputs[0].mismatched, test.outputs[0].greatest_deviation) == (True, 0, 0)
        assert [trial.status for trial in test.sizes] == ["passed"] * 6
        assert report.blockwise is not None
        assert (report.blockwise.status, report.blockwise.greatest_difference) == ("passed", 0)
        assert TestReport.from_dict(report.as_dict()).tests[0].outputs[0].labels

    def test_joined_objects(self, tmp_path: Path, registry: Registry) -> None:
        """Two objects that are one in the test tensor fail, with the pixels of the smaller one; the page shows these alone."""
        sizes = np.bincount(LABELS.ravel())
        small, large = np.argsort(-sizes[1:])[[1, 0]] + 1
        report = report_of(tmp_path, registry, np.where(small == LABELS, large, LABELS).astype(np.int32))
        (test,) = report.tests
        assert test.status == "failed"
        assert test.outputs[0].mismatched == sizes[small]
        count = LABELS.max()
        assert f"found {count} objects, expected {count - 1}, of which {count - 1} match" in model_test_text(report)
        assert "data:image/png" in model_test_page(report)
        save_failed_outputs(report, tmp_path / "failed")
        np.testing.assert_array_equal(np.load(tmp_path / "failed" / "onnx" / "out" / "difference.npy"), small == LABELS)

    def test_a_few_pixels(self, tmp_path: Path, registry: Registry) -> None:
        """A thousand pixels of a million may differ, as of any output of integers: 3 of 3000, and not 4."""
        for number, status in ((3, "passed"), (4, "failed")):
            labels = LABELS.copy()
            labels.ravel()[np.flatnonzero(labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1)[:number]] = 0
            (tmp_path / str(number)).mkdir()
            assert report_of(tmp_path / str(number), registry, labels).tests[0].status == status


class TestVerify:
    """`bmz verify`."""

    def test_seams(self, tmp_path: Path, registry: Registry) -> None:
        """A halo that is too small changes some objects at seams, and so the numbers of all after them, which do not count."""
        box_graph(tmp_path / "weights.onnx", size=7)
        post = [{"id": "components", "kwargs": {"threshold": 0.5}}]
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), *(space(axis, {"min": 32, "step": 1}) for axis in "yx"))],
            [tensor("out", BATCH, channels(), *(space(axis, follows(axis), halo=1) for axis in "yx"), dtype="int32", postprocessing=post)],
        )
        image = np.zeros((1, 1, 96, 96), np.float32)
        for y, x in np.ndindex(8, 8):  # one pixel of each is above 0.5 in the mean, and is lost where that lies at a seam
            image[..., 3 + 11 * y :, 3 + 11 * x :][..., :5, :5] = 1
        with Predictor(loaded(tmp_path, registry), PredictOptions(axes={"raw": "batch,channel,y,x"}, block=32, chunks=30)) as predictor:
            (output,) = verify_blocks(predictor, image).outputs
            blockwise, whole = (np.asarray(predictor.predict(image, block=block)["out"]) for block in (32, 128))
        assert "seam at" in output.seam
        assert 0 < output.beyond < np.count_nonzero(blockwise != whole) / 2
        assert output.greatest == 1


class TestInfo:
    """`bmz info`."""

    def card(self, folder: Path, registry: Registry) -> Any:
        model: LoadedModel = loaded(folder, registry)
        assert isinstance(model.package.content, bytes)
        descr, report = read_tree(load_yaml(model.package.content), registry)
        return model_card(descr, model.package, registry, report)

    def test_result(self, tmp_path: Path, registry: Registry) -> None:
        """Says what the ops make of the output of the network."""
        card = self.card(describe(tmp_path, LABELS, as_result=False), registry)
        words = "labels of objects (uint32) with axes batch, channel 1, y, x"
        assert (card.inputs[0].result, card.outputs[0].result) == ("", words)
        assert f"    result          {words}\n" in card_text(card)
        assert card.outputs[0].as_dict("postprocessing")["result"] == words
