"""Cards and reports as pages: what they show, and that hostile descriptions do nothing."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from fragment_reader import FragmentReader
from made_models import BATCH, box_model, channels, follows, save_description_0_5, space, tensor

import bioimageio_core as bc
from bioimageio_core.report.cards.annotated_report import annotate, validation_page
from bioimageio_core.report.cards.lines_to_copy import lines_to_copy
from bioimageio_core.report.pictures.side_by_side import to_png

ALLOWED = {
    "a": {"href", "rel"},
    "code": {"class"},
    "details": {"class", "open"},
    "div": {"class", "tabindex"},
    "dl": {"class"},
    "dd": {"class"},
    "fieldset": {"class", "aria-label"},
    "html": {"lang"},
    "img": {"src", "alt"},
    "input": {"type", "id", "checked"},
    "meta": {"charset", "name", "content", "http-equiv"},
    "ol": {"class", "start"},
    "p": {"class"},
    "pre": {"tabindex"},
    "rect": {"class", "x", "y", "width", "height", "rx"},
    "span": {"class"},
    "svg": {"width", "height", "viewbox", "role"},
    "text": {"x", "y", "text-anchor"},
}
"""Tags of our pages that have attributes."""

PLAIN = """
blockquote body br dt em h1 h2 h3 h4 h5 h6 head header hr label li main mark strong style summary table tbody td th thead title tr ul
"""
"""Tags of our pages that have none."""


VOID = {"br", "hr", "img", "input", "meta", "rect"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "{{ 7 * 7 }}{% include 'x' %}",
    "</style><script>alert(1)</script>",
    "<!-- </title>",
]


class Page(HTMLParser):
    """Reads a page, and refuses what a page of ours never holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.images: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED or tag in PLAIN.split(), tag
        for name, value in attrs:
            assert name in ALLOWED.get(tag, ()), (tag, name, value)
            if name == "href":
                assert str(value).startswith(("http://", "https://", "mailto:")), value
                self.links.append(str(value))
            if name == "src":
                assert str(value).startswith("data:image/"), value
                self.images.append(str(value))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += f"{data}\n"


