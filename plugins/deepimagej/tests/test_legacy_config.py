"""The file ``config.xml``."""

from __future__ import annotations

from pathlib import Path
from xml.dom import minidom

import pytest
from bioimageio_runtime_deepimagej.from_legacy import block_of, description_of
from bioimageio_runtime_deepimagej.legacy_config import LegacyConfig, looks_legacy, parse_legacy, read_legacy, write_legacy
from bioimageio_runtime_deepimagej.quantities import parse_number, parse_pixel_size, parse_quantity, parse_size, spatial_unit

from bioimageio_core.registry import collect
from bioimageio_core.spec.validation import validate_tree
from bioimageio_core.typing import FrozenMapping

WHOLE = b"<Model><ModelInformation><Name>Cells</Name></ModelInformation></Model>"


@pytest.fixture(scope="module")
def files(shared: Path) -> list[Path]:
    """The real files."""
    found = sorted((shared / "formats" / "fixtures" / "deepimagej_xml").glob("*.xml"))
    assert len(found) >= 14
    return [*found, shared / "models" / "keras_tf_unet" / "config.xml"]


class TestRealFiles:
    """Files that others wrote."""

    def test_round_trip(self, files: list[Path]) -> None:
        """Read, written and read again they say the same, in the same order."""
        for path in files:
            read = read_legacy(path)
            again = parse_legacy(write_legacy(read).encode())
            assert again == read, path.name
            assert len(read.elements) >= 30

    def test_descriptions(self, files: list[Path]) -> None:
        """All but the empty template become valid descriptions, which say the same configuration again."""
        empty = []
        for path in files:
            config = read_legacy(path)
            weights = {"torchscript": {"source": "net.pt", "pytorch_version": "1.6"}}
            if config.text("InputTensorDimensions") is None:
                empty.append(path)
                with pytest.raises(ValueError, match="expected InputTensorDimensions"):
                    description_of(config, weights, {}, {})
                continue
            tree = description_of(config, weights, {}, {})
            assert validate_tree(tree, collect()).status == "valid", path.name
            assert LegacyConfig(FrozenMapping(tree["config"]["deepimagej"]["config_xml"])) == config
        assert len(empty) == 1

    def test_values(self, files: list[Path]) -> None:
        """Decimal commas, units and sizes are understood."""
        config = next(c for c in map(read_legacy, files) if c.elements["MemoryPeak"] == "172,9 Mb")
        block = block_of(config)
        information = block.test_information
        assert (information.memory_peak, information.runtime) == ((172.9, "Mb"), (2.8, "s"))
        assert information.inputs[0].size == (720, 576)
        assert information.inputs[0].pixel_size is not None
        assert information.inputs[0].pixel_size.y == (1.6e-4, "cm")
        (axis,) = [a for a in description_of(config, {}, {}, {})["inputs"][0]["axes"] if a.get("id") == "y"]
        assert axis == {"type": "space", "id": "y", "size": {"min": 96, "step": 8}, "scale": 1.6e-4, "unit": "centimeter"}

    def test_sniffed(self, files: list[Path], tmp_path: Path) -> None:
        """They are known by their first bytes."""
        assert all(looks_legacy(path) for path in files)
        (tmp_path / "other.xml").write_text("<OME/>")
        assert not looks_legacy(tmp_path / "other.xml")


