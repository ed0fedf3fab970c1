"""Parts of images: regions of interest, masks, empty blocks."""

from __future__ import annotations

import re
import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from made_models import (
    BATCH,
    box_model,
    channels,
    follows,
    pointwise_model,
    pool_graph,
    resample_graph,
    save_description_0_5,
    space,
    tensor,
)

import bioimageio_core as bc
from bioimageio_core.errors import InputError, PredictionWarning
from bioimageio_core.prediction.planning.plan_json import plan_as_dict

ANY = {"min": 16, "step": 4}
NORMALISED = [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}]


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    """Return noise without zeros."""
    return np.random.default_rng(seed).random(shape, dtype=np.float32) + 0.5


def predicted(model: Path, image: Any, **options: Any) -> np.ndarray:
    """Return the output ``out``."""
    return np.asarray(bc.predict(model, image, **options)["out"])


class TestRegionOfInterest:
    """The law: the prediction of a region equals this region of the prediction of the whole image."""

    @settings(max_examples=40, deadline=None)
    @given(data=st.data())
    def test_is_part_of_the_whole(self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
        """For any region and any blocks; statistics are those of the whole image."""
        folder = tmp_path_factory.mktemp("model")
        model = box_model(folder, ANY, halo=4, preprocessing=NORMALISED)
        image = noise(data.draw(st.integers(17, 90)), 60)
        start = data.draw(st.integers(0, image.shape[0] - 1))
        stop = data.draw(st.integers(start + 1, image.shape[0]))
        block = data.draw(st.sampled_from([20, 28, 64]))
        whole = predicted(model, image)
        part = predicted(model, image, roi={"y": (start, stop), "x": slice(7, 43)}, block={"y": block, "x": block})
        np.testing.assert_allclose(part, whole[:, :, start:stop, 7:43], rtol=1e-5, atol=1e-6)

    def test_statistics_of_outputs(self, tmp_path: Path) -> None:
        """Postprocessing that needs the complete output is refused for a part, unless each position along the axis stands alone."""
        model, image = pointwise_model(tmp_path, post=NORMALISED), noise(3, 40, 30)
        with pytest.raises(InputError, match=r"postprocessing of output 'out' needs the complete output.*roi= along axis 'x'"):
            predicted(model, image, axes="tyx", roi={"x": (4, 9)})
        whole = predicted(model, image, axes="tyx")
        np.testing.assert_allclose(predicted(model, image, axes="tyx", roi={"t": (1, 3), "x": (0, 30)}), whole[1:], rtol=1e-6)
        with pytest.raises(InputError, match="along axis 'time'"):
            predicted(model, image, axes="tyx", roi={"t": (1, 3)}, stats_over="time")

    @pytest.mark.parametrize(
        ("roi", "rows"), [(slice(10, None), (10, 30)), (slice(None, 12), (0, 12)), ((None, 12), (0, 12)), ((7, None), (7, 30))]
    )
    def test_open_ends(self, tmp_path: Path, roi: Any, rows: tuple[int, int]) -> None:
        """An open end is that of the image."""
        image = noise(30, 20)
        part = predicted(pointwise_model(tmp_path, gain=2.0), image, axes="yx", roi={"y": roi})
        np.testing.assert_array_equal(part[0, 0], 2 * image[slice(*rows)])

    def test_phase_of_pooling(self, tmp_path: Path) -> None:
        """Blocks start on the stride of the network even if the region does not, so that poolings see the same cells."""
        pool_graph(tmp_path / "weights.onnx", size=8)
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), space("y", {"min": 32, "step": 8}), space("x", {"min": 32, "step": 8}))],
            [tensor("out", BATCH, channels(), *(space(a, follows(a), halo=8) for a in "yx"))],
        )
        image = noise(100, 90)
        whole = predicted(tmp_path, image)
        part = predicted(tmp_path, image, roi={"y": (13, 71), "x": (5, 88)}, block={"y": 32, "x": 48})
        np.testing.assert_array_equal(part, whole[:, :, 13:71, 5:88])

    @pytest.mark.parametrize(("up", "down"), [(2, 1), (1, 4)])
    def test_other_scale(self, tmp_path: Path, up: int, down: int) -> None:
        """The region is extended to integer pixels of outputs at a different scale."""
        resample_graph(tmp_path / "weights.onnx", up=up, down=down)
        ratio = Fraction(up, down)
        out = [space(a, follows(a), scale=float(1 / ratio)) for a in "yx"]
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), *(space(a, {"min": 16, "step": 4}) for a in "yx"))],
            [tensor("out", BATCH, channels(), *({**o, "halo": 2 if up == 2 else 1} for o in out))],
        )
        image = noise(64, 40)
        whole = predicted(tmp_path, image)
        part = predicted(tmp_path, image, roi={"y": (9, 30)}, block={"y": 32, "x": 32})
        low, high = int(9 // down * down * ratio), int(-(-30 // down) * down * ratio)
        np.testing.assert_allclose(part, whole[:, :, low:high], rtol=1e-6)

    def test_items(self, tmp_path: Path) -> None:
        """A region may select time points, for a model without time axis."""
        model = pointwise_model(tmp_path, gain=2.0)
        image = noise(6, 9, 8)
        part = predicted(model, image, axes="tyx", roi={"time": (2, 5), "x": (1, 4)})
        np.testing.assert_array_equal(part, 2 * image[2:5, None, None, :, 1:4])

    def test_fixed_size(self, tmp_path: Path) -> None:
        """Blocks of a fixed size cover the region, too."""
        model = box_model(tmp_path, 64, halo=4)
        image = noise(200, 150)
        whole = predicted(model, image)
        part = predicted(model, image, roi={"y": (33, 180), "x": (90, 150)})
        np.testing.assert_allclose(part[:, :, 4:-4], whole[:, :, 37:176, 90:], rtol=1e-5)

    def test_out_of_core(self, tmp_path: Path) -> None:
        """Chunks begin at the start of the region, which is part of the plan."""
        (tmp_path / "model").mkdir()
        model = box_model(tmp_path / "model", ANY, halo=4)
        image = noise(120, 120)
        bc.predict(model, image, tmp_path / "o.zarr", roi={"y": (9, 101)}, block={"y": 40, "x": 40})
        np.testing.assert_allclose(
            zarr.open_group(str(tmp_path / "o.zarr"), mode="r")["0"][...], predicted(model, image)[0, :, 9:101], rtol=1e-6
        )
        plan = bc.open_predictor(model).plan(image, roi={"y": (9, 101)})
        assert plan_as_dict(plan)["outputs"]["out"]["origin"] == [0, 0, 9, 0]

    @pytest.mark.parametrize(
        ("roi", "message"),
        [
            ({"y": (5, 5)}, "roi along axis 'y' is 5:5: expected a nonempty part of 0:30"),
            ({"y": (0, 31)}, "expected a nonempty part of 0:30"),
            ({"Z": (0, 3)}, "roi names the axis 'z'"),
            ({"channel": (0, 1)}, "roi= names the axis 'channel', which is never cut"),
            ({"y": slice(-3, None)}, "expected a start and a stop"),
            ({"y": slice(30, None)}, "roi along axis 'y' is 30:30: expected a nonempty part of 0:30"),
        ],
    )
    def test_refused(self, tmp_path: Path, roi: dict[str, Any], message: str) -> None:
        """Regions outside of the image, empty regions, and axes that are never cut are refused."""
        with pytest.raises(InputError, match=message):
            bc.predict(pointwise_model(tmp_path), noise(30, 30), axes="yx", roi=roi)


class TestMask:
    """The law: pixels within the mask are as without a mask, and the rest is 0."""

    @settings(max_examples=25, deadline=None)
    @given(data=st.data())
    def test_any_mask(self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
        """The mask may be coarser or finer than the image, for any blocks."""
        model = box_model(tmp_path_factory.mktemp("model"), ANY, halo=4)
        image = noise(61, 53)
        shape = data.draw(st.tuples(st.integers(1, 130), st.integers(1, 110)))
        mask = np.random.default_rng(data.draw(st.integers(0, 99))).random(shape) < data.draw(st.sampled_from([0.05, 0.5]))
        block = data.draw(st.sampled_from([20, 64]))
        found = predicted(model, image, mask=mask, block={"y": block, "x": block})
        rows = np.arange(61) * shape[0] // 61
        columns = np.arange(53) * shape[1] // 53
        expected = np.where(mask[np.ix_(rows, columns)], predicted(model, image), 0)
        np.testing.assert_allclose(found, expected, rtol=1e-5)

    def test_other_blocks_are_not_read(self, tmp_path: Path) -> None:
        """Blocks outside of the mask are neither read nor computed."""
        model = box_model(tmp_path, ANY, halo=4)
        image = noise(200, 200)
        read: list[tuple[slice, ...]] = []

        class Watched:
            shape, dtype = image.shape, image.dtype

            def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
                read.append(index)
                return image[index]

        mask = np.zeros((200, 200), bool)
        mask[150:160, 20:30] = True
        found = predicted(model, Watched(), axes="yx", mask=mask, block={"y": 40, "x": 40}, skip_empty=False)
        assert 1 <= len(read) <= 2
        assert found[0, 0, 155, 25] > 0
        assert found[0, 0, 100].max() == 0

    @pytest.mark.parametrize("block", [16, 64])
    def test_statistics_of_outputs(self, tmp_path: Path, block: int) -> None:
        """Statistics of an output are those of all its pixels, whatever the mask and the blocks; a warning says that all are computed."""
        model, image = pointwise_model(tmp_path, post=NORMALISED), noise(64, 64) + np.linspace(0, 9, 64, dtype=np.float32)
        image[:, 40:] = 0
        mask = np.zeros((64, 64), bool)
        mask[:20, :20] = True
        whole = predicted(model, image)
        with pytest.warns(PredictionWarning, match=r"needs the complete output.*all blocks are computed, and mask= only sets"):
            masked = predicted(model, image, mask=mask, block=block)
        np.testing.assert_allclose(masked, np.where(mask, whole, 0), rtol=1e-5, atol=1e-6)
        with pytest.warns(PredictionWarning, match=r"skip_empty= is ignored"):
            np.testing.assert_allclose(predicted(model, image, skip_empty=True, block=block), whole, rtol=1e-5, atol=1e-6)

    def test_with_time(self, tmp_path: Path) -> None:
        """A mask without time axis applies to all time points; a mask with named axes may have any order."""
        model = pointwise_model(tmp_path, gain=1.0)
        image = noise(3, 10, 8)
        mask = zarr.create_array(str(tmp_path / "mask.zarr"), data=np.eye(8, 10, dtype="uint8"), dimension_names=("x", "y"))
        found = predicted(model, image, axes="tyx", mask=mask)
        np.testing.assert_array_equal(found[:, 0, 0], image * np.eye(10, 8))

    def test_after_ops_of_the_whole(self, tmp_path: Path) -> None:
        """If postprocessing needs statistics of the whole output, the mask is applied last."""
        model = pointwise_model(tmp_path, post=NORMALISED)
        image, mask = noise(40, 40), np.eye(40)
        whole = predicted(model, image)
        assert whole.mean() == pytest.approx(0, abs=1e-5)
        masked = predicted(model, image, mask=np.ones((1, 1)))
        np.testing.assert_allclose(masked, whole, rtol=1e-6)
        assert (predicted(model, image, mask=mask)[0, 0] != 0).sum() <= 40

    @pytest.mark.parametrize(
        ("shape", "mask", "roi", "doubt"),
        [
            ((40, 60), (40, 60), {}, None),
            ((40, 60), (10, 15), {}, None),
            ((41, 60), (6, 8), {}, None),  # of a pyramid whose sizes are rounded up or down
            ((40, 60), (40, 15), {}, None),  # coarser along one axis
            ((40, 60), (28, 42), {}, None),  # by 0.7 along both
            ((40, 60), (80, 1), {}, None),
            ((40, 60), (60, 40), {}, "another factor along each axis"),  # transposed
            ((40, 60), (33, 60), {}, "the mask has 33 pixels along y, 60 pixels along x, the image 40, 60"),
            ((40, 60), (20, 30), {"y": (0, 20), "x": (10, 40)}, r"as roi=, the image 40, 60"),
            ((40, 60), (40, 25), {"x": (10, 35)}, r"as roi="),
            ((40, 60), (40, 60), {"x": (10, 35)}, None),
            ((40, 60), (40, 60), {"x": (0, None)}, None),
        ],
    )
    def test_doubtful_sizes(
        self, tmp_path: Path, shape: tuple[int, int], mask: tuple[int, int], roi: dict[str, Any], doubt: str | None
    ) -> None:
        """A mask that is transposed, of a part, or of another image is stretched, with a warning; one of a pyramid without."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", PredictionWarning)
            bc.predict(pointwise_model(tmp_path), noise(*shape), axes="yx", mask=np.ones(mask, bool), roi=roi)
        lines = [str(w.message) for w in caught if "mask" in str(w.message)]
        assert len(lines) == (doubt is not None)
        assert doubt is None or re.search(doubt, lines[0])

    def test_refused(self, tmp_path: Path) -> None:
        """A mask with wrong axes is refused."""
        model = pointwise_model(tmp_path)
        with pytest.raises(InputError, match="the mask has 3 axes of sizes"):
            bc.predict(model, noise(9, 9), mask=np.ones((2, 9, 9)))


class TestEmptyBlocks:
    """Blocks whose pixels are all 0."""

    def test_left_out(self, tmp_path: Path) -> None:
        """Skipped blocks are 0 in the output; all other blocks are computed as usual."""
        model = pointwise_model(tmp_path, size={"min": 16, "step": 16}, offset=1.0)
        image = np.zeros((64, 64), np.float32)
        image[40, 40] = 5
        found = predicted(model, image, block={"y": 16, "x": 16}, skip_empty=True)[0, 0]
        expected = np.zeros((64, 64))
        expected[32:48, 32:48] = 1
        expected[40, 40] = 6
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(predicted(model, image, block={"y": 16, "x": 16})[0, 0], image + 1)

    def test_nothing_at_all(self, tmp_path: Path) -> None:
        """The output of an image of zeros is 0, in memory and on disk."""
        (tmp_path / "model").mkdir()
        model = pointwise_model(tmp_path / "model", offset=1.0)
        for output in (None, tmp_path / "o.zarr"):
            out = bc.predict(model, np.zeros((30, 30), np.float32), output, skip_empty=True)["out"]
            assert out.shape == (1, 1, 30, 30)
            assert not np.asarray(out).any()
