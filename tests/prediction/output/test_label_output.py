"""Outputs in the group ``labels`` of an OME-Zarr image."""

from __future__ import annotations

import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import zarr
from made_models import pointwise_model

import bioimageio_core as bc
from bioimageio_core.errors import InputError, OutputError
from bioimageio_core.io import open_image

FORMATS = pytest.mark.parametrize(("zarr_format", "version"), [(2, "0.4"), (3, "0.5")])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Twice the image."""
    (tmp_path / "model").mkdir()
    return pointwise_model(tmp_path / "model", gain=2.0)


def image(path: Path, zarr_format: Literal[2, 3], *, consolidated: bool = False) -> Path:
    """Write an OME-Zarr image of value 1."""
    group = zarr.open_group(str(path), mode="w", zarr_format=zarr_format)
    axes = [{"name": name, "type": "space"} for name in "yx"]
    content: dict[str, Any] = {"multiscales": [{"axes": axes, "datasets": [{"path": "0"}]}]}
    group.attrs.update({"ome": {"version": "0.5", **content}} if zarr_format == 3 else content)
    group.create_array("0", data=np.full((9, 11), 1, np.float32))
    if consolidated:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            zarr.consolidate_metadata(str(path), zarr_format=zarr_format)
    return path


def ome(path: Path) -> dict[str, Any]:
    """Return the attributes of a group that OME-Zarr defines."""
    group = zarr.open_group(str(path), mode="r", use_consolidated=False)
    attributes: dict[str, Any] = dict(group.attrs)
    return attributes.get("ome", attributes)


ADD_TEN = """
import sys, time
from pathlib import Path
from bioimageio_core.io.writing.label_images import add_to_labels, labels_place
image, process, go = sys.argv[1:]
while not Path(go).exists():
    time.sleep(0.001)
for n in range(10):
    add_to_labels(labels_place(f"{image}/labels/{process}-{n}"), [""])