@pytest.fixture
def rich(tmp_path: Path) -> Path:
    """A model that says all that format 0.5 has words for."""
    box_model(tmp_path, {"min": 16, "step": 4}, halo=2)
    (tmp_path / "cover.png").write_bytes(to_png([[0, 255]]))  # type: ignore[arg-type]
    (tmp_path / "README.md").write_text("# Usage\nLook at `y`.\n## Validation\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    tree = yaml.safe_load((tmp_path / "bioimageio.yaml").read_text())
    tree |= {
        "covers": ["cover.png", "https://example.com/far.png"],
        "links": ["ilastik/ilastik", "https://example.com/more"],
        "training_data": {"id": "nuclei/training"},
        "config": {
            "bioimageio": {
                "task": "segmentation",
                "training": {"training_epochs": 20, "optimizer_kwargs": {"lr": 0.001, "betas": [0.9, 0.999]}},
                "bias_risks_limitations": {"known_biases": "Only round cells."},
                "environmental_impact": {"co2_emitted": 1.5},
                "evaluations": [
                    {
                        "dataset_id": "nuclei/test",
                        "dataset_source": "https://example.com/test",
                        "dataset_role": "test",
                        "sample_count": 12,
                        "evaluation_factors": ["small", "large"],
                        "evaluation_factors_long": ["below 20 px", "large"],
                        "metrics": ["IoU"],
                        "metrics_long": ["intersection over union"],
                        "results": [[0.8, 0.9]],
                    }
                ],
            }
        },
    }
    (tmp_path / "bioimageio.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    return tmp_path


def strings(tree: Any, text: str) -> Iterator[tuple[Any, Any]]:
    """Yield ways to put a text in the place of each free text of a tree, as containers and keys."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, item in items:
        if isinstance(item, str):
            yield tree, key
        else:
            yield from strings(item, text)


class TestCards:
    """Pages of resources."""

    def test_model(self, rich: Path) -> None:
        """Everything that the description says."""
        page = Page(bc.card(rich).page())
        words = " ".join(page.text.split())
        for said in (
            "made model",
            "A Tester",
            "MIT",
            "16 + 4 n",
            "that of raw.y",
            "yes, with onnxruntime",
            "nuclei/training",
            "Only round cells.",
        ):
            assert said in words
        assert "small (below 20 px) large IoU (intersection over union) 0.8 0.9" in words
        assert "lr=0.001, betas=[0.9, 0.999]" in words
        assert "Usage Look at y . Validation a b 1 2" in words
        assert len(page.images) == 1
        assert {"https://example.com/more", "https://spdx.org/licenses/MIT.html", "https://example.com/test"} <= set(page.links)

    def test_same_as_data(self, rich: Path) -> None:
        """Sections with facts and tables, for machines."""
        data = bc.card(rich).as_dict()
        sections = {s["title"]: s for s in data["sections"]}
        assert list(sections) == [
            "Training data",
            "Purpose",
            "Training",
            "Evaluation",
            "Biases, risks and limitations",
            "Environmental impact",
        ]
        assert sections["Training"]["facts"]["epochs"] == "20"
        assert sections["Evaluation"]["tables"][0]["rows"] == [["IoU (intersection over union)", "0.8", "0.9"]]
        assert data["covers"] == ["cover.png", "https://example.com/far.png"]

    @pytest.mark.parametrize("type_", ["dataset", "application", "notebook", "workflow"])
    @pytest.mark.parametrize("version", ["0.2.4", "0.3.0"])
    def test_other_types(self, type_: str, version: str) -> None:
        """Have a card as well."""
        tree = {"type": type_, "format_version": version, "name": "A resource", "description": "what it is", "tags": ["cells"]}
        if type_ == "notebook":
            tree["source"] = "https://example.com/run.ipynb"
        card = bc.card(tree)
        assert card.as_dict()["type"] == type_
        page = Page(card.page())
        assert "what it is" in page.text
        assert "Weights" not in page.text
        assert ("https://example.com/run.ipynb" in page.links) == (type_ == "notebook")

    @pytest.mark.parametrize("text", HOSTILE)
    def test_hostile_texts(self, rich: Path, text: str) -> None:
        """In the place of every text that may be anything, they are shown as they are written."""
        tree = yaml.safe_load((rich / "bioimageio.yaml").read_text())
        valid = 0
        for container, key in list(strings(tree, text)):
            kept, container[key] = container[key], text
            if bc.validate(tree).status == "valid":
                valid += 1
                card = bc.card({**tree, "links": [text]})
                page = Page(card.page())
                assert text in page.text
            container[key] = kept
        assert valid > 8

    def test_hostile_documentation(self, rich: Path) -> None:
        """HTML is shown, links lead to the web, and nothing is fetched."""
        hostile = "\n\n".join(
            [
                *HOSTILE,
                "[a](javascript:alert(1)) [b](data:text/html;base64,AA) [c](JAVASCRIPT:x) [d](other.md) [e](https://example.com/good)",
                "![f](https://example.com/track.png) ![<b>](javascript:x) ![g](data:image/svg+xml;base64,AA)",
                "<https://example.com/auto> <javascript:alert(1)>",
                "[h]: javascript:alert(1)\n\n[h]",
                "&lt;script&gt; &#106;avascript:alert(1) [i](&#106;avascript:alert(1))",
                "```<script>\n<script>\n```",
            ]
        )
        (rich / "README.md").write_text(hostile)
        page = Page(bc.card(rich).page())
        assert not [u for u in page.links if "javascript" in u.lower() or u.startswith("data:")]
        assert {"https://example.com/good", "https://example.com/track.png", "https://example.com/auto"} <= set(page.links)
        assert len(page.images) == 1

    def test_files_outside_are_not_shown(self, rich: Path) -> None:
        """A page may be published: what lies beside the package is no part of it."""
        (rich / "bioimageio.yaml").rename(rich / "inner.yaml")
        (rich / "package").mkdir()
        tree = yaml.safe_load((rich / "inner.yaml").read_text())
        tree |= {"covers": ["../cover.png"], "documentation": "../README.md"}
        (rich / "package" / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        card = bc.card(rich / "package")
        assert (card.covers[0].data_url, card.documentation_text) == (None, None)
        assert str(rich) not in card.page()
        assert "package/bioimageio.yaml" in card.page()

    def test_large_covers_are_not_shown(self, rich: Path) -> None:
        """Of two megabytes or more."""
        with (rich / "cover.png").open("ab") as file:
            file.write(bytes(2_000_000))
        assert not Page(bc.card(rich).page()).images

    def test_front_matter(self, rich: Path) -> None:
        """YAML at the start of documentation is left out."""
        (rich / "README.md").write_text("---\ntitle: secret title\n---\n# Shown\n")
        text = Page(bc.card(rich).page()).text
        assert "Shown" in text
        assert "secret title" not in text

    def test_notebook_view(self, rich: Path) -> None:
        """The main facts, and that `page()` returns everything; the page would make notebooks large."""
        read = FragmentReader(bc.card(rich)._repr_html_())
        assert not read.links
        assert "page() returns everything" in read.text


class TestDrawings:
    """Tensors drawn in one scale."""

    def boxes(self, source: Path) -> dict[str, list[dict[str, float]]]:
        """Return the sides of the rectangles of a card by their kind."""
        found: dict[str, list[dict[str, float]]] = {}
        for kind, rest in re.findall(r'<rect class="(\w+)" ([^>]*)/>', bc.card(source).page()):
            found.setdefault(kind, []).append({k: float(v) for k, v in re.findall(r'(\w+)="([\d.]+)"', rest)})
        return found

    def test_halo_and_growth(self, rich: Path) -> None:
        """Least size 16, halo 2: an eighth of the face on either side."""
        boxes = self.boxes(rich)
        assert [(b["width"], b["height"]) for b in boxes["face"]] == [(128, 128), (128, 128)]
        assert [(b["width"], b["height"]) for b in boxes["core"]] == [(96, 96)]
        assert len(boxes["growth"]) == 2

    def test_half_of_the_size(self, shared: Path) -> None:
        """An output of half the size is drawn half as large."""
        sides = [b["width"] for b in self.boxes(shared / "models" / "unet2d_diff_output_shape")["face"]]
        assert sides == [128, 64]

    def test_channels_are_sheets(self, tmp_path: Path) -> None:
        """One behind the other, four at most."""
        axes = [BATCH, channels(*"abcdef"), space("y", 8), space("x", 16)]
        save_description_0_5(tmp_path, [tensor("raw", *axes)], [tensor("out", BATCH, channels("a", "b"), space("x", follows("x")))])
        boxes = self.boxes(tmp_path)
        assert len(boxes["sheet"]) == 3 + 1
        assert (boxes["face"][0]["width"], boxes["face"][0]["height"]) == (128, 64)
        assert "growth" not in boxes

    def test_every_real_model(self, shared: Path) -> None:
        """Has a page with a drawing for each tensor."""
        for source in sorted((shared / "models").glob("*/*bioimageio.yaml")):
            if bc.validate(source).status == "valid":
                card = bc.card(source)
                page = card.page()
                Page(page)
                assert page.count("<svg") == len(card.inputs) + len(card.outputs)


class TestReports:
    """Pages of validation."""

    def test_hostile_descriptions(self) -> None:
        """Keys, values and lines are shown as they are written."""
        for text in HOSTILE:
            content = f"type: dataset\nformat_version: 0.3.0\nname: |\n  {text}\n".encode() + yaml.safe_dump({text: [text]}).encode()
            page = Page(validation_page([annotate(bc.validate(content), content)]))
            assert text in page.text

    def test_filter_and_counts(self) -> None:
        """A box for each severity, which style alone obeys."""
        content = b"type: dataset\nformat_version: 0.3.0\nname: [1]\n"
        report = annotate(bc.validate(content), content)
        html = validation_page([report, report])
        page = Page(html)
        assert "2 errors" in page.text
        assert "2 invalid" in page.text
        for severity in ("error", "alert", "warning", "info"):
            assert f'id="show-{severity}"' in html
            assert f"#show-{severity}:not(:checked)" in html

    def test_notebook_view(self) -> None:
        """As of cards."""
        report = annotate(bc.validate({}), {})
        (link,) = FragmentReader(report._repr_html_()).links
        assert b64decode(link.partition(",")[2]).decode() == report.page()

    def test_corpus(self, shared: Path) -> None:
        """Real descriptions of every type: each issue has a line, and every page and card is sound."""
        for path in sorted((shared / "corpus" / "descriptions").glob("*.yaml"))[::9]:
            content = path.read_bytes()
            report = bc.validate(content)
            annotated = annotate(report, content)
            assert all(i.line and i.column for i in annotated.issues), path
            Page(validation_page([annotated]))
            if report.status == "valid":
                Page(bc.card(path).page())


class TestUsage:
    """Lines to copy on the card of a model."""

    def test_one_input(self, tmp_path: Path) -> None:
        """The folder, not the whole path, which is nobody's business; the output by its id."""
        folder = tmp_path / "my model"
        folder.mkdir()
        model = box_model(folder, {"min": 16, "step": 1}, halo=2)
        command, code = lines_to_copy(str(model / "bioimageio.yaml"), ["raw"], "out")
        assert command == "bmz predict 'my model' cells.tif -o result.ome.zarr"
        assert code.splitlines()[2:] == ['result = bc.predict("my model", "cells.tif")', 'result["out"]  # an array with named axes']
        page = bc.card(model).page()
        assert "bmz predict &#39;my model&#39; cells.tif" in page
        assert str(tmp_path) not in page

    def test_inputs_before_authors(self, tmp_path: Path) -> None:
        """What a user needs comes first."""
        page = bc.card(box_model(tmp_path, {"min": 16, "step": 1}, halo=2)).page()
        places = [page.index(f"<h2>{title}</h2>") for title in ("Use it", "Inputs", "Outputs", "Weights", "About")]
        assert places == sorted(places)


class TestValidationPage:
    """Whose validation, and when."""

    def test_name_and_date(self, tmp_path: Path) -> None:
        """The name of the resource, and today."""
        model = box_model(tmp_path, {"min": 16, "step": 1}, halo=2)
        report = bc.validate(model)
        assert report.name
        page = validation_page([annotate(report, (model / "bioimageio.yaml").read_bytes())])
        assert f"<h1>Validation of {report.name}</h1>" in page
        assert f"Made on {datetime.now().astimezone().date().isoformat()}." in page


class TestRunPage:
    """A prediction as a page."""

    @pytest.mark.filterwarnings("ignore::bioimageio_core.errors.PredictionWarning")
    def test_what_it_shows(self, tmp_path: Path) -> None:
        """A picture, outputs, stages and the plan; nothing is loaded."""
        image = np.random.default_rng(0).random((70, 60), dtype=np.float32)
        result = bc.predict(box_model(tmp_path, {"min": 16, "step": 1}, halo=2), image, axes="yx", block=32)
        page = result.page()
        assert 'src="data:image/png;base64,' in page
        assert "y 70, x 60" in page
        assert "3 x 3 blocks" in page
        assert "ensure_dtype" in page or "padded" in page
        assert not re.search(r'(?:src|href)="http', page)
        assert "<script" not in page

    @pytest.mark.parametrize("name", HOSTILE)
    @pytest.mark.filterwarnings("ignore::bioimageio_core.errors.PredictionWarning")
    def test_names_stay_text(self, tmp_path: Path, name: str) -> None:
        """The name of the model is escaped."""
        model = box_model(tmp_path, {"min": 16, "step": 1}, halo=2)
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        (model / "bioimageio.yaml").write_text(yaml.safe_dump({**tree, "name": name}))
        report = bc.validate(model)
        if report.status == "valid":  # the format forbids some characters in names
            page = bc.predict(model, np.zeros((20, 20), np.float32), axes="yx").page()
            assert "<script>alert" not in page
            assert "<img src=x" not in page
