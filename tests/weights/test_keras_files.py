"""Keras files that would open other files, found without Keras."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bioimageio_core.errors import ModelRunError
from bioimageio_core.weights.keras_files import check_keras_config, read_keras_file


def network(layer: dict[str, Any]) -> dict[str, Any]:
    """Return a network with a layer within a network."""
    inner = {"class_name": "Sequential", "config": {"name": "inner", "layers": [layer]}}
    return {"class_name": "Functional", "config": {"name": "outer", "layers": [inner]}}


class TestLayersThatOpenFiles:
    """Settings that are lists or names of files."""

    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("StringLookup", "vocabulary"),
            ("IntegerLookup", "vocabulary"),
            ("TextVectorization", "vocabulary"),
            ("TextVectorization", "idf_weights"),
            ("VocabularyFileCategoricalColumn", "vocabulary_file"),
            ("EmbeddingColumn", "ckpt_to_load_from"),
        ],
    )
    def test_names_of_files(self, name: str, key: str) -> None:
        """Refused, whichever version of Keras wrote the layer."""
        for module in ({}, {"module": "keras.layers", "registered_name": None}):
            layer = {"class_name": name, "config": {"name": "l", key: "/etc/passwd"}, **module}
            with pytest.raises(ModelRunError, match=rf"w\.h5 holds a {name} layer that reads the file /etc/passwd \({key}\)"):
                check_keras_config(network(layer), "w.h5")

    def test_lists(self) -> None:
        """Lists and nothing are what networks hold."""
        for value in (["a", "b"], None, [0.5]):
            check_keras_config(network({"class_name": "StringLookup", "config": {"vocabulary": value, "idf_weights": value}}), "w.h5")

    def test_file(self, tmp_path: Path) -> None:
        """A file is refused before Keras reads it."""
        layer = {"class_name": "StringLookup", "config": {"vocabulary": "secret\ntxt"}, "module": "keras.layers"}
        with zipfile.ZipFile(tmp_path / "w.keras", "w") as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
            archive.writestr("config.json", json.dumps(network(layer)))
            archive.writestr("model.weights.h5", b"")
        with pytest.raises(ModelRunError, match=r"w\.keras holds a StringLookup layer that reads the file secret txt"):
            read_keras_file(tmp_path / "w.keras")