"""


@FORMATS
class TestLabels:
    """What readers of OME-Zarr look for."""

    def test_listed(self, tmp_path: Path, model: Path, zarr_format: Literal[2, 3], version: str) -> None:
        """Labels are OME-Zarr of the version of the image, lead back to it, and are listed, each once."""
        path = image(tmp_path / "a.zarr", zarr_format)
        for name, options in (("cells", {}), ("nuclei", {"ome": version}), ("cells", {"overwrite": True})):
            bc.predict(model, path, path / "labels" / name, dtype="uint8", value_range=(0, 255), **options)
        assert ome(path / "labels")["labels"] == ["cells", "nuclei"]
        found = ome(path / "labels/cells")
        assert found["image-label"] == {"version": version, "source": {"image": "../../"}}
        assert [axis["name"] for axis in found["multiscales"][0]["axes"]][-2:] == ["y", "x"]
        assert zarr.open_group(str(path / "labels/cells"), mode="r").metadata.zarr_format == zarr_format
        labels = open_image(path / "labels", scene="cells")
        assert labels.read((slice(0, 1),) * len(labels.shape)).item() == 2
        assert open_image(path).shape == (9, 11)

    def test_kept(self, tmp_path: Path, model: Path, zarr_format: Literal[2, 3], version: str) -> None:
        """Labels of others, and what else the group says, stay."""
        path = image(tmp_path / "a.zarr", zarr_format)
        labels = zarr.open_group(str(path / "labels"), mode="w", zarr_format=zarr_format)
        labels.attrs.update({"ome": {"version": version, "labels": ["old"]}} if zarr_format == 3 else {"labels": ["old"]})
        labels.attrs["mine"] = 1
        bc.predict(model, path, path / "labels/new", dtype="uint8", value_range=(0, 255))
        assert ome(path / "labels")["labels"] == ["old", "new"]
        assert zarr.open_group(str(path / "labels"), mode="r").attrs["mine"] == 1

    def test_consolidated(self, tmp_path: Path, model: Path, zarr_format: Literal[2, 3], version: str) -> None:
        """Copies of all metadata that groups above keep show the labels; other outputs in a group are shown, too."""
        path = image(tmp_path / "a.zarr", zarr_format, consolidated=True)
        bc.predict(model, path, path / "labels/cells", dtype="uint8", value_range=(0, 255))
        bc.predict(model, path, path / "probability", ome=version)
        group = zarr.open_group(str(path), mode="r", use_consolidated=True)
        assert {"labels", "labels/cells", "labels/cells/0", "probability/0"} <= {name for name, _ in group.members(max_depth=None)}

    def test_refused(self, tmp_path: Path, model: Path, zarr_format: Literal[2, 3], version: str) -> None:
        """Labels are integers, in the version of the image."""
        path = image(tmp_path / "a.zarr", zarr_format)
        with pytest.raises(OutputError, match=r"'out' is float32, but labels of an image are integers: make labels of it with an op"):
            bc.predict(model, path, path / "labels/cells")
        with pytest.raises(OutputError, match=r"uint8 that stands for floats in steps of 0\.00392, but .* ids: .*value_range=\(0, 255\)"):
            bc.predict(model, path, path / "labels/cells", dtype="uint8")
        other = "0.5" if version == "0.4" else "0.4"
        with pytest.raises(OutputError, match=rf"labels of an OME-Zarr {version} image: expected ome='{version}', found {other}"):
            bc.predict(model, path, path / "labels/cells", dtype="uint8", value_range=(0, 255), ome=other)
        assert not (path / "labels").exists()

    def test_group_of_all_labels(self, tmp_path: Path, model: Path, zarr_format: Literal[2, 3], version: str) -> None:
        """Labels need a name: no output replaces the group of all labels."""
        path = image(tmp_path / "a.zarr", zarr_format)
        for n in range(2):
            for output in (f"{path}/labels", f"{path}//labels/", f"{path}/labels/."):
                with pytest.raises(OutputError, match=r"is the group of all labels of .*a\.zarr: expected a name in it"):
                    bc.predict(model, image(tmp_path / "b.zarr", zarr_format), output, dtype="uint8", value_range=(0, 255), overwrite=True)
            assert (path / "labels").exists() == bool(n)
            bc.predict(model, path, path / "labels/cells", dtype="uint8", value_range=(0, 255), overwrite=True)

    @pytest.mark.parametrize(
        ("folder", "output"),
        [
            (".", "a.zarr/labels//x"),
            (".", "a.zarr/labels/./y/../x/"),
            ("a.zarr", "labels/x"),
            ("a.zarr", "../a.zarr/labels/x"),
            ("a.zarr", "./labels/x"),
            ("a.zarr/labels", "x"),
            (".", "link/labels/x"),
            (".", "link-to-labels/x"),
            (".", "link-to-x"),
            ("link", "labels/x"),
            (".", "local://{folder}/link-to-labels/x"),
        ],
    )
    def test_spellings(
        self,
        tmp_path: Path,
        model: Path,
        zarr_format: Literal[2, 3],
        version: str,
        folder: str,
        output: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Labels are listed, however their place is spelt."""
        path = image(tmp_path / "a.zarr", zarr_format, consolidated=True)
        (path / "labels" / "x").mkdir(parents=True)
        for link, target in (("link", "a.zarr"), ("link-to-labels", "a.zarr/labels"), ("link-to-x", "a.zarr/labels/x")):
            (tmp_path / link).symlink_to(target)
        monkeypatch.chdir(tmp_path / folder)
        bc.predict(model, path, output.format(folder=tmp_path), dtype="uint8", value_range=(0, 255))
        assert ome(path / "labels")["labels"] == ["x"]
        assert ome(path / "labels/x")["image-label"]["version"] == version
        assert "labels/x/0" in {name for name, _ in zarr.open_group(str(path), mode="r", use_consolidated=True).members(max_depth=None)}

    def test_deeper_and_linked(self, tmp_path: Path, model: Path, zarr_format: Literal[2, 3], version: str) -> None:
        """Labels in a group of labels are listed by path; labels that lie elsewhere, behind links, are listed in the image."""
        path = image(tmp_path / "a.zarr", zarr_format)
        bc.predict(model, path, path / "labels/first/cells", dtype="uint8", value_range=(0, 255))
        assert ome(path / "labels")["labels"] == ["first/cells"]
        assert ome(path / "labels/first/cells")["image-label"]["source"] == {"image": "../../../"}
        assert open_image(path / "labels", scene="first/cells").shape[-2:] == (9, 11)

        linked = image(tmp_path / "b.zarr", zarr_format)
        for link, target in ((linked / "labels", tmp_path / "disk" / "labels-of-b"), (linked / "labels/x", tmp_path / "disk" / "cells")):
            target.mkdir(parents=True)
            link.symlink_to(target)
        bc.predict(model, path, linked / "labels/x", dtype="uint8", value_range=(0, 255))
        assert ome(linked / "labels")["labels"] == ["x"]
        assert ome(linked / "labels/x")["image-label"]["source"] == {"image": "../../"}

    def test_within_labels(self, tmp_path: Path, model: Path, zarr_format: Literal[2, 3], version: str) -> None:
        """An output within labels is no labels of their image."""
        path = image(tmp_path / "a.zarr", zarr_format)
        bc.predict(model, path, path / "labels/cells", dtype="uint8", value_range=(0, 255))
        bc.predict(model, path, path / "labels/cells/more")
        assert ome(path / "labels")["labels"] == ["cells"]

    def test_with_a_pyramid(self, tmp_path: Path, model: Path, zarr_format: Literal[2, 3], version: str) -> None:
        """Levels need no option `ome`, which the image implies."""
        path = image(tmp_path / "a.zarr", zarr_format)
        bc.predict(
            model,
            np.zeros((600, 500), np.uint8),
            path / "labels/x",
            axes="yx",
            dtype="uint8",
            value_range=(0, 255),
            pyramid=True,
            chunks=128,
        )
        assert len(ome(path / "labels/x")["multiscales"][0]["datasets"]) > 1
        with pytest.raises(InputError, match="pyramid is set with ome none"):
            bc.predict(model, path, tmp_path / "out.zarr", pyramid=True, ome="none")

    def test_run_of_another_plan(self, tmp_path: Path, model: Path, zarr_format: Literal[2, 3], version: str) -> None:
        """A plan that was made for no output writes no plain zarr among labels; one with the version of the image writes labels."""
        path = image(tmp_path / "a.zarr", zarr_format)
        with bc.open_predictor(model, dtype="uint8", value_range=(0, 255)) as predictor:
            with pytest.raises(OutputError, match=rf"for this output, or with ome='{version}', found a plan for plain zarr"):
                predictor.run(predictor.plan(path), path / "labels/a")
            with pytest.raises(OutputError, match="group of all labels"):
                predictor.run(predictor.plan(path), path / "labels")
            assert not (path / "labels").exists()
            predictor.run(predictor.plan(path, ome=version), path / "labels/a")
            with pytest.raises(OutputError, match="labels of an image are integers"):
                predictor.run(predictor.plan(path, ome=version, dtype="float32"), path / "labels/b")
        assert ome(path / "labels")["labels"] == ["a"]

    def test_at_the_same_time(self, tmp_path: Path, zarr_format: Literal[2, 3], version: str) -> None:
        """Processes that add labels to one image at the same time lose none, and leave no file behind."""
        path = image(tmp_path / "a.zarr", zarr_format)
        (path / "labels").mkdir()
        running = [subprocess.Popen([sys.executable, "-c", ADD_TEN, str(path), str(n), str(tmp_path / "go")]) for n in range(3)]
        time.sleep(2)  # until all of them are ready
        (tmp_path / "go").touch()
        assert [process.wait() for process in running] == [0, 0, 0]
        assert sorted(ome(path / "labels")["labels"]) == sorted(f"{process}-{n}" for process in range(3) for n in range(10))
        assert not list((path / "labels").glob("*lock*"))

    def test_after_a_kill(self, tmp_path: Path, model: Path, zarr_format: Literal[2, 3], version: str) -> None:
        """A process that was killed before the list was written leaves this to the one that resumes."""
        path = image(tmp_path / "a.zarr", zarr_format)
        bc.predict(model, path, path / "labels/cells", dtype="uint8", value_range=(0, 255))
        for name in ("zarr.json", ".zgroup", ".zattrs"):
            (path / "labels" / name).unlink(missing_ok=True)
        bc.predict(model, path, path / "labels/cells", dtype="uint8", value_range=(0, 255), resume=True)
        assert ome(path / "labels")["labels"] == ["cells"]


def test_other_groups(tmp_path: Path, model: Path) -> None:
    """A folder ``labels`` that belongs to no image is a folder like others."""
    bc.predict(model, image(tmp_path / "a.zarr", 3), tmp_path / "labels/cells")
    assert not (tmp_path / "labels/zarr.json").exists()
    assert "image-label" not in ome(tmp_path / "labels/cells")
