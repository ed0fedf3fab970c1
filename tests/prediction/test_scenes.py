"""Predictions and statistics of files and folders that hold several images."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr
from made_models import pointwise_model

import bioimageio_core as bc
from bioimageio_core.errors import InputError, SourceError

tifffile = pytest.importorskip("tifffile")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Twice the image."""
    (tmp_path / "model").mkdir()
    return pointwise_model(tmp_path / "model", gain=2.0)


@pytest.fixture
def positions(tmp_path: Path) -> Path:
    """Two positions, of value 1 and 2."""
    path = tmp_path / "run.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tiff:
        for n in range(2):
            tiff.write(np.full((9, 11), n + 1, np.float32), metadata={"axes": "YX", "Name": f"Pos{n}"})
    return path


def value(path: Path) -> float:
    """Return the first pixel of an output."""
    return float(zarr.open_group(str(path), mode="r")["0"][0, 0, 0])


class TestPositions:
    """OME positions are images of their own."""

    def test_option(self, model: Path, positions: Path) -> None:
        """Without ``scene`` the error names it; with it, this image is predicted."""
        with pytest.raises(SourceError, match=r"scene="):
            bc.predict(model, positions)
        assert bc.predict(model, positions, scene="Pos1")["out"][0, 0, 0, 0] == 4
        with pytest.raises(InputError, match=r"scene= .*number of a scene"):
            bc.predict(model, positions, scene=0.5)

    def test_many(self, model: Path, positions: Path, tmp_path: Path) -> None:
        """A folder gets one output for each, named by file and scene; ``scene`` chooses one of them."""
        assert not any(isinstance(r, bc.Failed) for r in bc.predict_many(model, [positions], tmp_path / "out"))
        assert [value(tmp_path / "out" / f"run_{n}.zarr") for n in range(2)] == [2, 4]
        list(bc.predict_many(model, [positions], tmp_path / "one", scene=1))
        assert [p.name for p in (tmp_path / "one").iterdir()] == ["run_1.zarr"]
        assert value(tmp_path / "one" / "run_1.zarr") == 4
        with pytest.raises(InputError, match=r"have the same output .*\{scene\}"):
            bc.predict_many(model, [positions], tmp_path / "{name}.zarr")

    @pytest.mark.parametrize("scene", [1, "1", "Pos1", "pos1"])
    def test_name_of_the_chosen_one(self, model: Path, positions: Path, tmp_path: Path, scene: int | str) -> None:
        """``{scene}`` is the number of the scene that is chosen, however it is named."""
        output = str(tmp_path / "{name}_{scene}.zarr")
        bc.predict(model, positions, output, scene=scene)
        bc.open_predictor(model).predict({"raw": positions}, output, scene=0)
        assert [value(tmp_path / f"run_{n}.zarr") for n in range(2)] == [2, 4]
        list(bc.predict_many(model, [positions], output, scene=scene, resume=True))
        assert len(list(tmp_path.glob("*.zarr"))) == 2

    def test_names_in_zarr(self, model: Path, tmp_path: Path) -> None:
        """Arrays of a group are named by their path; a single image, and an array in memory, are number 0."""
        group = zarr.open_group(str(tmp_path / "g.zarr"), mode="w")
        for n, name in enumerate(("a", "b")):
            group.create_array(name, data=np.full((9, 11), n + 1, np.float32), dimension_names=("y", "x"))
        for scene in (0, "b"):
            bc.predict(model, tmp_path / "g.zarr", str(tmp_path / "{name}_{scene}.zarr"), scene=scene)
        assert [value(tmp_path / f"g_{name}.zarr") for name in "ab"] == [2, 4]
        bc.predict(model, tmp_path / "g.zarr/b", str(tmp_path / "{name}_{scene}_single.zarr"), scene=0)
        bc.predict(model, np.ones((9, 11), np.float32), str(tmp_path / "m_{scene}.zarr"), axes="yx")
        assert value(tmp_path / "b_0_single.zarr") == 4
        assert value(tmp_path / "m_0.zarr") == 2

    def test_resume_is_per_series(self, model: Path, positions: Path, tmp_path: Path) -> None:
        """The output of one scene is no result of another one."""
        bc.predict(model, positions, tmp_path / "out.zarr", scene=0)
        with pytest.raises(bc.errors.OutputError, match="different images"):
            bc.predict(model, positions, tmp_path / "out.zarr", scene=1, resume=True)

    def test_statistics(self, positions: Path) -> None:
        """Statistics are those of all positions, or of the one that is chosen."""
        assert bc.compute_statistics(positions, measures=["mean"]).dataset["mean over y, x"] == [[1.5]]
        assert bc.compute_statistics(positions, measures=["mean"], scene=0).dataset["mean over y, x"] == [[1.0]]


