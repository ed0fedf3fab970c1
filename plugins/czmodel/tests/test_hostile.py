"""Files that are broken, or made to do harm: each is told in one sentence, and nothing is left on disk."""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from made_files import CZANN, XML, network_bytes, specification, write_czann, write_czmodel, write_zip
from onnx import TensorProto, helper, numpy_helper

import bioimageio_core as bc
from bioimageio_core.errors import InputError


def refused(path: Path, words: str, kind: str) -> None:
    """Assert that importing tells these words, in one line, and leaves nothing."""
    folder = path.parent / "imported"
    with pytest.raises(InputError, match=words) as raised:
        bc.import_model(path, folder, format=kind)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(f"{path} cannot be read as {kind}: ")
    assert not folder.exists()
    assert not [p for p in path.parent.iterdir() if p.name.startswith(".")]


def czann_members(**changes: Any) -> dict[str, bytes]:
    return {"model.json": json.dumps({**CZANN, **changes}).encode(), "model.model": network_bytes()}


class TestZip:
    """What is wrong with the container."""

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all", b"PK\x05\x06" + bytes(17)])
    def test_no_zip(self, tmp_path: Path, content: bytes) -> None:
        """Anything else under the name."""
        (tmp_path / "m.czann").write_bytes(content)
        refused(tmp_path / "m.czann", "it is not a zip, or is cut short", "czann")

    def test_every_length(self, tmp_path: Path) -> None:
        """Cut short anywhere."""
        whole = write_czann(tmp_path / "whole.czann").read_bytes()
        for length in range(0, len(whole), 97):
            path = tmp_path / "m.czann"
            path.write_bytes(whole[:length])
            refused(path, "it is not a zip, or is cut short", "czann")

    def test_bytes_changed(self, tmp_path: Path) -> None:
        """A network that is not what was written is told by its checksum."""
        path = write_czann(tmp_path / "m.czann")
        content = bytearray(path.read_bytes())
        content[content.index(b"kernel")] ^= 1
        path.write_bytes(content)
        refused(path, "model.model cannot be read: Bad CRC-32", "czann")

    @pytest.mark.parametrize(
        ("kind", "suffix", "members", "words"),
        [
            ("czann", "czann", {"model.json": b"{}"}, "it lacks model.model: expected model.json, model.model, found model.json"),
            ("czann", "czann", {"model.model": b""}, "it lacks model.json"),
            ("czann", "czann", {}, "it lacks model.json and model.model: .* found nothing"),
            ("czmodel", "czmodel", {"a.xml": b""}, r"it has 0 members that end in \.model"),
            ("czmodel", "czmodel", {"a.model": b""}, r"it has 0 members that end in \.xml"),
            ("czmodel", "czmodel", {"a.xml": b"", "b.xml": b"", "a.model": b""}, r"it has 2 members that end in \.xml"),
            ("czmodel", "czseg", czann_members(), "as .czann files do: read it with format='czann'"),
        ],
    )
    def test_members(self, tmp_path: Path, kind: str, suffix: str, members: dict[str, bytes], words: str) -> None:
        """Members that are missing, or too many."""
        refused(write_zip(tmp_path / f"m.{suffix}", members), words, kind)

    @pytest.mark.parametrize("name", ["../LICENSE.txt", "/etc/LICENSE.txt", "a/../../LICENSE.txt", "C:\\LICENSE.txt", "..\\LICENSE.txt"])
    def test_paths_that_lead_out(self, tmp_path: Path, name: str) -> None:
        """Nothing is written outside of the folder, on any system."""
        path = write_zip(tmp_path / "m.czann", {**czann_members(), name: b"mine"})
        refused(path, "outside of its folder|expected members without folders", "czann")
        assert not list(tmp_path.parent.glob("LICENSE.txt"))

    def test_folders(self, tmp_path: Path) -> None:
        """Members lie in no folder."""
        refused(write_zip(tmp_path / "m.czann", {**czann_members(), "a/b.txt": b""}), "expected members without folders", "czann")

    @pytest.mark.parametrize("name", ["bioimageio.yaml", "documentation.md", "NETWORK.onnx"])
    def test_names_of_ours(self, tmp_path: Path, name: str) -> None:
        """A member does not take the place of what is written beside it."""
        refused(write_zip(tmp_path / "m.czann", {**czann_members(), name: b""}), "a name of files of a description", "czann")

    def test_links(self, tmp_path: Path) -> None:
        """Links are not followed."""
        path = write_zip(tmp_path / "m.czann", czann_members())
        with zipfile.ZipFile(path, "a") as archive:
            info = zipfile.ZipInfo("LICENSE.txt")
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
        refused(path, "is a link", "czann")

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_twice(self, tmp_path: Path) -> None:
        """Which of two is meant, nobody knows."""
        path = write_zip(tmp_path / "m.czann", czann_members())
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("model.json", b"{}")
        refused(path, "twice", "czann")

    def test_bomb(self, tmp_path: Path) -> None:
        """A zip that would unpack to far more than it is."""
        path = write_zip(tmp_path / "m.czann", {**czann_members(), "LICENSE.txt": bytes(1000)}, zipfile.ZIP_DEFLATED)
        content = bytearray(path.read_bytes())
        at = content.rindex(b"PK\x01\x02") + 24
        content[at : at + 4] = struct.pack("<I", 2**31)
        path.write_bytes(content)
        refused(path, "unlike weights", "czann")

    @pytest.mark.parametrize("kind", ["czann", "czmodel"])
    def test_large_metadata(self, tmp_path: Path, kind: str) -> None:
        """Metadata of any size are not read into memory."""
        big = b" " * (5 << 20)
        members = {"model.json": big, "model.model": b""} if kind == "czann" else {"a.xml": big, "a.model": b""}
        refused(write_zip(tmp_path / f"m.{kind}", members, zipfile.ZIP_DEFLATED), "expected at most .* of metadata", kind)

    def test_encrypted(self, tmp_path: Path) -> None:
        """A password is not asked for."""
        path = write_czann(tmp_path / "m.czann")
        content = bytearray(path.read_bytes())
        for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = content.index(signature) + flags
            content[at : at + 2] = struct.pack("<H", 1)
        path.write_bytes(content)
        refused(path, "encrypted", "czann")


