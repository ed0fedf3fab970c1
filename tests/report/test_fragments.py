"""What notebooks and consoles show: a line, the text of the command line, and a compact fragment of HTML."""

from __future__ import annotations

import base64
import io
import pickle
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
import zarr
from bmz_process import run_process
from fragment_reader import FragmentReader
from made_models import BATCH, box_model, channels, follows, identity_graph, save_description_0_5, space, tensor, with_test_tensors

import bioimageio_core as bc
from bioimageio_core import LabelledArray
from bioimageio_core.conversion import ConvertedWeights
from bioimageio_core.description_init.draft_model import DraftedModel
from bioimageio_core.description_init.todo_list import Todo
from bioimageio_core.errors import InputError
from bioimageio_core.foreign import ExportedModel, ImportedModel
from bioimageio_core.option_spelling import on_command_line
from bioimageio_core.prediction.statistics_file import Statistics
from bioimageio_core.report.cards.annotated_report import annotate
from bioimageio_core.report.pictures.array_planes import array_to_show, plane_picture
from bioimageio_core.typing import FrozenMapping

LARGEST = 200_000
"""Characters of a fragment without a page; notebooks store them."""

LARGEST_WITH_PAGE = 700_000


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of any size with test tensors."""
    folder = box_model(tmp_path_factory.mktemp("model"), {"min": 8, "step": 4}, halo=2)
    image = np.random.default_rng(1).random((1, 1, 16, 16), dtype=np.float32)
    return with_test_tensors(folder, {"raw": image}, {"out": np.asarray(bc.predict(folder, image, progress=False)["out"])})


@pytest.fixture(scope="module")
def two_channels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that returns its two channels."""
    folder = tmp_path_factory.mktemp("two")
    identity_graph(folder / "weights.onnx")
    axes = [
        BATCH,
        channels("DAPI", "GFP"),
        space("y", {"min": 8, "step": 8}),
        space("x", {"min": 8, "step": 8}),
    ]
    outputs = [BATCH, channels("nuclei", "cells"), space("y", follows("y"), halo=2), space("x", follows("x"), halo=2)]
    return save_description_0_5(folder, [tensor("raw", *axes)], [tensor("out", *outputs)])


def volume() -> np.ndarray:
    """An image (z, c, y, x) of 12 planes and 2 channels."""
    return np.random.default_rng(2).random((12, 2, 64, 80), dtype=np.float32)


def _saved(path: Path, image: np.ndarray) -> Path:
    np.save(path, image)
    return path


