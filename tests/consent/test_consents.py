"""Consents that code of a model may run: kept, tied to what was looked at, and asked for again when it changes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from bmz_process import run_process
from made_models import pointwise_model

import bioimageio_core as bc
from bioimageio_core.api import keep_consent, proposed_consent
from bioimageio_core.consent import consents_from_environment
from bioimageio_core.consent.kept_consents import FILE
from bioimageio_core.errors import InputError, OutputError, TrustError
from bioimageio_core.sources import open_package

IMAGE = np.arange(400, dtype=np.float32).reshape(20, 20)
CODE = "import helper\ndef make(times):\n    return lambda array: array * times + helper.SHIFT\n"


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of settings for each test."""
    monkeypatch.setenv("BMZ_CONFIG", str(tmp_path / "settings"))
    return tmp_path / "settings"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with code and an attachment that the code imports."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "post.py").write_text(CODE)
    (folder / "helper.py").write_text("SHIFT = 1.0\n")
    step = {"id": "custom", "source": "post.py", "callable": "make", "kwargs": {"times": 3.0}}
    newest = {"format_version": "0.5.14", "documentation": {"source": "README.md"}, "attachments": [{"source": "helper.py"}]}
    return pointwise_model(folder, post=[step], **newest)


def predicted(model: Path | str, **options: Any) -> np.ndarray[Any, Any]:
    """Return the prediction as numpy, without batch and channel."""
    return np.asarray(bc.predict(model, IMAGE, axes="yx", **options)["out"]).squeeze()


class TestTrusted:
    """What a consent allows."""

    def test_from_now_on(self, model: Path) -> None:
        """The code runs without a word, in every way to use the model."""
        with pytest.raises(TrustError, match="trust=True"):
            predicted(model)
        consent = bc.trust_model(model)
        assert consent.files.keys() == {"post.py", "helper.py", "weights.onnx"}
        np.testing.assert_array_equal(predicted(model), IMAGE * 3 + 1)
        with bc.open_predictor(model) as predictor:
            np.testing.assert_array_equal(np.asarray(predictor.predict(IMAGE, axes="yx")["out"]).squeeze(), IMAGE * 3 + 1)

    def test_same_model_elsewhere(self, model: Path, tmp_path: Path) -> None:
        """What was trusted is the content, wherever it lies."""
        bc.trust_model(model)
        with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
            for file in model.iterdir():
                archive.write(file, file.name)
        np.testing.assert_array_equal(predicted(tmp_path / "model.zip"), IMAGE * 3 + 1)

    @pytest.mark.parametrize("name", ["post.py", "helper.py"])
    def test_other_code(self, model: Path, name: str) -> None:
        """A model of which a file changed is one that is not trusted, until it is trusted again."""
        bc.trust_model(model)
        (model / name).write_text((model / name).read_text() + "\n")
        with pytest.raises(TrustError, match="from now on"):
            predicted(model)
        bc.trust_model(model)
        np.testing.assert_array_equal(predicted(model), IMAGE * 3 + 1)

    def test_other_arguments(self, model: Path) -> None:
        """A description that calls the code in another way is another matter."""
        bc.trust_model(model)
        path = model / "bioimageio.yaml"
        tree = yaml.safe_load(path.read_text())
        tree["outputs"][0]["postprocessing"][0]["kwargs"]["times"] = 4.0
        path.write_text(yaml.safe_dump(tree))
        with pytest.raises(TrustError):
            predicted(model)
        np.testing.assert_array_equal(predicted(model, trust=True), IMAGE * 4 + 1)

    def test_what_was_shown_is_kept(self, model: Path) -> None:
        """Not what the files hold when the user has answered."""
        consent, parts = proposed_consent(model)
        (model / "post.py").write_text("raise SystemExit\n")
        keep_consent(consent)
        assert {part.name: part.sha256 for part in parts} == dict(consent.files)
        with pytest.raises(TrustError):
            predicted(model)

    def test_models_described_alike(self, tmp_path: Path) -> None:
        """Each has a consent of its own, and a model that needs no trust runs whichever is trusted."""
        folders = [tmp_path / "1", tmp_path / "2"]
        for number, folder in enumerate(folders, start=1):
            folder.mkdir()
            pointwise_model(folder)
            (folder / "weights.onnx").write_bytes((folder / "weights.onnx").read_bytes() + b"\x32\x01" + b"%d" % number)
        first = bc.trust_model(folders[0])
        assert predicted(folders[1]).shape == IMAGE.shape
        second = bc.trust_model(folders[1])
        assert bc.trusted_models() == (first, second)
        assert bc.revoke_trust(folders[0]) == (first,)
        assert bc.trusted_models() == (second,)

    def test_other_words(self, model: Path) -> None:
        """What cannot change which code runs may change."""
        bc.trust_model(model)
        path = model / "bioimageio.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"description": "A better one."}))
        np.testing.assert_array_equal(predicted(model), IMAGE * 3 + 1)

    def test_what_was_compared_runs(self, model: Path) -> None:
        """Code is a copy by then: a file that is exchanged between the comparison and the import changes nothing."""
        consent = bc.trust_model(model)
        with open_package(str(model)) as package:
            package.trusted.update(consent.files)  # type: ignore[attr-defined]
            path = package.local("post.py")
            (model / "post.py").write_text("raise SystemExit\n")
            assert path.read_text() == CODE

    def test_revoked(self, model: Path) -> None:
        """By the model, or by what the list says of it, where the model is gone."""
        consent = bc.trust_model(model)
        assert bc.trusted_models() == (consent,)
        assert bc.revoke_trust(model) == (consent,)
        with pytest.raises(TrustError):
            predicted(model)
        with pytest.raises(InputError, match="is not trusted"):
            bc.revoke_trust(model)
        bc.trust_model(model)
        assert bc.revoke_trust(consent.source) == (consent,)
        assert bc.trusted_models() == ()