class TestJson:
    """What is wrong with ``model.json``."""

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "model.json is no JSON"),
            (b"[1]", "model.json: expected an object, found list"),
            (b"\xff\xfe{", "model.json is no JSON"),
            (b'{"Id": NaN}', "NaN is not a number of JSON"),
            (b"[" * 100_000, "model.json is no JSON"),
            (b"{}", "model.json lacks Id, Type, InputShape, OutputShape"),
        ],
    )
    def test_no_object(self, tmp_path: Path, content: bytes, words: str) -> None:
        """Anything but an object with what is required."""
        refused(write_zip(tmp_path / "m.czann", {"model.json": content, "model.model": network_bytes()}), words, "czann")

    @pytest.mark.parametrize(
        ("key", "value", "words"),
        [
            ("Type", "Segmentation", "expected Type to be one of SingleClassInstanceSegmentation, .*, found .Segmentation"),
            ("Type", ["Regression"], "expected Type to be one of"),
            ("FormatVersion", "3.0.0", "expected FormatVersion to be one of 1.0.0, 1.1.0, 2.0.0, 2.1.0"),
            ("InputShape", [16, 24], "expected InputShape to be 3 or 4 integers of at least 1"),
            ("InputShape", [16, 0, 3], "expected InputShape"),
            ("InputShape", [16, True, 3], "expected InputShape"),
            ("InputShape", [16, 2**40, 3], "expected InputShape"),
            ("InputShape", "16", "expected InputShape"),
            ("OutputShape", [1.5, 2, 3], "expected OutputShape"),
            ("MinOverlap", [-2, 2], "expected MinOverlap"),
            ("MinOverlap", [2, 2, 2], "expected MinOverlap for each of 2 axes in space"),
            ("Classes", "ab", "expected Classes to be a list of texts"),
            ("Classes", [1, 2], "expected Classes to be a list of texts"),
            ("Scaling", [0, 1], "expected Scaling to be 2 or 3 numbers above 0"),
            ("Scaling", [1], "expected Scaling"),
            ("Id", 3, "expected Id to be text"),
            ("ModelName", {}, "expected ModelName to be text"),
            ("InputShape", [16, 25, 3], r"blocks have the sizes \[16, 25\] in the file, the network takes \[16, 24\]"),
            ("InputShape", [4, 16, 24, 3], "expected MinOverlap for each of 3 axes in space"),
            ("OutputShape", [16, 24, 5], r"the output has the shape \[16, 24, 5\] in the file, the network gives"),
        ],
    )
    def test_values(self, tmp_path: Path, key: str, value: Any, words: str) -> None:
        """Each key has a value that makes sense, and that of the network."""
        refused(write_czann(tmp_path / "m.czann", **{key: value}), words, "czann")


