"""Models, weights and images in repositories of the Hugging Face Hub."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
import yaml
import zarr
from bmz_process import run_process
from hub_server import Hub
from made_models import box_model

import bioimageio_core as bc
from bioimageio_core.errors import SourceError
from bioimageio_core.io import open_image
from bioimageio_core.sources import open_package
from bioimageio_core.text import without_secrets

IMAGE = np.random.default_rng(0).random((20, 20), dtype=np.float32)

needs_hub = pytest.mark.skipif(
    importlib.util.find_spec("huggingface_hub") is None, reason="huggingface_hub, which reads hf://, is not installed"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mean filter of 16 pixels."""
    return box_model(tmp_path_factory.mktemp("model"), 16)


@pytest.fixture(scope="module")
def expected(model: Path) -> np.ndarray[Any, Any]:
    """What it makes of `IMAGE`."""
    return np.asarray(bc.predict(model, IMAGE)["out"])


@pytest.fixture
def hub(tmp_path: Path, model: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub with models, whose client has an empty home and no token."""
    folder = tmp_path / "hub"
    for place in (
        "lab/unet-1.5/main",
        "lab/unet-1.5/v2.0",
        "lab/deep/main/models/box",
        "lab/private/main",
        "lab/slow/main",
        "lab/drip/main",
        "lab/cut/main",
    ):
        target = folder / place
        target.mkdir(parents=True)
        for path in model.iterdir():
            (target / path.name).write_bytes(path.read_bytes())
    description = folder / "lab/unet-1.5/v2.0/bioimageio.yaml"
    description.write_text(description.read_text().replace("description: ", "description: second "))
    bc.save_package(model, folder / "lab/unet-1.5/main/model.zip")
    np.save(folder / "lab/unet-1.5/main/image.npy", IMAGE)
    served = Hub(folder)
    monkeypatch.setenv("HF_ENDPOINT", served.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    yield served
    served.close()


def check(source: Any, expected: np.ndarray[Any, Any]) -> None:
    """Predict, and compare."""
    np.testing.assert_array_equal(np.asarray(bc.predict(source, IMAGE)["out"]), expected)


SOURCES = (
    "hf://lab/unet-1.5",
    "hf://lab/unet-1.5/",
    "hf://lab/unet-1.5@v2.0",
    "hf://lab/unet-1.5/bioimageio.yaml",
    "hf://lab/unet-1.5@v2.0/bioimageio.yaml",
    "hf://lab/unet-1.5/model.zip",
    "hf://lab/deep/models/box",
)


@needs_hub
class TestModels:
    """Sources of models."""

    def test_each_kind(self, hub: Hub, expected: np.ndarray[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """Repositories, folders, descriptions and zips, with revisions; all are there without the Hub, too."""
        for source in SOURCES:
            check(source, expected)
        hub.close()
        monkeypatch.setenv("BMZ_OFFLINE", "1")
        for source in SOURCES:
            check(source, expected)

    def test_revisions(self, hub: Hub) -> None:
        """What follows the @ is read, and shown, as it is no password."""
        first, second = bc.load_description("hf://lab/unet-1.5"), bc.load_description("hf://lab/unet-1.5@v2.0")
        assert second.description == f"second {first.description}"
        with open_package("hf://lab/unet-1.5@v2.0") as package:
            assert package.name == "hf://lab/unet-1.5@v2.0/bioimageio.yaml"
        assert without_secrets("hf://a/b@main/x and s3://u:p@h/x") == "hf://a/b@main/x and s3://h/x"

    def test_fetched_once(self, hub: Hub, model: Path) -> None:
        """A file that did not change is not fetched again; one that was replaced is."""
        bc.load_description("hf://lab/unet-1.5")
        before = hub.asked["lab/unet-1.5/resolve/main/bioimageio.yaml"]
        bc.load_description("hf://lab/unet-1.5")
        assert hub.asked["lab/unet-1.5/resolve/main/bioimageio.yaml"] == before > 0
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        (hub.folder / "lab/unet-1.5/main/bioimageio.yaml").write_text(yaml.safe_dump({**tree, "description": "changed"}))
        assert bc.load_description("hf://lab/unet-1.5").description == "changed"

    def test_weights(self, hub: Hub, model: Path, expected: np.ndarray[Any, Any]) -> None:
        """A description elsewhere names weights on the Hub."""
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        tree["weights"]["onnx"]["source"] = "hf://lab/unet-1.5/weights.onnx"
        check(tree, expected)

    def test_image(self, hub: Hub, model: Path, expected: np.ndarray[Any, Any]) -> None:
        """Images are read where they are."""
        np.testing.assert_array_equal(np.asarray(bc.predict(model, "hf://lab/unet-1.5/image.npy", axes="yx")["out"]), expected)

    @pytest.mark.parametrize("name", ["a.tif", "a.h5", "a.zarr"])
    def test_formats(self, hub: Hub, name: str) -> None:
        """Regions of files, and chunks of zarr."""
        folder = hub.folder / "lab/unet-1.5/main"
        tifffile.imwrite(folder / "a.tif", IMAGE, compression="zlib")
        zarr.create_array(str(folder / "a.zarr"), data=IMAGE, chunks=(10, 10), dimension_names=("y", "x"))
        with h5py.File(folder / "a.h5", "w") as file:
            file["raw"] = IMAGE
        region = open_image(f"hf://lab/unet-1.5/{name}").read((slice(0, 20), slice(3, 9)))
        np.testing.assert_array_equal(region, IMAGE[:, 3:9])

    def test_nothing_else_is_sent_or_kept(self, hub: Hub, tmp_path: Path, kept: Path) -> None:
        """No telemetry, and no cache but that of this library; the token is not printed."""
        env = {"HF_TOKEN": "hf_right", "BMZ_CACHE": str(kept), "HF_DEBUG": ""}
        ran = run_process("info", "hf://lab/private", env=env)
        assert ran.status == 0, ran.err
        assert ran.err == ""
        assert "hf_right" not in ran.out
        assert not [path for path in hub.asked if "telemetry" in path]
        assert not [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
        assert not [path for path in kept.rglob("*") if path.is_file() and b"hf_right" in path.read_bytes()]


@needs_hub
class TestFailures:
    """What is said where nothing can be read."""

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("hf://lab/nowhere", r"^hf://lab/nowhere cannot be read: the Hub has no such repository, or it is private: .*HF_TOKEN"),
            ("hf://lab/private", r"^hf://lab/private cannot be read: the Hub has no such repository, or it is private"),
            ("hf://lab/unet-1.5@v9", r"^hf://lab/unet-1\.5@v9 cannot be read: the repository has no such revision"),
            ("hf://lab/unet-1.5/nope.zip", r"^hf://lab/unet-1\.5/nope\.zip cannot be read: FileNotFoundError"),
            ("hf://lab/deep/models", r"^hf://lab/deep/models holds no description: expected a file named rdf\.yaml"),
            ("hf://unet", r"^hf://unet cannot be read: "),
        ],
    )
    def test_missing(self, hub: Hub, source: str, message: str) -> None:
        """Each with its URL."""
        with pytest.raises(SourceError, match=message):
            bc.load_description(source)

    def test_cut(self, hub: Hub, kept: Path) -> None:
        """A file that ends early is not used, and not kept."""
        with pytest.raises(SourceError, match=r"^hf://lab/cut/bioimageio\.yaml cannot be read: it has \d+ bytes, expected \d+"):
            bc.load_description("hf://lab/cut")
        assert not [path for path in (kept / "content").rglob("*") if path.is_file()]

    def test_error_of_the_server(self, hub: Hub) -> None:
        """Its status is named."""
        (hub.folder / "lab/broken/main").mkdir(parents=True)
        with pytest.raises(SourceError, match=r"hf://lab/broken cannot be read: the server answered 500"):
            bc.load_description("hf://lab/broken")

    @pytest.mark.parametrize("source", ["hf://lab/silent", "hf://lab/slow", "hf://lab/drip"])
    def test_silence(self, hub: Hub, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
        """A server that answers nothing, no list of files, or a few bytes at a time is given up after the time that BMZ_TIMEOUT names."""
        monkeypatch.setenv("BMZ_TIMEOUT", "0.5")
        with pytest.raises(SourceError, match=r"sent nothing for 0\.5 s.*BMZ_TIMEOUT"):
            bc.load_description(source)

    def test_nobody_there(self, hub: Hub) -> None:
        """A server that is gone is one sentence."""
        hub.close()
        with pytest.raises(SourceError, match=r"^hf://lab/unet-1\.5 cannot be read: ConnectE"):
            bc.load_description("hf://lab/unet-1.5")

    def test_image(self, hub: Hub, model: Path) -> None:
        """A missing image, and one of a missing repository."""
        for name in ("hf://lab/unet-1.5/nope.npy", "hf://lab/nowhere/image.npy"):
            with pytest.raises(SourceError, match=name):
                bc.predict(model, name, axes="yx")


class TestWithoutThePackage:
    """A missing package."""

    def test_named(self, kept: Path) -> None:
        """It is named with the extra that brings it."""
        code = "import sys\nsys.modules['huggingface_hub'] = None\nfrom bioimageio_core.cli import main; main()"
        line = run_process("info", "hf://lab/unet", code=code).error(2)
        assert line.startswith("bmz: hf://lab/unet needs a package that is not installed (")
        assert line.endswith("pip install 'bioimageio-runtime[hf]'")


@needs_hub
def test_telemetry_is_switched_off(hub: Hub) -> None:
    """In this process and in those that it starts."""
    bc.load_description("hf://lab/unet-1.5")
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert sys.modules["huggingface_hub"].constants.HF_HUB_DISABLE_TELEMETRY