class TestKept:
    """The file of consents."""

    @pytest.mark.parametrize("content", ["", "[]", '{"a": 3}', '{"a": {"model": "m"}}', "\0"])
    def test_damaged(self, model: Path, settings: Path, content: str) -> None:
        """It gives no consent, and the next one can be kept."""
        settings.mkdir()
        (settings / FILE).write_text(content)
        assert bc.trusted_models() == ()
        with pytest.raises(TrustError):
            predicted(model)
        bc.trust_model(model)
        assert predicted(model).shape == IMAGE.shape

    def test_no_place(self, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The folder cannot be made: one sentence with the way out."""
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("BMZ_CONFIG", str(tmp_path / "file" / "settings"))
        assert bc.trusted_models() == ()
        with pytest.raises(OutputError, match="BMZ_CONFIG names another folder"):
            bc.trust_model(model)

    def test_in_the_users_settings(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Where no folder is named; without a home there are no consents."""
        monkeypatch.delenv("BMZ_CONFIG")
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        monkeypatch.setattr(Path, "home", lambda: tmp_path)
        folder = consents_from_environment().folder
        assert folder is not None
        assert folder.is_relative_to(tmp_path)


class TestCommand:
    """``bmz trust``."""

    def test_from_asking_to_revoking(self, model: Path) -> None:
        """It lists what may run, and needs an answer."""
        ran = run_process("trust", model)
        assert (ran.status, ran.err.count("--yes")) == (2, 1)
        assert bc.trusted_models() == ()
        assert "post.py" in ran.out
        assert "outputs.0.postprocessing.0.source" in ran.out
        assert run_process("trust", model, "--yes").out.splitlines()[-1].endswith("bioimageio.yaml: trusted")
        assert json.loads(run_process("trust", "--list", "--json").out)[0]["model"] == "made model"
        assert "made model" in run_process("trust", "--list").out
        assert "no longer trusted" in run_process("trust", model, "--revoke").out
        assert run_process("trust", "--list").out == "no model is trusted\n"

    def test_usage(self) -> None:
        assert "expected MODEL, or --list" in run_process("trust").error(2)
