"""Models whose plugins are missing or refuse the description: one error names all problems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from made_models import pointwise_model
from made_sites import EXAMPLES

import bioimageio_core as bc
from bioimageio_core.api import default_registry
from bioimageio_core.errors import DescriptionError, PluginError, UnknownExtensionError
from bioimageio_core.prediction.model.from_v0_5 import model_io_v0_5
from bioimageio_core.prediction.model.loaded_model import LoadedModel
from bioimageio_core.prediction.model.missing_plugins import why_not_runnable
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.predictor import Predictor
from bioimageio_core.registry import OWN_PLUGINS, Plugin, PluginFailure, Registry, WeightsAdapterEntry, collect
from bioimageio_core.sources import open_package
from bioimageio_core.spec.validation import read_tree
from bioimageio_core.spec.yaml import load_yaml
from bioimageio_core.typing import FrozenMapping

IMAGE = np.zeros((4, 4), np.float32)
TFJS = {"tensorflow_js": {"source": "weights.zip", "tensorflow_version": "2.0"}}
KERAS = {"keras_hdf5": {"source": "weights.h5", "tensorflow_version": "2.0"}}
CELLPOSE = {"cellprob_threshold": 0.0, "flow_threshold": 0.4, "do_3D": False}
UNKNOWN = {"novel": {"source": "weights.bin"}}


def loaded(folder: Path, registry: Registry) -> LoadedModel:
    """Return a loaded model."""
    package = open_package(folder)
    assert isinstance(package.content, bytes)
    return LoadedModel.of(read_tree(load_yaml(package.content), registry)[0], package, registry)


@pytest.fixture
def with_examples(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The registry of this process with the op and the run mode of the documentation."""
    from importlib.metadata import EntryPoint, entry_points

    monkeypatch.syspath_prepend(str(EXAMPLES))
    own = entry_points(group="bioimageio_core")
    return collect([*own, *(EntryPoint(name=n, value=n, group="bioimageio_core") for n in ("invert_op", "repeat_mode", "npz_weights"))])


class TestMissing:
    """Ops, run modes and weights without an installed plugin."""

    def test_all_at_once(self, tmp_path: Path) -> None:
        """The error names ops of all tensors, the run mode, and weights if none can run, with the distributions that provide them."""
        model = pointwise_model(
            tmp_path,
            pre=[{"id": "subtract_median"}, {"id": "sharpen", "kwargs": {"by": 2}}],
            post=[{"id": "cellpose_flow_dynamics", "kwargs": CELLPOSE}, {"id": "sharpen"}],
            run_mode={"name": "tta", "kwargs": {"merge": "max"}},
            weights={**TFJS, **UNKNOWN},
        )
        with pytest.raises(UnknownExtensionError) as raised:
            loaded(model, default_registry())
        missing = (
            "op 'cellpose_flow_dynamics' (bioimageio-runtime-cellpose brings it), op 'sharpen'",
            "op 'subtract_median' (bioimageio-runtime-median",
            "run mode 'tta' (bioimageio-runtime-tta",
            "weights 'tensorflow_js' (bioimageio-runtime-tensorflow",
            "weights 'novel'",
        )
        assert not [part for part in missing if part not in str(raised.value)]

    def test_weights_that_run(self, tmp_path: Path) -> None:
        """Missing weights are not named if other weights can run."""
        onnx = {"onnx": {"source": "weights.onnx", "opset_version": 17}}
        model = pointwise_model(tmp_path, pre=[{"id": "sharpen"}], weights={**TFJS, **onnx})
        with pytest.raises(UnknownExtensionError, match=r"op 'sharpen'; install"):
            loaded(model, default_registry())

    def test_weights_alone(self, tmp_path: Path) -> None:
        """If only weights are missing, the error is raised when weights are chosen."""
        model = loaded(pointwise_model(tmp_path, weights={**TFJS, **UNKNOWN}), default_registry())
        with Predictor(model, PredictOptions()) as predictor, pytest.raises(UnknownExtensionError) as raised:
            predictor.plan(IMAGE)
        assert "(tensorflow_js (bioimageio-runtime-tensorflow brings it), novel)" in str(raised.value)

    def test_frameworks(self, tmp_path: Path) -> None:
        """The error names frameworks that are not installed, and how to install them."""
        model = pointwise_model(tmp_path, run_mode={"name": "tta"}, weights=KERAS)
        adapter = WeightsAdapterEntry(
            name="novelty", weights_format="keras_hdf5", requires=("no_such_framework",), load=lambda: None, extra="novelty[all]"
        )
        registry = attrs.evolve(default_registry(), weights_adapters=FrozenMapping({"novelty": adapter}))
        with pytest.raises(UnknownExtensionError) as raised:
            loaded(model, registry)
        why = "weights.keras_hdf5: no_such_framework is not installed (pip install 'novelty[all]')"
        assert "run mode 'tta' (bioimageio-runtime-tta" in str(raised.value)
        assert why in str(raised.value)

    def test_broken_plugin(self, tmp_path: Path) -> None:
        """The error has the failure of an installed plugin."""
        plugin = Plugin(name="main", module="x", distribution="bioimageio-runtime-tta", version="1.0")
        registry = attrs.evolve(default_registry(), failures=(PluginFailure(plugin=plugin, message="import failed: ImportError: x"),))
        with pytest.raises(UnknownExtensionError, match=r"\(import failed: ImportError: x\)"):
            loaded(pointwise_model(tmp_path, run_mode={"name": "tta"}), registry)

    def test_published(self) -> None:
        """All published names belong to distributions of this project."""
        assert all(distribution.startswith("bioimageio-runtime-") for distribution in OWN_PLUGINS.values())
        assert {kind for kind, _ in OWN_PLUGINS} <= {"foreign_formats", "processing_ops", "run_modes", "weights_formats"}


