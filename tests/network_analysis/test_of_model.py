"""Described models: what is measured of them, where the description says less, and what is remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_models import BATCH, box_model, channels, follows, pool_graph, save_description_0_5, space, tensor

import bioimageio_core as bc


def stored(cache: Path) -> list[Path]:
    """Return the files of what is remembered."""
    return sorted((cache / "measured").glob("*.json"))


class TestRealModel:
    """A published network whose halo is too small."""

    def test_described_halo_is_too_small(self, shared: Path) -> None:
        """32 pixels are described; blocks differ by what 12 more hide, and by less than shows up to 54; with the remedy nothing differs."""
        pytest.importorskip("torch")
        model = shared / "models" / "unet2d_nuclei_broad"
        measured = bc.analyse_network(model, weights_format="torchscript")
        card = bc.card(model)
        assert [a.stride for a in measured.axes] == [8, 8]
        for shortfall, axis in zip(card.shortfalls, "yx", strict=True):  # type: ignore[attr-defined]
            assert (shortfall.kind, shortfall.axis, shortfall.described) == ("halo", axis, 32)
            assert 44 <= shortfall.measured <= 56
            assert f"--halo measured, or --halo {axis}=56" in shortfall.remedy
        assert bc.verify(model, halo="measured").equal


class TestShortfalls:
    """Descriptions beside their networks."""

    def test_step_that_is_no_multiple_of_the_stride(self, tmp_path: Path) -> None:
        """Is named with both, and with the option that helps."""
        pool_graph(tmp_path / "weights.onnx")
        axes = [BATCH, channels()]
        save_description_0_5(
            tmp_path,
            [tensor("raw", *axes, *(space(a, {"min": 64, "step": 4}) for a in "yx"))],
            [tensor("out", *axes, *(space(a, follows(a), halo=8) for a in "yx"))],
        )
        bc.analyse_network(tmp_path)
        found = [(s.kind, s.tensor, s.axis, s.described, s.measured, s.remedy) for s in bc.card(tmp_path).shortfalls]  # type: ignore[attr-defined]
        assert found == [("step", "raw", a, 4, 8, f"network_stride={{'{a}': 8}} (--network-stride {a}=8)") for a in "yx"]

    def test_enough(self, tmp_path: Path) -> None:
        """Nothing is said of a halo that is large enough."""
        box_model(tmp_path, {"min": 16, "step": 2}, halo=4, filter_size=9)
        bc.analyse_network(tmp_path)
        assert bc.card(tmp_path).shortfalls == ()  # type: ignore[attr-defined]


class TestRemembering:
    """The folder of what is kept between processes."""

    @pytest.fixture
    def cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """An empty one."""
        monkeypatch.setenv("BMZ_CACHE", str(tmp_path / "cache"))
        return tmp_path / "cache"

    def test_measured_once(self, tmp_path: Path, cache: Path) -> None:
        """What is remembered is returned; changed weights are others."""
        (tmp_path / "model").mkdir()
        model = box_model(tmp_path / "model", {"min": 16, "step": 1})
        measured = bc.analyse_network(model)
        (file,) = stored(cache)
        file.write_text(json.dumps({**measured.as_dict(), "calls": 7}))
        assert bc.analyse_network(model).calls == 7
        assert bc.analyse_network(model, again=True).calls == measured.calls
        box_model(model, {"min": 16, "step": 1}, filter_size=5)
        assert bc.card(model).measured is None  # type: ignore[attr-defined]

    def test_broken_and_cleared(self, tmp_path: Path, cache: Path) -> None:
        """A file that cannot be read counts as none, and clearing the cache forgets all."""
        from bioimageio_core.sources.cache import cache_from_environment

        (tmp_path / "model").mkdir()
        model = box_model(tmp_path / "model", {"min": 16, "step": 1})
        bc.analyse_network(model)
        (file,) = stored(cache)
        for text in ("", "{}", "[1]", '{"axes": 3}'):
            file.write_text(text)
            assert bc.card(model).measured is None  # type: ignore[attr-defined]
        cache_from_environment().clear()
        assert stored(cache) == []

    def test_folder_that_cannot_be_written(self, tmp_path: Path, cache: Path) -> None:
        """Costs the memory, not the measurement."""
        (tmp_path / "model").mkdir()
        model = box_model(tmp_path / "model", {"min": 16, "step": 1})
        cache.write_text("a file in the way")
        assert bc.analyse_network(model).calls > 0
        assert bc.card(model).measured is None  # type: ignore[attr-defined]
