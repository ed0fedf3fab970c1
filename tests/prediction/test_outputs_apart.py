"""Outputs never overwrite what they are made from, however either is spelt; names of outputs."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import dask.array as da
import fsspec
import numpy as np
import pytest
import zarr
from made_models import pointwise_model
from xarray_images import xarray_of_zarr

import bioimageio_core as bc
from bioimageio_core.errors import InputError, OutputError
from bioimageio_core.file_kinds import FILE_KINDS
from bioimageio_core.io.locations import zarr_store
from bioimageio_core.registry import default_registry

WRITTEN = {suffix for entry in default_registry().image_writers.values() for suffix in entry.suffixes}
IMAGE = np.random.default_rng(0).random((40, 30), dtype=np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Twice the image."""
    (tmp_path / "model").mkdir()
    return pointwise_model(tmp_path / "model", gain=2.0)


def save(location: str | Path) -> None:
    """Write an image as the array ``raw`` in a group."""
    group = zarr.open_group(zarr_store(str(location), read_only=False), mode="w", zarr_format=3)
    group.create_array("raw", data=IMAGE, chunks=(16, 16), dimension_names=("y", "x"))


def save_ome(location: str | Path) -> None:
    """Write an image as OME-Zarr with two levels."""
    group = zarr.open_group(str(location), mode="w", zarr_format=3)
    for name, step in (("0", 1), ("1", 2)):
        group.create_array(name, data=np.ascontiguousarray(IMAGE[::step, ::step]), dimension_names=("y", "x"))
    axes = [{"name": n, "type": "space"} for n in "yx"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [{"path": "0"}, {"path": "1"}]}]}


def content(folder: Path) -> dict[str, str]:
    """Return the hash of each file in a folder."""
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


def names_in(folder: str) -> list[str]:
    """Return the sorted names in a folder."""
    return sorted(path.name for path in Path(folder).iterdir())


@attrs.frozen
class Case:
    """Spellings of an image and of an output that would overwrite it, from a folder that holds ``x.zarr``."""

    image: str
    output: str


SPELLINGS = [
    Case("x.zarr", "file://{folder}/x.zarr"),
    Case("file://{folder}/x.zarr", "x.zarr"),
    Case("file://{folder}/x.zarr", "file://localhost{folder}/x.zarr/"),
    Case("local://{folder}/x.zarr", "x.zarr"),
    Case("x.zarr", "local://{folder}//x.zarr"),
    Case("~/x.zarr", "{folder}/x.zarr"),
    Case("{folder}/x.zarr/raw", "~/x.zarr"),
    Case("x.zarr", "link"),
    Case("link/raw", "./x.zarr/"),
    Case("below/x.zarr", "x.zarr"),
    Case("x.zarr", "below/sub/../x.zarr"),
    Case("x.zarr", "far/../x.zarr"),
    Case("x.zarr/raw", "x.zarr/raw"),
    Case("x.zarr/raw", "x.zarr/raw/inside"),
    Case("x.zarr", "x.zarr/raw/inside"),
    Case("simplecache::file://{folder}/x.zarr", "x.zarr"),
    Case("x.zarr", "simplecache::file://{folder}/x.zarr"),
]


