"""Run modes that give blocks an axis which the network lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import yaml
from made_models import BATCH, box_graph, channels, follows, save_description_0_5, space, tensor

import bioimageio_core as bc
from bioimageio_core.blocks import FixedSize, SteppedSize
from bioimageio_core.errors import InputError, PluginError
from bioimageio_core.prediction.data.pooling import Pooling
from bioimageio_core.prediction.model.loaded_model import LoadedModel
from bioimageio_core.prediction.model.tensor_spec import ReferencedSize
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.predictor import Predictor
from bioimageio_core.registry import Measure, Pipeline, PipelineTensor, Registry, RunModeEntry, collect
from bioimageio_core.sources import open_package
from bioimageio_core.typing import FrozenMapping

SIZE = {"min": 16, "step": 4}
MICRONS = {"unit": "micrometer", "scale": 0.5}


@attrs.frozen
class SlicesAlongZ:
    """A run mode that calls the network for each z."""

    added: Mapping[str, str] = FrozenMapping({"z": "y"})
    halo: Mapping[str, int] = FrozenMapping()

    def plan(self, pipeline: Pipeline) -> Pipeline:
        return attrs.evolve(pipeline, added_axes=self.added, halo=FrozenMapping({**pipeline.halo, **self.halo}))

    def wrap(self, adapter: Any, pipeline: Pipeline) -> Any:
        return _Slices(adapter)


@attrs.frozen
class _Slices:
    network: Any

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        (volume,) = inputs  # batch, channel, z, y, x
        slices = [self.network([np.ascontiguousarray(volume[:, :, n])])[0] for n in range(volume.shape[2])]
        return [np.stack(slices, 2)]

    def close(self) -> None:
        self.network.close()


def model(folder: Path, *, x: Any = SIZE, pre: Any = ()) -> Path:
    """Write a mean filter with a pixel size and a halo of 4."""
    box_graph(folder / "weights.onnx")
    raw = [space("y", SIZE, **MICRONS), space("x", x, **MICRONS)]
    own = {"y": "y", "x": "x" if x in (SIZE, 64) else "y"}
    out = [space(a, follows(own[a]), halo=4, **MICRONS) for a in "yx"]
    return save_description_0_5(
        folder, [tensor("raw", BATCH, channels(), *raw, preprocessing=list(pre))], [tensor("out", BATCH, channels(), *out)]
    )


def predictor(path: Path, mode: SlicesAlongZ, **options: Any) -> Predictor:
    """Return a predictor in a run mode."""
    entry = RunModeEntry(name="slices", load=lambda: lambda kwargs: mode)
    registry: Registry = attrs.evolve(collect(), run_modes=FrozenMapping({"slices": entry}))
    loaded = LoadedModel.of(bc.load_model_description(path), open_package(path), registry)
    return Predictor(loaded, PredictOptions(run_mode="slices", **options))


def noise(*shape: int) -> np.ndarray[Any, Any]:
    """Return noise, brighter from slice to slice."""
    return np.random.default_rng(0).random(shape, dtype=np.float32) + np.arange(shape[-3], dtype=np.float32).reshape(-1, 1, 1)


class TestModel:
    """Inputs and outputs as blocks have them."""

    def test_axes(self, tmp_path: Path) -> None:
        """The added axis stands before the axes of space, and is like y in size, pixel size, halo and reference."""
        plan = predictor(model(tmp_path), SlicesAlongZ()).plan(noise(20, 30, 40), axes="zyx")
        (raw,), (out,) = plan.model.inputs, plan.model.outputs
        assert raw.axis_ids == out.axis_ids == ("batch", "channel", "z", "y", "x")
        z, of_out = raw.axes[2], out.axes[2]
        assert (z.size, z.kind, z.scale, z.unit) == (SteppedSize(16, 4), "space", 0.5, "micrometer")
        assert (of_out.size, of_out.halo) == (ReferencedSize(tensor="raw", axis="z"), 4)
        assert plan.inputs[0].bound.extra_axes == ()
        assert plan.outputs[0].shape == (1, 1, 20, 30, 40)

    def test_fixed_size_of_x(self, tmp_path: Path) -> None:
        """Like x, whose size is another one; the halo is that of x, or what the run mode says, or more if users say so."""
        mode = SlicesAlongZ(FrozenMapping({"z": "x"}))
        plan = predictor(model(tmp_path, x=64), mode).plan(noise(20, 30, 40), axes="zyx")
        assert plan.model.inputs[0].axes[2].size == FixedSize(64)
        for halo, given, expected in (({}, {"x": 8}, 8), ({"z": 0}, {}, 0), ({"z": 2}, {"z": 6}, 6), ({"z": 2}, {"z": 1}, 2)):
            changed = attrs.evolve(mode, halo=halo)
            plan = predictor(model(tmp_path, x=64), changed).plan(noise(20, 30, 40), axes="zyx", halo=given)
            assert [t.halo for g in plan.groups for t in g.group.outputs if t.axis == "z"] == [expected]

    @pytest.mark.parametrize("mode", [SlicesAlongZ(), SlicesAlongZ(FrozenMapping(), FrozenMapping({"y": 8}))])
    def test_halo_that_is_not_known(self, tmp_path: Path, mode: SlicesAlongZ) -> None:
        """A measured halo of a network that was not measured is refused, whatever the run mode asks for."""
        with pytest.raises(InputError, match="the network was not measured"):
            predictor(model(tmp_path), mode).plan(noise(20, 30, 40), axes="zyx", halo="measured")

    @pytest.mark.parametrize(
        ("mode", "message"),
        [
            (SlicesAlongZ(FrozenMapping({"x": "y"})), "adds the axis 'x', which the model has"),
            (SlicesAlongZ(FrozenMapping({"z": "w"})), "adds the axis 'z', like 'w', which is no axis of space of the model"),
            (SlicesAlongZ(FrozenMapping({"z": "channel"})), "adds the axis 'z', like 'channel', which is no axis of space"),
            (SlicesAlongZ(FrozenMapping(), FrozenMapping({"z": 1})), "names the axis 'z', which the model lacks"),
        ],
    )
    def test_wrong_changes(self, tmp_path: Path, mode: SlicesAlongZ, message: str) -> None:
        """A run mode that adds what cannot be is refused by name."""
        with pytest.raises(PluginError, match=f"run mode 'slices' {message}"):
            predictor(model(tmp_path), mode).plan(noise(20, 30, 40), axes="zyx")

    def test_size_of_another_axis(self, tmp_path: Path) -> None:
        """An axis that follows another one has no size for an axis that is like it."""
        path = model(tmp_path, x=follows("y"))
        predictor(path, SlicesAlongZ()).plan(noise(20, 40, 40), axes="zyx")
        with pytest.raises(InputError, match=r"cannot add the axis 'z' to 'raw', like axis 'x': .* found the size of axis 'y' of 'raw'"):
            predictor(path, SlicesAlongZ(FrozenMapping({"z": "x"}))).plan(noise(20, 40, 40), axes="zyx")

    def test_planes_are_warned_of(self, tmp_path: Path) -> None:
        """An image without the axis is predicted from padding, for two thirds."""
        plane, volume = np.ones((30, 40), np.float32), noise(20, 30, 40)
        said = [predictor(model(tmp_path), SlicesAlongZ()).plan(i, axes=a).warnings for i, a in ((plane, "yx"), (volume, "zyx"))]
        assert any("single slice along axis 'z'" in line for line in said[0])
        assert not any("single slice" in line for line in said[1])

    def test_place_among_axes(self) -> None:
        """Before the first axis of space, wherever it stands; tensors without the axis that it is like stay as they are."""
        pipeline = Pipeline(inputs=(), outputs=(), added_axes={"z": "y"})
        for axes, expected in (("byxc", "bzyxc"), ("xy", "zxy"), ("bcx", "bcx"), ("bc", "bc")):
            kinds = tuple("space" if a in "yx" else "batch" if a == "b" else "channel" for a in axes)
            found = pipeline.block_axes(PipelineTensor(id="raw", axes=tuple(axes), kinds=kinds, dtype="float32", ops=()))
            assert found == tuple(expected)

    def test_described_single_item(self, tmp_path: Path) -> None:
        """Run modes see that a model is described with a single item per batch."""
        seen: list[Pipeline] = []

        @attrs.frozen
        class Watching(SlicesAlongZ):
            def plan(self, pipeline: Pipeline) -> Pipeline:
                seen.append(pipeline)
                return super().plan(pipeline)

        path = model(tmp_path)
        tree = yaml.safe_load((path / "bioimageio.yaml").read_text())
        for described in (tree["inputs"][0], tree["outputs"][0]):
            described["axes"][0] = {"type": "batch", "size": 1}
        (path / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        predictor(path, Watching()).plan(noise(20, 30, 40), axes="zyx")
        assert [t.sizes[0].step for t in (*seen[0].inputs, *seen[0].outputs)] == [0, 0]


class TestPooling:
    """Statistics over the axis that an added axis is like extend over it."""

    def test_axes_of(self) -> None:
        """Pooled extra axes, added axes, and those that the op names, in the order of the tensor."""
        pooling = Pooling(extra=("time",), added={"z": "y"})
        axes = ("time", "batch", "channel", "z", "y", "x")
        assert pooling.axes_of(Measure(kind="mean", axes=("x", "y")), axes, 1) == ("time", "z", "y", "x")
        assert pooling.axes_of(Measure(kind="mean", axes=("x",)), axes, 1) == ("time", "x")
        assert pooling.axes_of(Measure(kind="mean", axes=("y",)), axes, 0) == ("z", "y")  # an own axis of the model is no extra one

    def test_mean_of_the_volume(self, tmp_path: Path) -> None:
        """Over y and x means over the volume; over x alone, the mean is one for each z and y."""
        volume = noise(20, 30, 40)
        for axes, over in ((["y", "x"], (0, 1, 2)), (["x"], (2,))):
            path = model(tmp_path, pre=[{"id": "zero_mean_unit_variance", "kwargs": {"axes": axes}}])
            found = predictor(path, SlicesAlongZ(), block={"z": 20, "y": 24, "x": 32}).predict(volume, axes="zyx")["out"]
            exact = volume.astype(np.float64)
            ready = (exact - exact.mean(over, keepdims=True)) / (exact.std(over, keepdims=True) + 1e-6)
            padded = np.pad(ready, [(0, 0), (1, 1), (1, 1)], mode="symmetric")
            expected = sum(padded[:, i : i + 30, j : j + 40] for i in range(3) for j in range(3)) / 9
            np.testing.assert_allclose(np.asarray(found)[0, 0], expected, atol=1e-4)
