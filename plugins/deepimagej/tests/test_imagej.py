"""Macros beside a real ImageJ, which the environment variable BMZ_IMAGEJ names."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bioimageio_runtime_deepimagej import ImagejMacroKwargs
from bioimageio_runtime_deepimagej.imagej import LocalImagej, may_run
from bioimageio_runtime_deepimagej.macro_op import macro_needs, make_macro_op
from bioimageio_runtime_deepimagej.macro_writing import write_macros
from made_models import box_model
from test_macros import AXES, applied
from written_macros import BINARIZE, CASES, SCALE_LINEAR, Array, pixels

import bioimageio_core as bc
from bioimageio_core.errors import InputError, ModelRunError

MEDIAN = 'run("Median...", "radius=1");'
"""A command that nothing but ImageJ has here."""


@pytest.fixture
def imagej() -> LocalImagej:
    """The ImageJ."""
    if not os.environ.get("BMZ_IMAGEJ"):
        pytest.skip("BMZ_IMAGEJ names no ij.jar of an ImageJ: the nox session imagej has one")
    return LocalImagej.configured()


class TestSameNumbers:
    """What ImageJ computes with a macro."""

    @pytest.mark.parametrize("macro", [m for _, m, _ in CASES], ids=[name for name, _, _ in CASES])
    def test_macros(self, imagej: LocalImagej, macro: str) -> None:
        """The op gives the same: ImageJ prints numbers with four digits behind the point, so that some are 8e-5 off."""
        image = pixels()
        found = imagej.run(macro, "a.ijm", image[np.newaxis])[0]
        np.testing.assert_allclose(applied(macro, image), found, rtol=8e-5, atol=2e-6)

    @pytest.mark.parametrize(
        ("op", "expected", "tolerance"),
        [
            ({"id": "scale_linear", "kwargs": {"gain": 0.123456789, "offset": -1e-3}}, lambda a: a * 0.123456789 - 1e-3, 1e-6),
            (
                {"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": 12.3456789, "std": 3.21}},
                lambda a: (a - 12.3456789) / 3.210001,
                3e-6,
            ),
            ({"id": "zero_mean_unit_variance", "kwargs": {}}, lambda a: (a - a.mean()) / (a.std() + 1e-6), 2e-6),
            ({"id": "scale_range", "kwargs": {}}, lambda a: (a - a.min()) / (np.ptp(a) + 1e-6), 1e-6),
            (
                {"id": "scale_range", "kwargs": {"min_percentile": 1, "max_percentile": 99.8}},
                lambda a: (a - np.percentile(a, 1)) / (np.percentile(a, 99.8) - np.percentile(a, 1) + 1e-6),
                1e-3,
            ),
            ({"id": "binarize", "kwargs": {"threshold": 50}}, lambda a: np.where(a > 50, 1.0, 0.0), 0),
            ({"id": "clip", "kwargs": {"min": 10, "max": 60.5}}, lambda a: np.clip(a, 10, 60.5), 0),
            ({"id": "sigmoid"}, lambda a: 1 / (1 + np.exp(-a)), 1e-6),
        ],
        ids=lambda value: value["id"] if isinstance(value, dict) else "",
    )
    def test_written(self, imagej: LocalImagej, op: dict[str, object], expected: Callable[[Array], Array], tolerance: float) -> None:
        """Macros that are written for ops compute what the ops do."""
        (text,) = write_macros([op], "a.ijm", "raw", planes=False).files.values()
        image = pixels()
        wanted = expected(image.astype(np.float64))
        np.testing.assert_allclose(imagej.run(text, "a.ijm", image[np.newaxis])[0], wanted, rtol=0, atol=tolerance)
        np.testing.assert_allclose(applied(text, image), wanted, rtol=0, atol=tolerance)

    def test_stack(self, imagej: LocalImagej) -> None:
        """With the option ``stack`` all planes are changed."""
        image = np.stack([pixels(), pixels()[::-1]])
        np.testing.assert_allclose(imagej.run(SCALE_LINEAR.format(gain=2, offset=1), "a.ijm", image), image * 2 + 1, rtol=1e-6)


class TestTrusted:
    """Macros that only ImageJ can carry out."""

    def test_runs(self, imagej: LocalImagej, monkeypatch: pytest.MonkeyPatch) -> None:
        """A trusted macro is run on the whole sample."""
        kwargs = ImagejMacroKwargs(macro=MEDIAN, name="median.ijm")
        monkeypatch.setenv("BMZ_IMAGEJ_TRUST", hashlib.sha256(MEDIAN.encode()).hexdigest())
        assert macro_needs(kwargs, AXES).whole_sample
        image = pixels()[np.newaxis, np.newaxis]
        found = make_macro_op(kwargs, AXES)(image, {})[0, 0]
        square = np.stack([np.roll(image[0, 0], (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)])
        np.testing.assert_array_equal(found[2:-2, 2:-2], np.median(square, axis=0)[2:-2, 2:-2])

    def test_predicts(self, imagej: LocalImagej, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A model with such a macro predicts in blocks what it does for the whole; not trusted, it is refused before anything is there."""
        model = box_model(tmp_path, {"min": 8, "step": 4}, preprocessing=[{"id": "imagej_macro", "kwargs": {"macro": MEDIAN}}])
        image = pixels(60, 50)
        with pytest.raises(InputError, match="cannot be carried out"):
            bc.predict(model, image, str(tmp_path / "out.zarr"))
        assert not (tmp_path / "out.zarr").exists()
        monkeypatch.setenv("BMZ_IMAGEJ_TRUST", "all")
        found = np.asarray(bc.predict(model, image, block={"y": 16, "x": 16})["out"])[0, 0]
        wide = np.pad(imagej.run(MEDIAN, "a.ijm", image[np.newaxis])[0].astype(np.float64), 1, mode="symmetric")
        mean = sum(wide[y : y + 60, x : x + 50] for y in range(3) for x in range(3)) / 9
        np.testing.assert_allclose(found[3:-3, 3:-3], mean[3:-3, 3:-3], rtol=1e-5)

    def test_not_trusted(self, imagej: LocalImagej, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another macro is not run."""
        monkeypatch.setenv("BMZ_IMAGEJ_TRUST", hashlib.sha256(b"another").hexdigest())
        with pytest.raises(InputError, match=r"runs the command 'Median...'"):
            macro_needs(ImagejMacroKwargs(macro=MEDIAN), AXES)

    def test_fails(self, imagej: LocalImagej) -> None:
        """A macro that ends in a dialog is given up after some seconds, and all that was started ends."""
        with pytest.raises(ModelRunError, match=r"macro 'a.ijm' in ImageJ did not end within 4 s"):
            LocalImagej(jar=imagej.jar, timeout=4).run('waitForUser("never");', "a.ijm", pixels()[np.newaxis])

    def test_other_size(self, imagej: LocalImagej) -> None:
        """A macro that changes the size of the image is refused."""
        with pytest.raises(ModelRunError, match=r"expected \(50, 40, 1\)"):
            imagej.run('run("Size...", "width=10 height=10 interpolation=None");', "a.ijm", pixels()[np.newaxis])


class TestConfigured:
    """Which ImageJ may be used; none has to be there."""

    def test_by_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the variable none is."""
        monkeypatch.delenv("BMZ_IMAGEJ", raising=False)
        monkeypatch.setenv("BMZ_IMAGEJ_TRUST", "all")
        assert not may_run(BINARIZE)

    def test_trust(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is trusted but what is named, or all."""
        monkeypatch.setenv("BMZ_IMAGEJ", str(tmp_path / "ij.jar"))
        for trust, allowed in (("", False), ("all", True), (hashlib.sha256(BINARIZE.encode()).hexdigest(), True), ("0" * 64, False)):
            monkeypatch.setenv("BMZ_IMAGEJ_TRUST", trust)
            assert may_run(BINARIZE) is allowed
        with pytest.raises(InputError, match=r"expected the file ij.jar"):
            LocalImagej.configured()

    def test_seconds(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A timeout is in seconds."""
        (tmp_path / "ij.jar").write_bytes(b"")
        monkeypatch.setenv("BMZ_IMAGEJ", str(tmp_path / "ij.jar"))
        monkeypatch.setenv("BMZ_IMAGEJ_TIMEOUT", "soon")
        with pytest.raises(InputError, match="expected seconds"):
            LocalImagej.configured()