@pytest.fixture(scope="module")
def results(model: Path, two_channels: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """An object of each class."""
    folder = tmp_path_factory.mktemp("results")
    image = np.random.default_rng(0).random((200, 300), dtype=np.float32)
    predictor = bc.open_predictor(model)
    found: dict[str, Any] = {
        "description": bc.load_description(model),
        "card": bc.card(model),
        "image card": bc.image_card(image),
        "image file": bc.image_card(_saved(folder / "image.npy", image)),
        "predictor": predictor,
        "plan": predictor.plan(image, block=64),
        "plan of one block": predictor.plan(image),
        "prediction": predictor.predict(image, pixel_size=0.5),
        "stored prediction": bc.predict(two_channels, volume(), folder / "stored.zarr", axes="zcyx"),
        "statistics": bc.compute_statistics(image),
        "validation": bc.validate(model),
        "invalid": bc.validate({"type": "model", "format_version": "0.5.4", "name": "<script>alert(1)</script>"}),
        "annotated": annotate(bc.validate(b"type: model\nformat_version: 0.5.4\nname: [1]\n"), b"type: model\nname: [1]\n"),
        "test": bc.test_model(model),
        "verification": bc.verify(model, image, block=64),
        "compatibility": bc.compat(model),
        "one compatibility": bc.compat(model)[0],
        "plugins": bc.plugins(),
        "trusted": bc.trusted_models(),
        "options": bc.PredictOptions(block=256, mask=image),
        "defaults": bc.PredictOptions(),
        "failed": next(iter(bc.predict_many(model, [np.zeros(3)], str(folder / "{number}.zarr")))),
        "network": bc.analyse_network(model),
        "array": LabelledArray(volume(), ("z", "channel", "y", "x"), channel_names=("DAPI", "GFP"), name="cells"),
        "labels": LabelledArray(np.arange(64, dtype=np.uint32).reshape(8, 8), ("y", "x"), labels=True),
        "lazy": LabelledArray(zarr.create_array(zarr.storage.MemoryStore(), data=volume()), ("z", "channel", "y", "x")) * 2,
        "number": LabelledArray(np.array(3.0), ()),
    }
    found["environment"] = bc.environment_of(model)
    found["exported"] = ExportedModel(path=folder, format="zen", lost=("the tags",))
    found["imported"] = ImportedModel(folder=folder, format="zen", report=found["validation"])
    weights_test = found["test"].tests[0]
    found["converted"] = ConvertedWeights(
        path=folder,
        from_format="onnx",
        to_format="onnx",
        converter="none",
        deviations=FrozenMapping(out=0.0),
        sizes=1,
        contents=1,
        warnings=(),
        test=weights_test,
    )
    found["drafted"] = DraftedModel(
        folder=folder,
        weights_format="onnx",
        measured=found["network"],
        guessed=("axes",),
        notes=(),
        todo=(Todo(path="license", text="a licence"),),
        report=found["validation"],
    )
    return found


NAMES = [
    *(
        "description",
        "card",
        "image card",
        "image file",
        "predictor",
        "plan",
        "plan of one block",
        "prediction",
        "stored prediction",
        "statistics",
        "validation",
    ),
    *("invalid", "annotated", "test", "verification", "compatibility", "one compatibility", "plugins", "trusted", "options", "defaults"),
    *("failed", "network", "array", "labels", "lazy", "number", "drafted", "environment", "exported", "imported", "converted"),
]


class TestEveryResult:
    """Each object that users get."""

    @pytest.mark.parametrize("name", NAMES)
    def test_in_one_line(self, results: dict[str, Any], name: str) -> None:
        """``repr`` is short, whatever the object holds."""
        line = repr(results[name])
        assert "\n" not in line
        assert len(line) <= 300

    @pytest.mark.parametrize("name", NAMES)
    def test_fragment(self, results: dict[str, Any], name: str) -> None:
        """Is small, sound and without requests; two of them on a page do not share controls."""
        html = results[name]._repr_html_()
        read = FragmentReader(html)
        assert len(html) <= (LARGEST_WITH_PAGE if read.links else LARGEST)
        again = FragmentReader(results[name]._repr_html_())
        assert not set(read.ids) & set(again.ids)

    @pytest.mark.parametrize("name", NAMES)
    def test_without_style_sheets(self, results: dict[str, Any], name: str) -> None:
        """The text is shown, and the rest is hidden, which style sheets undo."""
        html = results[name]._repr_html_()
        style, _, rest = html.partition("</style>")
        plain = rest.partition('<pre class="bmz-plain">')[2].partition("</pre>")[0]
        assert unescape(plain)[:1000].split() == str(results[name])[:1000].split()
        assert rest.count(" hidden ") == 1
        assert ".bmz-plain { display: none !important; }" in style
        assert "display: block !important" in style

    @pytest.mark.parametrize("name", NAMES)
    def test_text(self, results: dict[str, Any], name: str) -> None:
        """``print`` shows it for people, and notebooks have all of it behind "open" where they leave something out."""
        text = str(results[name])
        assert text
        assert text != object.__repr__(results[name])

    def test_hostile_text(self, results: dict[str, Any]) -> None:
        """Is shown as it is written."""
        assert "<script>alert(1)</script>" in FragmentReader(results["invalid"]._repr_html_()).text


def test_keyboard(results: dict[str, Any]) -> None:
    """What may be wider than the notebook is scrolled also without a mouse."""
    for found in results.values():
        html = found._repr_html_()
        for scrolled in ('<div class="bmz-wide"', '<pre class="bmz-text"'):
            assert html.count(scrolled) == html.count(f'{scrolled} tabindex="0"')


class TestPictures:
    """Planes of images, outputs and arrays."""

    def test_slices_and_channels(self, results: dict[str, Any]) -> None:
        """Have controls that work by style alone: one is checked, and each shows its own picture."""
        read = FragmentReader(results["stored prediction"]._repr_html_())
        slices, both = 6, 2
        assert len(read.pictures) == slices * both * both  # of the image and the output
        assert len(read.labels) == slices + both * both
        assert read.styles.count(":checked ~ .bmz-panels") == len(read.pictures)
        assert "DAPI" in read.text
        assert "cells" in read.text
        assert "of 12" in read.text

    def test_what_is_not_shown_is_said(self, model: Path) -> None:
        """All slices up to 16, else some of them with their number; positions along further axes; further channels."""
        few = FragmentReader(bc.predict(model, np.zeros((16, 16, 16), np.float32), axes="zyx", progress=False)._repr_html_())
        assert len(few.pictures) == 16 * 2
        many = bc.predict(model, np.zeros((2, 40, 16, 16), np.float32), axes="tzyx", progress=False)._repr_html_()
        assert "of 40" in FragmentReader(many).text
        assert "time 0 of 2" in FragmentReader(many).text

    def test_legends(self, model: Path) -> None:
        """A probability goes from 0 to 1, and integers are none, even of 0 and 1."""
        flat = np.zeros((16, 16), np.float32)
        flat[4:8, 4:8] = 1
        as_floats = bc.predict(model, flat, progress=False)._repr_html_()
        assert as_floats.count("linear-gradient") == 2
        for dtype, ramps in ((np.float32, True), (np.uint8, False)):
            shown = array_to_show(LabelledArray(flat.astype(dtype), ("y", "x")))
            assert shown is not None
            draw = plane_picture(shown, 16)
            draw({}, 0)
            assert (draw.limits[0][0] == "ramp") == ramps

    def test_complex(self, recwarn: pytest.WarningsRecorder) -> None:
        """Have no picture and cause no warning."""
        html = LabelledArray(np.ones((8, 8), np.complex64), ("y", "x"))._repr_html_()
        assert not FragmentReader(html).pictures
        assert not recwarn.list

    def test_pictures_are_those_of_the_pixels(self) -> None:
        """Labels have the colours of their numbers, the background is black."""
        pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
        labels = np.zeros((20, 30), np.uint32)
        labels[5:10, 5:10], labels[12:, 20:] = 1, 70_000
        array = LabelledArray(labels, ("y", "x"), labels=True)
        (url,) = FragmentReader(array._repr_html_()).pictures
        shown = np.asarray(pillow.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))
        assert shown.shape == (20, 30, 3)
        np.testing.assert_array_equal(shown.any(axis=-1), labels != 0)
        assert len({tuple(colour) for colour in shown[labels != 0].tolist()}) == 2

    def test_of_an_array(self, tmp_path: Path) -> None:
        """As a file of its own, which notebooks show."""
        pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
        array = LabelledArray(volume(), ("z", "channel", "y", "x"))
        picture = array.picture(channel=1)
        picture.save(tmp_path / "plane.png")
        shown = np.asarray(pillow.open(tmp_path / "plane.png").convert("RGB"))
        assert shown.shape == (64, 80, 3)
        assert picture._repr_png_() == (tmp_path / "plane.png").read_bytes()
        assert np.corrcoef(shown.sum(axis=-1).ravel(), volume()[6, 1].ravel())[0, 1] > 0.9
        with pytest.raises(InputError, match="z 12"):
            LabelledArray(np.zeros(12), ("z",)).picture()

    def test_nothing_large_is_read(self, tmp_path: Path) -> None:
        """Of deep chunks no plane is shown; of wide planes the middle; of many planes some."""
        shapes = {"deep": (4096, 256, 1024, 1024), "wide": (1, 1, 1024, 1024), "many": (4096, 1, 1024, 1024)}
        pictures = {}
        for name, (depth, *chunks) in shapes.items():
            across = 40_000 if name == "wide" else 1024
            stored = zarr.create_array(str(tmp_path / name), shape=(depth, across, across), chunks=tuple(chunks), dtype="uint16")
            read = FragmentReader(LabelledArray(stored, ("z", "y", "x"))._repr_html_())
            pictures[name] = len(read.pictures)
            assert ("(the middle)" in read.text) == (name == "wide")
        assert pictures == {"deep": 0, "wide": 1, "many": 16}

    def test_large_in_memory(self) -> None:
        """Every n-th pixel is taken: none of the others is touched."""
        row = np.broadcast_to(np.float32(0.5), (1, 5000, 5000))
        assert len(FragmentReader(LabelledArray(np.asarray(row), ("z", "y", "x"))._repr_html_()).pictures) == 1

    def test_a_file_that_is_gone(self, tmp_path: Path, model: Path) -> None:
        """A result is shown without its pictures."""
        np.save(tmp_path / "image.npy", np.zeros((64, 64), np.float32))
        plan = bc.open_predictor(model).plan(tmp_path / "image.npy", axes="yx", block=32)
        assert len(FragmentReader(plan._repr_html_()).pictures) == 1
        (tmp_path / "image.npy").unlink()
        plan = pickle.loads(pickle.dumps(plan))
        assert not FragmentReader(plan._repr_html_()).pictures

    def test_blocks_of_a_plan(self, results: dict[str, Any]) -> None:
        """A line between neighbouring blocks, and one block with what it reads."""
        html = results["plan"]._repr_html_()
        plan = results["plan"]
        down, across = (grid.count for grid in plan.grids if grid.group.name in ("y", "x"))
        assert html.count("<line ") == down - 1 + across - 1
        assert f"{down} x {across} blocks" in html
        assert results["plan of one block"]._repr_html_().count("<line ") == 0