class TestXml:
    """What is wrong with the XML."""

    @pytest.mark.parametrize(
        "declared",
        [
            '<!DOCTYPE Model [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
            '<!DOCTYPE Model [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE Model SYSTEM "https://example.com/model.dtd">',
            '<!DOCTYPE Model [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
            "<!DOCTYPE Model>",
        ],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_document_types(self, tmp_path: Path, declared: str, encoding: str) -> None:
        """Nothing that could hold an entity is read, in whatever encoding."""
        text = XML.replace("'utf-8'", f"'{encoding}'").replace("?>", f"?>{declared}", 1).replace("Made network", "&a;")
        path = write_zip(tmp_path / "m.czmodel", {"a.xml": text.encode(encoding), "a.model": network_bytes()})
        refused(path, "declares a document type", "czmodel")

    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ("</Model>", "", "the XML is malformed"),
            ("Made network", "&a;", "the XML is malformed: undefined entity"),
            ("utf-8", "no-such-encoding", "the XML is malformed"),
            ("Model", "Other", "the XML describes a 'Other': expected a 'Model'"),
            ('Version="3.1.0"', 'Version="9.0"', "the XML is of version '9.0': expected one of 3.0.0, 3.1.0"),
            ('Version="3.1.0"', "", "the XML is of version None"),
            ("Trained", "Untrained", "expected Status to be one of Trained, found 'Untrained'"),
            ("DeepNeuralNetwork", "BasicFeatures25", "expected FeatureExtractor to be one of DeepNeuralNetwork"),
            ("SplitRgb", "Rainbow", "expected ColorHandling to be one of ConvertToMonochrome, SplitRgb, found 'Rainbow'"),
            ("Bgr24", "Bgr25", "expected PixelType to be one of Gray8, .*, found 'Bgr25'"),
            ("Bgr24", "Bgr192ComplexFloat", "expected real pixels of one data type"),
            ('<Item PixelType="Bgr24" />', "", "the XML lacks Channels/Item"),
            ("<Id>abc</Id>", "", "the XML lacks Id"),
            ("<BorderSize>2</BorderSize>", "", "the XML lacks BorderSize"),
            ("<BorderSize>2<", "<BorderSize>-2<", "expected BorderSize to be an integer"),
            ("<BorderSize>2<", "<BorderSize>99999999999<", "expected BorderSize to be an integer"),
            ('colB="7"', 'colB="256"', "expected colB to be an integer from 0 to 255"),
            ('Name="a"', "", "class 1 has no Name"),
        ],
    )
    def test_values(self, tmp_path: Path, old: str, new: str, words: str) -> None:
        """Each element has a value that makes sense."""
        refused(write_czmodel(tmp_path / "m.czmodel", XML.replace(old, new)), words, "czmodel")


class TestNetworks:
    """What is wrong with the network."""

    @pytest.mark.parametrize(
        ("network", "words"),
        [
            (b"", "an ONNX graph without anything in it"),
            (b"\x08\x07no graph", "neither a SavedModel nor an ONNX graph"),
            (network_bytes()[:200], "neither a SavedModel nor an ONNX graph"),
            (b"PK\x03\x04", "a zip without saved_model.pb"),
            (network_bytes(outputs=2), r"the network has 2 outputs \(out0, out1\): expected one"),
        ],
    )
    def test_no_network(self, tmp_path: Path, network: bytes, words: str) -> None:
        """Anything but a network of one input and one output."""
        refused(write_czann(tmp_path / "m.czann", network=network), words, "czann")

    def test_other_files(self, tmp_path: Path) -> None:
        """A graph whose tensors lie in another file is refused, and that is not opened."""
        model = onnx.load_model_from_string(network_bytes())
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../etc/passwd")
        refused(
            write_czann(tmp_path / "m.czann", network=model.SerializeToString()), "wants tensors from another file, '../../etc", "czann"
        )

    def test_other_files_within(self, tmp_path: Path) -> None:
        """Neither are those of graphs within the graph."""
        tensor = numpy_helper.from_array(np.zeros(1, np.float32), "t")
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="secret")
        inner = helper.make_graph([helper.make_node("Constant", [], ["c"], value=tensor)], "inner", [], [])
        model = onnx.load_model_from_string(network_bytes())
        model.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner))
        refused(write_czann(tmp_path / "m.czann", network=model.SerializeToString()), "from another file, 'secret'", "czann")

    def saved(self, change: Callable[[bytes], bytes], name: str = "saved_model.pb") -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, change(saved_model_graph()))
        return buffer.getvalue()

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda graph: graph[:-3], "cannot be read"),
            (lambda graph: b"", "without a graph"),
            (lambda graph: b"\xff" * 20, "cannot be read"),
            (lambda graph: graph.replace(b"serving_default", b"serving_nothing"), "the SavedModel has the signatures serving_nothing"),
        ],
    )
    def test_saved_models(self, tmp_path: Path, change: Callable[[bytes], bytes], words: str) -> None:
        """A SavedModel whose graph is malformed."""
        refused(write_czann(tmp_path / "m.czann", network=self.saved(change)), words, "czann")

    def test_saved_model(self, tmp_path: Path) -> None:
        """The same one, well formed, is read."""
        path = write_czann(tmp_path / "m.czann", network=self.saved(lambda graph: graph))
        bc.import_model(path, tmp_path / "model")
        entry = bc.load_model_description(tmp_path / "model").weights["tensorflow_saved_model_bundle"]
        assert entry.tensorflow_version == "2.15.1"

    def test_saved_model_in_a_bomb(self, tmp_path: Path) -> None:
        """A zip in the zip is judged like the outer one."""
        network = self.saved(lambda graph: graph, name="../saved_model.pb")
        refused(write_czann(tmp_path / "m.czann", network=network), "a zip without saved_model.pb", "czann")