class TestRefused:
    """Arguments that a plugin refuses."""

    def test_all_at_once(self, tmp_path: Path, with_examples: Registry) -> None:
        """The error names each refused argument with its path in the description."""
        model = pointwise_model(
            tmp_path,
            pre=[{"id": "invert", "kwargs": {"maximum": 0}}],
            post=[{"id": "invert", "kwargs": {"minimum": 0}}],
            run_mode={"name": "repeat", "kwargs": {"times": 0}},
        )
        with pytest.raises(DescriptionError) as raised:
            loaded(model, with_examples)
        for path in ("inputs.0.preprocessing.0.kwargs.maximum", "outputs.0.postprocessing.0.kwargs.minimum", "run_mode.kwargs.times"):
            assert f"{path}: " in str(raised.value)

    def test_with_missing(self, tmp_path: Path, with_examples: Registry) -> None:
        """One error names missing plugins and refused arguments."""
        model = pointwise_model(tmp_path, pre=[{"id": "sharpen"}], run_mode={"name": "repeat", "kwargs": {"times": 0}})
        with pytest.raises(UnknownExtensionError, match=r"op 'sharpen'; .* run_mode.kwargs.times: "):
            loaded(model, with_examples)

    def test_weights(self, tmp_path: Path, with_examples: Registry) -> None:
        """Weights that their plugin refuses do not run."""
        model = loaded(pointwise_model(tmp_path, weights={"npz": {"source": "a.npz", "gain": 1}}), with_examples)
        with Predictor(model, PredictOptions()) as predictor, pytest.raises(PluginError, match=r"npz \(gain: unknown key"):
            predictor.plan(IMAGE)

    def test_arguments_from_options(self, tmp_path: Path, with_examples: Registry) -> None:
        """Refused arguments from options raise InputError."""
        from bioimageio_core.errors import InputError

        options = PredictOptions(run_mode="repeat", run_mode_kwargs=FrozenMapping({"times": 0}))
        with Predictor(loaded(pointwise_model(tmp_path), with_examples), options) as predictor:
            with pytest.raises(InputError, match=r"run mode 'repeat' .*: times: "):
                predictor.plan(IMAGE)
            plan: Any = predictor.plan(IMAGE, run_mode_kwargs=FrozenMapping({"times": 3}))
        assert plan.run_mode.name == "repeat"


class TestCards:
    """A card says that weights cannot run here if the model cannot."""

    @pytest.mark.parametrize(
        ("more", "why_not"),
        [
            ({"post": [{"id": "cellpose_flow_dynamics", "kwargs": CELLPOSE}]}, "no installed plugin provides op 'cellpose_flow_dynamics'"),
            ({"pre": [{"id": "subtract_median"}]}, "provides op 'subtract_median' (bioimageio-runtime-median brings it)"),
            ({"run_mode": {"name": "novel"}}, "no installed plugin provides run mode 'novel'"),
            ({"pre": [{"id": "sigmoid"}]}, ""),
        ],
    )
    def test_why_not(self, tmp_path: Path, more: dict[str, Any], why_not: str) -> None:
        """An op that is described only, an unknown one, or the run mode; ONNX Runtime itself is installed."""
        (weights,) = bc.card(pointwise_model(tmp_path, **more)).as_dict()["weights"]
        assert weights["runs_here"] == (not why_not)
        assert why_not in weights["why_not"]

    def test_refused(self, tmp_path: Path, with_examples: Registry) -> None:
        """Arguments that an installed plugin refuses."""
        model = pointwise_model(tmp_path, pre=[{"id": "invert", "kwargs": {"maximum": "high"}}])
        descr = read_tree(load_yaml((model / "bioimageio.yaml").read_bytes()), with_examples)[0]
        why_not = why_not_runnable(descr, model_io_v0_5(descr), with_examples)
        assert why_not == "installed plugins refuse the arguments at inputs.0.preprocessing.0.kwargs.maximum"