class TestCards:
    """What a card leaves to its page."""

    def test_is_small(self, two_channels: Path) -> None:
        """With a large cover made smaller, the worst issue in words, and no page."""
        pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
        noise = np.random.default_rng(0).integers(0, 256, (400, 800, 3), np.uint8)
        pillow.fromarray(noise).save(two_channels / "cover.png")
        descr = yaml.safe_load((two_channels / "bioimageio.yaml").read_text())
        descr["covers"] = ["cover.png"]
        (two_channels / "bioimageio.yaml").write_text(yaml.safe_dump(descr))
        html = bc.card(two_channels)._repr_html_()
        read = FragmentReader(html)
        assert len(html) < 60_000
        (picture,) = read.pictures
        assert picture.startswith("data:image/jpeg")
        assert not read.links
        assert "page() returns" in read.text
        assert "expected a file, found none" in read.text


class TestText:
    """What can be opened."""

    def test_names_what_opens(self, results: dict[str, Any]) -> None:
        """And is left out where everything is shown already."""
        for name, summary in {"plan": "plan", "card": "all", "description": "YAML", "stored prediction": "text and plan"}.items():
            assert f"<summary>{summary}</summary>" in results[name]._repr_html_()
        for name in ("image card", "statistics", "network"):
            assert "<details" not in results[name]._repr_html_()

    def test_many_rows_can_be_opened(self) -> None:
        """Since a table shows the first of them."""
        values = {f"mean over axis{n}": float(n) for n in range(20)}
        read = FragmentReader(Statistics(dataset=FrozenMapping(values))._repr_html_())
        assert "and 8 more" in read.text
        assert "axis19" in read.text

    def test_notes_are_complete(self, results: dict[str, Any]) -> None:
        """Also those that hold the word note."""
        some = results["prediction"]
        noted = bc.Prediction(some, plan=some.plan, statistics={}, times={}, nan_counts={}, notes=["left out: note: many"])
        assert "<dd>left out: note: many</dd>" in noted._repr_html_()