class TestParse:
    """Where elements are found, and what is refused."""

    @pytest.mark.parametrize(
        "content",
        [
            b"<Model><Name>Cells</Name><Padding> 3 </Padding></Model>",
            b"<Name>Cells</Name>\n<Padding>3</Padding>",
            b'<?xml version="1.0" encoding="UTF-8"?>\n  <Name>Cells</Name><Padding>3</Padding>',
            b"<Model><ModelInformation><Name>Cells</Name></ModelInformation><ModelCharacteritics><Padding>3</Padding></ModelCharacteritics></Model>",
        ],
        ids=["no sections", "no root", "no root, declared", "older spelling"],
    )
    def test_anywhere(self, content: bytes) -> None:
        """Elements are looked up by name."""
        assert parse_legacy(content).elements == {"Name": "Cells", "Padding": "3"}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "expected valid XML, found a fault in line 1"),
            (WHOLE[:-9], "expected valid XML, found a fault in line 1"),
            (b"<OME><Name>a</Name></OME>", "expected the root Model, found 'OME'"),
            (b"<Model></Model>", "expected elements of a deepImageJ configuration"),
            (b'<!DOCTYPE Model [<!ENTITY a "b">]>' + WHOLE, "expected no document type declaration"),
            (b'<!DOCTYPE Model SYSTEM "file:///etc/passwd">' + WHOLE, "expected no document type declaration"),
            (b"<Model><Name>&a;</Name></Model>", "undefined entity"),
            (b"<Model><Name>a</Name><Name>b</Name></Model>", "expected Name once"),
            (b"<Model><Name><b>a</b></Name></Model>", "expected text in Name"),
            (b" " * (2**20 + 1), "expected a configuration of at most"),
            (b"<Model><Name>\xff</Name></Model>", "expected valid XML"),
        ],
    )
    def test_refused(self, content: bytes, message: str) -> None:
        """What is broken or hostile is told in one sentence."""
        with pytest.raises(ValueError, match=message) as caught:
            parse_legacy(content)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("FixedPatch", "perhaps"),
            ("Padding", "-3"),
            ("MinimumSize", "0"),
            ("InputTensorDimensions", ",a,"),
            ("InputOrganization0", "NHWQ"),
            ("InputTensorDimensions", ",1,"),
            ("PixelSize", "big"),
            ("MemoryPeak", "much"),
            ("NumberOfInputs", "2"),
        ],
    )
    def test_unknown_values(self, name: str, value: str) -> None:
        """A value that cannot be understood is told with what was expected."""
        elements = {"InputTensorDimensions": ",-1,-1,-1,1,", "InputOrganization0": "NHWC", name: value}
        with pytest.raises(ValueError, match="expected"):
            description_of(LegacyConfig(FrozenMapping(elements)), {}, {}, {})


class TestWritten:
    """What is written is for the reader of deepImageJ 1.x."""

    def test_every_second_node(self) -> None:
        """Elements are at odd places among the nodes, with white space between."""
        config = LegacyConfig(FrozenMapping({"Name": "Cells & <more>", "InputSize": "3x3", "Padding": "3", "Unheard": "of"}))
        text = write_legacy(config)
        root = minidom.parseString(text).documentElement
        assert [n.tagName for n in root.childNodes[1::2]] == ["ModelInformation", "ModelTest", "ModelCharacteristics"]
        for section in root.childNodes[1::2]:
            assert all(n.nodeType == n.ELEMENT_NODE for n in section.childNodes[1::2])
            assert all(n.nodeType == n.TEXT_NODE for n in section.childNodes[::2])
        assert parse_legacy(text.encode()) == config


class TestQuantities:
    """Numbers and units."""

    @pytest.mark.parametrize(("text", "number"), [("1.5", 1.5), ("1,60E-04", 1.6e-4), (" -3 ", -3.0), (".5", 0.5)])
    def test_numbers(self, text: str, number: float) -> None:
        """With a point, or a comma."""
        assert parse_number(text) == number

    def test_quantities(self) -> None:
        """A unit that was written twice is taken once."""
        assert parse_quantity("  2,8 s") == (2.8, "s")
        assert parse_quantity("11.5 s s") == (11.5, "s")
        assert parse_quantity("3") == (3.0, "")

    def test_sizes(self) -> None:
        """With or without space around the x, which is a letter of pixels, too."""
        assert parse_size("256 x 256x1") == (256, 256, 1)
        assert parse_pixel_size("1.30µmx1.30µmx1.00E+00pixels") == ((1.3, "µm"), (1.3, "µm"), (1.0, "pixels"))
        assert parse_pixel_size("1.00pixel x 1.00pixel") == ((1.0, "pixel"), (1.0, "pixel"))

    @pytest.mark.parametrize("text", ["", "much", "1 s min", "nan", "1e999"])
    def test_refused(self, text: str) -> None:
        """What is no quantity."""
        with pytest.raises(ValueError, match="expected"):
            parse_quantity(text)

    def test_units(self) -> None:
        """Lengths have a name in descriptions, pixels have none."""
        assert [spatial_unit(u) for u in ("µm", "um", "cm", "pixel", "")] == ["micrometer", "micrometer", "centimeter", None, None]