class TestImages:
    """Images as paths and URLs."""

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The home, and where the command runs; ``below`` links to it, ``far`` to a folder in it."""
        folder = tmp_path / "data"
        (folder / "sub" / "folder").mkdir(parents=True)
        (folder / "link").symlink_to("x.zarr")
        (folder / "below").symlink_to(".")
        (folder / "far").symlink_to(folder / "sub")
        monkeypatch.chdir(folder)
        monkeypatch.setenv("HOME", str(folder))
        save(folder / "x.zarr")
        return folder

    @pytest.mark.parametrize("case", SPELLINGS, ids=lambda case: f"{case.image} to {case.output}")
    def test_spellings(self, model: Path, folder: Path, case: Case) -> None:
        """With ``overwrite``, the image stays bit for bit, and the error names both."""
        image, output = (text.format(folder=folder) for text in (case.image, case.output))
        before = content(folder)
        with pytest.raises(OutputError, match="would overwrite") as refused:
            bc.predict(model, image, output, overwrite=True)
        assert output in str(refused.value)
        assert content(folder) == before

    def test_folder_above_the_target_of_a_link(self, model: Path, folder: Path) -> None:
        """What is written and what is removed is one place, also where ``..`` follows a link."""
        save(folder / "sub" / "x.zarr")
        (folder / "deep").symlink_to(folder / "sub" / "folder")
        before = content(folder / "x.zarr")
        bc.predict(model, "x.zarr", "deep/../x.zarr", overwrite=True)  # sub/x.zarr
        assert content(folder / "x.zarr") == before
        assert list(zarr.open_group(str(folder / "sub" / "x.zarr"), mode="r")) == ["0"]

    @pytest.mark.parametrize(
        "image",
        [
            "memory://{name}/x.zarr",
            "memory:///{name}/x.zarr/raw",
            "simplecache::memory://{name}/x.zarr",
        ],
    )
    @pytest.mark.parametrize("output", ["memory://{name}/x.zarr", "memory:///{name}/x.zarr/", "memory://{name}"])
    def test_memory(self, model: Path, image: str, output: str, request: pytest.FixtureRequest) -> None:
        """The same for what is in memory."""
        name = f"apart-{abs(hash(request.node.name))}"
        save(f"memory://{name}/x.zarr")
        with pytest.raises(OutputError, match="would overwrite"):
            bc.predict(model, image.format(name=name), output.format(name=name), overwrite=True)
        files = fsspec.filesystem("memory")
        np.testing.assert_array_equal(zarr.open_array(zarr_store(f"memory://{name}/x.zarr/raw", read_only=True))[:], IMAGE)
        files.rm(f"/{name}", recursive=True)

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda a: a,
            da.from_zarr,
            lambda a: da.from_zarr(a) * 1.0,
            lambda a: pytest.importorskip("xarray").DataArray(da.from_zarr(a), dims=("y", "x")),
            lambda a: xarray_of_zarr(Path(a.store.root)),
            lambda a: xarray_of_zarr(Path(a.store.root), chunks=None),
        ],
        ids=["zarr", "dask", "computed", "xarray of dask", "xarray of zarr", "lazy xarray"],
    )
    def test_arrays_over_the_store(self, model: Path, folder: Path, wrap: Callable[[Any], Any]) -> None:
        """Arrays are asked for their store."""
        array = wrap(zarr.open_group(str(folder / "x.zarr"), mode="r")["raw"])
        before = content(folder)
        for output in ("x.zarr", f"file://{folder}/x.zarr", "~"):
            with pytest.raises(OutputError, match="would overwrite"):
                bc.predict(model, array, output, overwrite=True, axes="yx")
        assert content(folder) == before

    def test_result_as_image(self, model: Path, folder: Path) -> None:
        """An output of a prediction, as the image of the next one."""
        result = bc.predict(model, "x.zarr", "y.zarr")["out"]
        before = content(folder)
        for image in (result, da.from_array(result.data)):
            with pytest.raises(OutputError, match="would overwrite the image"):
                bc.predict(model, image, f"file://{folder}/y.zarr", overwrite=True, axes="bcyx")
        assert content(folder) == before

    def test_mask_statistics_and_model(self, model: Path, folder: Path) -> None:
        """What else is read: the mask, the file of statistics, and the model as folder and zip."""
        packed = bc.save_package(model, folder / "models.zarr" / "m.zip")
        (folder / "stats.zarr").mkdir()
        (folder / "stats.zarr" / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
        bc.compute_statistics(IMAGE).save(folder / "stats.zarr" / "s.json")
        statistics = json.loads((folder / "stats.zarr" / "s.json").read_text())
        (folder / "stats.zarr" / "s.json").write_text(json.dumps({**statistics, "dataset": {}}))
        before = content(folder.parent)
        cases: list[tuple[Any, str, dict[str, Any]]] = [
            (model, "x.zarr", {"mask": "~/x.zarr", "axes": "yx"}),
            (model, "stats.zarr", {"statistics": folder / "stats.zarr" / "s.json", "axes": "yx"}),
            (model, f"file://{model}", {"axes": "yx"}),
            (f"file://{model}/bioimageio.yaml", str(model), {"axes": "yx"}),
            (packed, "models.zarr", {"axes": "yx"}),
            (f"file://{packed}", "models.zarr", {"axes": "yx"}),
        ]
        for source, output, options in cases:
            with pytest.raises(OutputError, match="would overwrite"):
                bc.predict(source, IMAGE, output, overwrite=True, **options)
        assert content(folder.parent) == before

    def test_beside_the_levels(self, model: Path, folder: Path) -> None:
        """A new name in the group of an OME-Zarr image is free; its levels are not, also if only one of them is given."""
        save_ome(folder / "i.zarr")
        before = content(folder)
        for image in ("i.zarr", "i.zarr/0", zarr.open_array(str(folder / "i.zarr" / "0"), mode="r")):
            for output in ("i.zarr", "i.zarr/0", "i.zarr/1", "i.zarr/1/new", "link/../i.zarr/1"):
                with pytest.raises(OutputError, match="would overwrite"):
                    bc.predict(model, image, output, overwrite=True)
        assert content(folder) == before
        for _ in range(2):
            bc.predict(model, "i.zarr", "i.zarr/labels/nuclei", overwrite=True, dtype="uint8", value_range=(0, 255))
        assert {k: v for k, v in content(folder).items() if "labels" not in k} == before

    def test_refused_before_anything_is_computed(self, model: Path, folder: Path) -> None:
        """A plan for an output refuses it already."""
        with pytest.raises(OutputError, match="would overwrite"):
            bc.open_predictor(model).plan("x.zarr", "~/x.zarr")


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("s3fs", "moto", "flask", "flask_cors")),
    reason="s3fs, or moto with its server, is not installed",
)
class TestS3:
    """A store on a real S3 server."""

    @pytest.fixture
    def bucket(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        """A server with an empty bucket."""
        import s3fs
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        s3fs.S3FileSystem.clear_instance_cache()
        files = s3fs.S3FileSystem()
        files.mkdir("apart")
        yield "apart"
        files.rm("apart", recursive=True)
        s3fs.S3FileSystem.clear_instance_cache()
        server.stop()

    def test_spellings(self, model: Path, bucket: str) -> None:
        """With ``overwrite``, every object of the image stays."""
        import s3fs

        save(f"s3://{bucket}/x.zarr")
        files = s3fs.S3FileSystem()
        before = {name: files.cat_file(name) for name in files.find(bucket)}
        assert before
        array = zarr.open_array(zarr_store(f"s3://{bucket}/x.zarr/raw", read_only=True), mode="r")
        for image in (f"s3://{bucket}/x.zarr", f"s3a://{bucket}/x.zarr/raw", da.from_zarr(array)):
            for output in (f"s3://{bucket}/x.zarr", f"s3a://{bucket}/x.zarr/", f"s3://{bucket}/x.zarr/raw"):
                with pytest.raises(OutputError, match="would overwrite"):
                    bc.predict(model, image, output, overwrite=True, axes="yx")
        files.invalidate_cache()
        assert {name: files.cat_file(name) for name in files.find(bucket)} == before


class TestBatches:
    """Every output of a batch, and every image of it."""

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Three images, of which two have the names of outputs."""
        (tmp_path / "data").mkdir()
        monkeypatch.chdir(tmp_path / "data")
        for name in ("0", "1", "a"):
            save(tmp_path / "data" / f"{name}.zarr")
        return tmp_path / "data"

    @pytest.mark.parametrize(
        ("images", "template"),
        [
            (["a.zarr", "1.zarr", "0.zarr"], "{number}.zarr"),
            (["a.zarr", "1.zarr"], "file://{{folder}}/{number}.zarr"),
            (["a.zarr", "0.zarr"], "../data/{name}.zarr"),
            (["a.zarr", "0.zarr"], "."),
            (["a.zarr", "1.zarr/raw"], "{number}.zarr"),
            (["a.zarr", "1.zarr"], "1.zarr/raw/{name}.zarr"),
        ],
    )
    def test_output_on_another_image(self, model: Path, folder: Path, images: list[str], template: str) -> None:
        """The output of one image is not another image: nothing is computed."""
        before = content(folder)
        with pytest.raises(OutputError, match=r"would (overwrite|lie within)"):
            list(bc.predict_many(model, images, template.replace("{{folder}}", str(folder)), overwrite=True))
        assert content(folder) == before

    def test_arrays(self, model: Path, folder: Path) -> None:
        """Images as arrays count like their paths."""
        arrays = [da.from_zarr(zarr.open_array(str(folder / f"{name}.zarr" / "raw"), mode="r")) for name in ("a", "0", "1")]
        before = content(folder)
        with pytest.raises(OutputError, match="would overwrite"):
            list(bc.predict_many(model, arrays, "{number}.zarr", overwrite=True, axes="yx"))
        assert content(folder) == before

    def test_mask_and_model(self, model: Path, folder: Path) -> None:
        """No output lands on the mask or the model; nothing is computed before that is found."""
        before = content(folder.parent)
        for template, options in (("{number}.zarr", {"mask": folder / "1.zarr"}), ("../{name}", {})):
            images = ["a.zarr", str(folder.parent / "model.zarr")]
            with pytest.raises(OutputError, match="would overwrite"):
                list(bc.predict_many(model, images, template, overwrite=True, **options))
        assert content(folder.parent) == before

    def test_outputs_of_each_other(self, model: Path, folder: Path) -> None:
        """No output lies within another one, and two spellings of one output are one."""
        (folder / "p" / "p-out.zarr").mkdir(parents=True)
        (folder / "q").symlink_to("p")
        (folder / "r").symlink_to("p/p-out.zarr")
        with pytest.raises(InputError, match=r"p/p.zarr and q/p.zarr have the same output"):
            bc.predict_many(model, ["p/p.zarr", "q/p.zarr"], "{folder}/{name}-out.zarr")
        with pytest.raises(OutputError, match=r"r/x-out.zarr of r/x.zarr is, or lies within, the output p/p-out.zarr of p/p.zarr"):
            bc.predict_many(model, ["p/p.zarr", "r/x.zarr"], "{folder}/{name}-out.zarr")

    def test_labels_within_each_image(self, model: Path, folder: Path) -> None:
        """Each output may have a name of its own within its image."""
        for name in ("i", "j"):
            save_ome(folder / f"{name}.zarr")
        results = list(bc.predict_many(model, ["i.zarr", "j.zarr"], "{name}.zarr/labels/found", dtype="uint8", value_range=(0, 255)))
        assert all(isinstance(r, bc.Prediction) for r in results)
        assert (folder / "j.zarr" / "labels" / "found" / "zarr.json").exists()