class TestImageCards:
    """The picture of a file."""

    def test_of_a_file(self, results: dict[str, Any], tmp_path: Path) -> None:
        """Is shown while the file is there; an array in memory is not part of its card."""
        assert len(FragmentReader(results["image file"]._repr_html_()).pictures) == 1
        assert not FragmentReader(results["image card"]._repr_html_()).pictures
        gone = bc.image_card(_saved(tmp_path / "gone.npy", np.zeros((8, 8))))
        (tmp_path / "gone.npy").unlink()
        assert not FragmentReader(gone._repr_html_()).pictures


class TestListings:
    """Tuples that are shown as tables."""

    def test_stay_tuples(self, results: dict[str, Any]) -> None:
        """With the same entries, also in other processes."""
        listing = results["compatibility"]
        assert isinstance(listing, tuple)
        assert listing == tuple(listing)
        assert pickle.loads(pickle.dumps(listing)) == listing
        assert repr(pickle.loads(pickle.dumps(listing))) == repr(listing)

    def test_answers(self, results: dict[str, Any]) -> None:
        """Are in the line of a console."""
        assert "this library yes" in repr(results["compatibility"])


class TestCommandLine:
    """``print`` and commands."""

    def test_print_the_same(self, model: Path, tmp_path: Path, results: dict[str, Any]) -> None:
        """Plans, cards, reports and plugins."""
        image = tmp_path / "image.npy"
        np.save(image, np.random.default_rng(0).random((200, 300), dtype=np.float32))
        plan = bc.open_predictor(model, block=64, axes="yx").plan(image)
        calls = {
            ("plan", str(model), str(image), "--block", "y=64,x=64", "--axes", "yx"): plan,
            ("info", str(model)): bc.card(model),
            ("info", str(image)): bc.image_card(image),
            ("compat", str(model)): results["compatibility"],
            ("plugins",): results["plugins"],
            ("stats", str(image), "--measure", "mean", "--measure", "std"): bc.compute_statistics(str(image)),
            ("trust", "--list"): results["trusted"],
        }
        for arguments, result in calls.items():
            done = run_process(*arguments)
            with on_command_line():
                assert done.out.strip() == str(result).strip(), arguments


class TestDescriptions:
    """Descriptions of all types and versions."""

    def test_corpus(self, shared: Path) -> None:
        """A line, YAML, and a fragment."""
        seen = set()
        for path in sorted((shared / "corpus" / "descriptions").glob("*.yaml"))[::5]:
            if bc.validate(path).status == "valid":
                descr = bc.load_description(path)
                line = repr(descr)
                assert "\n" not in line
                assert bc.validate(str(descr).encode()).status == "valid"
                read = FragmentReader(descr._repr_html_())
                assert descr.name[:50] in read.text
                seen.add((descr.type, descr.format_version[:3]))
        assert {("model", "0.4"), ("dataset", "0.2")} <= seen