def saved_model_graph() -> bytes:
    """A SavedModel that has nothing but a signature: from 16 x 24 x 3 to two classes."""

    def message(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content) & 0x7F | 0x80, len(content) >> 7]) + content

    def tensor(*sizes: int) -> bytes:
        dims = b"".join(message(2, b"\x08" + (bytes([size]) if size > 0 else b"\xff" * 9 + b"\x01")) for size in sizes)
        return message(1, b"name:0") + b"\x10\x01" + message(3, dims)

    def entry(number: int, key: bytes, content: bytes) -> bytes:
        return message(number, message(1, key) + message(2, content))

    signature = entry(1, b"image", tensor(-1, 16, 24, 3)) + entry(2, b"classes", tensor(-1, 16, 24, 2))
    return b"\x08\x01" + message(2, message(1, message(5, b"2.15.1")) + entry(5, b"serving_default", signature))


class TestSpecification:
    """What is wrong with a JSON specification."""

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"ModelPath": "nowhere"}, "ModelPath names 'nowhere', which does not exist"),
            ({"ModelPath": None}, "it lacks ModelPath"),
            ({"ModelPath": 3}, "expected ModelPath to be a path"),
            ({"ModelPath": "a\0b"}, "expected ModelPath to be a path"),
            ({"ModelPath": "."}, r"holds no saved_model\.pb"),
            ({"LicenseFile": "none.txt"}, "LicenseFile names 'none.txt', which does not exist"),
            ({"LicenseFile": "."}, "is not a file"),
            ({"BorderSize": "90"}, "expected BorderSize to be an integer"),
            ({"BorderSize": -1}, "expected BorderSize to be an integer"),
            ({"Classes": "ab"}, "expected Classes to be a list of names"),
            ({"PixelType": "Gray12"}, "expected PixelType to be one of"),
            ({"PixelType": []}, "expected PixelType to be one of"),
            ({"ColorHandling": 1}, "expected ColorHandling to be one of"),
        ],
    )
    def test_values(self, tmp_path: Path, changes: dict[str, Any], words: str) -> None:
        """Each key has a value that makes sense."""
        refused(specification(tmp_path, **changes), words, "czmodel-json")

    def test_keras(self, tmp_path: Path) -> None:
        """A Keras file has to be exported first, which is said."""
        path = specification(tmp_path, ModelPath="network.h5")
        (tmp_path / "network.h5").write_bytes(b"\x89HDF")
        refused(path, "network.h5 is a Keras file: expected ONNX or a SavedModel", "czmodel-json")

    def test_paths_of_windows(self, tmp_path: Path) -> None:
        """Backslashes are those of paths, as most of these files have them; a test image that is not there is nothing."""
        (tmp_path / "sub").mkdir()
        path = specification(tmp_path, ModelPath="sub\\network.onnx", LicenseFile="sub\\LICENSE", TestImageFile="C:\\test-image.png")
        (tmp_path / "network.onnx").rename(tmp_path / "sub" / "network.onnx")
        (tmp_path / "sub" / "LICENSE").write_text("mine")
        bc.import_model(path, tmp_path / "model")
        assert (tmp_path / "model" / "LICENSE").read_text() == "mine"