class TestNames:
    """Names of outputs."""

    @pytest.mark.parametrize("ending", sorted(set(FILE_KINDS) - {".zarr", ".ome.zarr"} - WRITTEN))
    def test_other_kinds_of_files(self, model: Path, tmp_path: Path, ending: str) -> None:
        """The ending of a file that is not written is refused with the name to use; nothing is made."""
        for name in (f"out{ending}", f"2024.05.01_s1{ending.upper()}"):
            output = tmp_path / "o" / name
            with pytest.raises(
                OutputError, match=r"which are not written: expected a name that ends in \.zarr, for a zarr folder, or in .*"
            ) as refused:
                bc.predict(model, IMAGE, output, axes="yx")
            assert str(refused.value).endswith(f"such as {str(output)[: -len(ending)]}.zarr")
        with pytest.raises(OutputError, match="not written"):
            bc.predict_many(model, [IMAGE], f"{tmp_path}/o/{{number}}{ending}", axes="yx")
        assert not (tmp_path / "o").exists()

    @pytest.mark.parametrize("name", ["2024.05.01_s1", "out.ome.zarr", "OUT.ZARR", "x.tif.zarr", "v1.5", ".zarr", "tif"])
    def test_good_names(self, model: Path, tmp_path: Path, name: str) -> None:
        """Dots alone are no ending."""
        assert bc.predict(model, IMAGE, tmp_path / name, axes="yx").finished

    def test_names_with_dots(self, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only known endings are cut from names."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "in").mkdir()
        names = ["2024.05.01_s1.zarr", "11ah-1.8_ROI1.ome.zarr", "11ah-1.8_ROI2.OME.ZARR"]
        for name in names:
            save(f"in/{name}")
        list(bc.predict_many(model, [f"in/{name}" for name in names], "out"))
        assert names_in("out") == ["11ah-1.8_ROI1.zarr", "11ah-1.8_ROI2.zarr", "2024.05.01_s1.zarr"]

    def test_template_with_one_image(self, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Fields are filled in as for many images."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "day1").mkdir()
        save("day1/s.1.zarr")
        bc.predict(model, "day1/s.1.zarr", "out/{folder}_{name}_{number}.zarr")
        bc.predict(model, {"raw": "day1/s.1.zarr"}, "out/{name}.zarr")
        bc.predict(model, IMAGE, "out/{name}.zarr", axes="yx")
        assert names_in("out") == ["0.zarr", "day1_s.1_0.zarr", "s.1.zarr"]
        for field in ("nam", "name.__class__", "", "name[0]"):
            with pytest.raises(InputError, match=r"expected the fields \{name\}, \{ending\}, \{folder\}, \{number\} or \{scene\} for 0"):
                bc.predict(model, IMAGE, f"out/{{{field}}}.zarr", axes="yx")

    def test_link_to_another_disk(self, model: Path, tmp_path: Path) -> None:
        """An output that is a link is written where it leads, also if it is replaced."""
        (tmp_path / "big").mkdir()
        (tmp_path / "out.zarr").symlink_to(tmp_path / "big")
        for overwrite in (False, True):
            assert bc.predict(model, IMAGE, tmp_path / "out.zarr", axes="yx", overwrite=overwrite).finished
            assert (tmp_path / "out.zarr").is_symlink()
            assert list(zarr.open_group(str(tmp_path / "big"), mode="r")) == ["0"]
            assert not [path for path in tmp_path.iterdir() if path.name not in ("big", "out.zarr", "model")]

    def test_collisions_are_named_first(self, model: Path, tmp_path: Path) -> None:
        """Two images with one output are named before anything is computed; arrays by their number."""
        for name in ("a.npy", "a.tif"):
            np.save(tmp_path / name, IMAGE)
        with pytest.raises(InputError, match=r"a\.npy and .*a\.tif have the same output"):
            bc.predict_many(model, [tmp_path / "a.npy", tmp_path / "a.tif"], tmp_path / "out")
        with pytest.raises(InputError, match=r"^image 0 and image 1 have the same output"):
            bc.predict_many(model, [IMAGE, IMAGE], tmp_path / "{folder}.zarr")
        assert not (tmp_path / "out").exists()
