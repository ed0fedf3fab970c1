"""Packages that the reference implementation opens, with their files."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from judge import Judge

import bioimageio_core as bc
from bioimageio_core.errors import SourceError


class TestSharedModels:
    @pytest.mark.parametrize("ending", ["", ".zip"])
    def test_valid_there(self, shared: Path, judge: Judge, tmp_path: Path, ending: str) -> None:
        """What is packed from complete models is valid with all its files."""
        packed = 0
        for path in sorted((shared / "models").glob("*/*.yaml")):
            if path.name == "environment.yaml" or bc.validate(path).status == "invalid":
                continue
            target = tmp_path / f"{path.parent.name}-{path.stem}{ending}"
            try:
                bc.save_package(path, target)
            except SourceError:
                continue  # some of its files are not there
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert judge.errors_of_package(target) == (), target.name
            packed += 1
        assert packed >= 8