def plate(path: Path, wells: dict[str, list[float]], zarr_format: int) -> Path:
    """Write a plate: for each well, an image of one value for each field."""
    group = zarr.open_group(str(path), mode="w", zarr_format=zarr_format)  # type: ignore[arg-type]

    def describe(node: zarr.Group, key: str, content: object) -> None:
        node.attrs.update({"ome": {"version": "0.5", key: content}} if zarr_format == 3 else {key: content})

    describe(group, "plate", {"wells": [{"path": well} for well in wells]})
    for well, values in wells.items():
        found = group.require_group(well)
        describe(found, "well", {"images": [{"path": str(n)} for n in range(len(values))]})
        for n, one in enumerate(values):
            field = found.create_group(str(n))
            axes = [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
            describe(field, "multiscales", [{"axes": axes, "datasets": [{"path": "0"}]}])
            field.create_array("0", data=np.full((9, 11), one, np.float32))
    return path


@pytest.mark.parametrize("zarr_format", [2, 3])
class TestPlates:
    """Plates of OME-Zarr: one image for each field."""

    def test_many(self, model: Path, tmp_path: Path, zarr_format: int) -> None:
        """Each field is an output, named by plate, well and field."""
        source = plate(tmp_path / "screen.ome.zarr", {"A/1": [1, 2], "B/12": [3]}, zarr_format)
        results = list(bc.predict_many(model, [source], tmp_path / "out"))
        assert not any(isinstance(r, bc.Failed) for r in results)
        names = ("screen_A1_0", "screen_A1_1", "screen_B12_0")
        assert [value(tmp_path / "out" / f"{name}.zarr") for name in names] == [2, 4, 6]
        list(bc.predict_many(model, [source], tmp_path / "{folder}/{name}-{row}-{column}-{field}.zarr"))
        assert value(tmp_path / tmp_path.name / "screen-B-12-0.zarr") == 6

    def test_wells_and_fields(self, model: Path, tmp_path: Path, zarr_format: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Wells and fields that are given by themselves keep plate, row and column in their names, from inside the plate, too."""
        source = plate(tmp_path / "p.zarr", {"A/1": [1], "B/1": [2, 3]}, zarr_format)
        results = list(bc.predict_many(model, [source / "A/1", source / "B/1/1"], tmp_path / "out"))
        assert not any(isinstance(r, bc.Failed) for r in results)
        assert {p.name: value(p) for p in (tmp_path / "out").iterdir()} == {"p_A1_0.zarr": 2, "p_B1_1.zarr": 6}
        list(bc.predict_many(model, [source / "A/1", source / "B/1"], tmp_path / "{plate}-{row}-{field}.zarr"))
        assert [value(tmp_path / f"p-{name}.zarr") for name in ("A-0", "B-0", "B-1")] == [2, 4, 6]
        list(bc.predict_many(model, [source / "B/1"], tmp_path / "one", scene=1))
        monkeypatch.chdir(source / "B")
        bc.predict(model, "1/0", str(tmp_path / "one" / "{plate}_{row}{column}_{field}.zarr"))
        assert {p.name: value(p) for p in (tmp_path / "one").iterdir()} == {"p_B1_0.zarr": 4, "p_B1_1.zarr": 6}

    def test_several_fields(self, model: Path, tmp_path: Path, zarr_format: int) -> None:
        """A plate of several wells is an error that names wells and fields; a path chooses one."""
        source = plate(tmp_path / "p.zarr", {"A/1": [1, 2], "B/2": [3]}, zarr_format)
        with pytest.raises(SourceError, match=r"2 wells \(A/1, B/2\), whose fields are images \(0, 1 in A/1\)"):
            bc.predict(model, source)
        assert bc.predict(model, source / "A/1/1")["out"][0, 0, 0, 0] == 4
        with pytest.raises(SourceError, match=r"A/1 holds 2 images \(0, 1\)"):
            bc.predict(model, source / "A/1")
        assert bc.predict(model, source / "A/1", scene=1)["out"][0, 0, 0, 0] == 4
        assert bc.predict(model, source / "B/2")["out"][0, 0, 0, 0] == 6

    def test_single_field(self, model: Path, tmp_path: Path, zarr_format: int) -> None:
        """A plate of one well with one field just opens."""
        assert bc.predict(model, plate(tmp_path / "p.zarr", {"C/3": [5]}, zarr_format))["out"][0, 0, 0, 0] == 10

    def test_statistics(self, tmp_path: Path, zarr_format: int) -> None:
        """Statistics are those of all fields."""
        source = plate(tmp_path / "p.zarr", {"A/1": [1, 2], "B/2": [6]}, zarr_format)
        assert bc.compute_statistics(source, measures=["mean"]).dataset["mean over y, x"] == [[3.0]]


def without_node(well: Path) -> None:
    """Remove a well."""
    shutil.rmtree(well)


def broken_json(well: Path) -> None:
    """Cut the metadata off."""
    for name in ("zarr.json", ".zgroup"):
        if (well / name).exists():
            (well / name).write_text("{")


def unreadable(well: Path) -> None:
    """Make the metadata fail to open, also for root: they are a link to themselves."""
    for name in ("zarr.json", ".zgroup"):
        if (well / name).exists():
            (well / name).unlink()
            (well / name).symlink_to(name)


def without_attributes(well: Path) -> None:
    """Leave a group that does not say which fields it has."""
    zarr.open_group(str(well), mode="r+").attrs.clear()


def malformed(well: Path) -> None:
    """Leave a group whose list of fields has no paths."""
    group = zarr.open_group(str(well), mode="r+")
    content = {"well": {"images": [{"acquisition": 0}]}}
    group.attrs.put({"ome": content} if group.metadata.zarr_format == 3 else content)


@pytest.mark.parametrize("zarr_format", [2, 3])
class TestDamagedPlates:
    """What a plate lists and what cannot be read fails in its place; the rest is predicted."""

    @pytest.mark.parametrize("damage", [without_node, broken_json, unreadable, without_attributes, malformed])
    def test_well(self, model: Path, tmp_path: Path, zarr_format: int, damage: Callable[[Path], None]) -> None:
        """A well fails as one image; for statistics it is an error."""
        source = plate(tmp_path / "p.zarr", {"A/1": [1], "A/2": [2, 3], "B/1": [4]}, zarr_format)
        damage(source / "A/2")
        first, second, third = bc.predict_many(model, [source], tmp_path / "out")
        assert isinstance(second, bc.Failed)
        assert "A/2" in str(second.inputs)
        assert "A/2" in str(second.error) or "lists" in str(second.error)
        assert not any(isinstance(one, bc.Failed) for one in (first, third))
        assert [value(tmp_path / "out" / f"p_{name}_0.zarr") for name in ("A1", "B1")] == [2, 8]
        with pytest.raises(SourceError):
            bc.compute_statistics(source, measures=["mean"])

    def test_names_that_lead_out(self, model: Path, tmp_path: Path, zarr_format: int) -> None:
        """Fields of templates that are paths in the file stay one name each in the output."""
        source = plate(tmp_path / "p.zarr", {"A/1": [1]}, zarr_format)
        (tmp_path / "q.zarr").mkdir()
        shutil.move(source / "A" / "1" / "0", tmp_path / "q.zarr" / "0")
        well = zarr.open_group(str(source / "A" / "1"), mode="a")
        attributes = json.loads(json.dumps(dict(well.attrs)).replace('"path": "0"', '"path": "../../../q.zarr/0"'))
        well.update_attributes(attributes)
        (done,) = bc.predict_many(model, [source], str(tmp_path / "out" / "{field}.zarr"))
        assert not isinstance(done, bc.Failed)
        assert [path.name for path in (tmp_path / "out").iterdir()] == [".._.._.._q.zarr_0.zarr"]

    def test_missing_plate(self, model: Path, tmp_path: Path, zarr_format: int) -> None:
        """Fails alone, also with an output that names wells; given alone, the error says that it is not there."""
        good, missing = plate(tmp_path / "p.zarr", {"A/1": [1], "B/1": [2]}, zarr_format), str(tmp_path / "missing.zarr")
        template = str(tmp_path / "out" / "{plate}_{row}{column}_{field}.zarr")
        failed, *done = bc.predict_many(model, [missing, good], template)
        assert isinstance(failed, bc.Failed)
        assert "missing.zarr does not exist" in str(failed.error)
        assert len(done) == 2
        with pytest.raises(SourceError, match=r"missing\.zarr does not exist"):
            bc.predict(model, missing, template)

    @pytest.mark.parametrize("damage", [without_node, broken_json, unreadable])
    def test_field(self, model: Path, tmp_path: Path, zarr_format: int, damage: Callable[[Path], None]) -> None:
        """A field that the well lists fails."""
        source = plate(tmp_path / "p.zarr", {"A/1": [1, 2]}, zarr_format)
        damage(source / "A/1/1")
        first, second = bc.predict_many(model, [source], tmp_path / "out")
        assert not isinstance(first, bc.Failed)
        assert isinstance(second, bc.Failed)
        assert "A/1/1" in str(second.error)
        with pytest.raises(SourceError, match="A/1/1"):
            bc.compute_statistics(source, measures=["mean"])


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("damage", [without_node, broken_json, unreadable])
def test_damaged_series(model: Path, tmp_path: Path, named: bool, damage: Callable[[Path], None]) -> None:
    """A series of bioformats2raw that cannot be read fails, whether the series are named or numbered."""
    source = tmp_path / "b.zarr"
    root = zarr.open_group(str(source), mode="w")
    root.attrs["bioformats2raw.layout"] = 3
    for n in range(3):
        axes = [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
        group = root.create_group(str(n))
        group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [{"path": "0"}]}]}
        group.create_array("0", data=np.full((9, 11), n + 1, np.float32))
    if named:
        root.create_group("OME").attrs["ome"] = {"version": "0.5", "series": ["0", "1", "2"]}
    damage(source / "1")
    first, second, third = bc.predict_many(model, [source], tmp_path / "out")
    assert isinstance(second, bc.Failed)
    assert not any(isinstance(one, bc.Failed) for one in (first, third))
    assert value(tmp_path / "out" / "b_2.zarr") == 6
