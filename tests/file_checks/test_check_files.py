"""Files that descriptions name, as validation finds them."""

from __future__ import annotations

import hashlib
import shutil
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import bioimageio_core as bc
from bioimageio_core.report.pictures.side_by_side import to_png
from bioimageio_core.spec.validation import Issue, ValidationReport

V0_5 = "bioimageio.yaml"


def edit(path: Path, change: Callable[[Any], object]) -> None:
    """Change a description."""
    tree = yaml.safe_load(path.read_text())
    change(tree)
    path.write_text(yaml.safe_dump(tree, sort_keys=False))


def found(report: ValidationReport, severity: str = "error") -> list[Issue]:
    """Return the issues of a severity."""
    return [i for i in report.issues if i.severity == severity]


@pytest.fixture
def nuclei(shared: Path, tmp_path: Path) -> Path:
    """A copy of a real model of format 0.5: 512 x 512 pixels, a halo of 32."""
    return Path(shutil.copytree(shared / "models" / "unet2d_nuclei_broad", tmp_path / "nuclei"))


@pytest.fixture
def multi(shared: Path, tmp_path: Path) -> Path:
    """A copy of a real model of format 0.5: sizes of 32 + 16 n, two inputs and two outputs."""
    return Path(shutil.copytree(shared / "models" / "unet2d_multi_tensor", tmp_path / "multi"))


def only_error(source: Path) -> Issue:
    """Return the one error of a description whose files are checked."""
    report = bc.validate(source, check_files=True)
    assert report.status == "invalid"
    (issue,) = found(report)
    assert bc.validate(source).status == "valid"
    return issue


class TestRealModels:
    """What has always run."""

    @pytest.mark.parametrize(
        "name",
        [
            "unet2d_nuclei_broad/bioimageio.yaml",
            "unet2d_nuclei_broad/expand_output_shape.bioimageio.yaml",
            "unet2d_nuclei_broad/expand_output_shape_v0_4.bioimageio.yaml",
            "unet2d_nuclei_broad/v0_4_0.bioimageio.yaml",
            "unet2d_nuclei_broad/v0_4_9.bioimageio.yaml",
            "unet2d_diff_output_shape",
            "unet2d_fixed_shape",
            "unet2d_multi_tensor",
            "unet2d_multi_tensor_v0_4",
            "upsample_test_model",
            "tiktorch_dummy_tensorflow",
        ],
    )
    def test_are_valid(self, shared: Path, name: str) -> None:
        """Nothing is wrong with any file."""
        report = bc.validate(shared / "models" / name, check_files=True)
        assert report.status == "valid", [str(i) for i in found(report)]

    def test_missing_files(self, shared: Path) -> None:
        """Each is named where the description names it."""
        report = bc.validate(shared / "models" / "keras_tf_unet", check_files=True)
        missing = {"covers.0", "covers.1", "attachments.files.0", "attachments.files.1", "weights.tensorflow_saved_model_bundle.source"}
        assert {i.path for i in found(report)} == missing

    def test_zip(self, nuclei: Path, tmp_path: Path) -> None:
        """As in folders."""
        path = bc.save_package(nuclei, tmp_path / "nuclei.zip")
        assert bc.validate(path, check_files=True).status == "valid"


class TestFiles:
    """Whether files are there, and those that are meant."""

    def test_not_looked_up_by_default(self, nuclei: Path) -> None:
        """The format alone counts."""
        (nuclei / "weights.onnx").unlink()
        assert bc.validate(nuclei).status == "valid"

    def test_missing(self, nuclei: Path) -> None:
        """At the text that names the file."""
        (nuclei / "weights.onnx").unlink()
        issue = only_error(nuclei)
        assert issue.path == "weights.onnx.source"
        assert "'weights.onnx', which does not exist" in issue.message

    def test_missing_but_for_the_case(self, nuclei: Path) -> None:
        """What is there is named."""
        (nuclei / "weights.onnx").rename(nuclei / "Weights.ONNX")
        assert "'Weights.ONNX'" in only_error(nuclei).hint

    def test_hash(self, nuclei: Path) -> None:
        """At the hash, with both."""
        with (nuclei / "weights.onnx").open("ab") as file:
            file.write(b"\0")
        real = hashlib.sha256((nuclei / "weights.onnx").read_bytes()).hexdigest()
        issue = only_error(nuclei)
        assert issue.path == "weights.onnx.sha256"
        assert real in issue.message

    def test_empty(self, nuclei: Path) -> None:
        """An error of weights; of documentation no more than a warning."""
        (nuclei / "README.md").write_bytes(b"")
        report = bc.validate(nuclei, check_files=True)
        assert report.status == "valid"
        assert "documentation.source" in [i.path for i in found(report, "warning")]
        edit(nuclei / V0_5, lambda tree: tree["weights"]["onnx"].pop("sha256"))
        (nuclei / "weights.onnx").write_bytes(b"")
        assert "empty" in only_error(nuclei).message

    @pytest.mark.parametrize("outside", ["../secret.txt", "sub/../../secret.txt", "absolute"])
    def test_outside_of_a_folder(self, nuclei: Path, outside: str) -> None:
        """Files that others will not have, be they there or not."""
        secret = nuclei.parent / "secret.txt"
        secret.write_text("secret")
        name = str(secret) if outside == "absolute" else outside
        edit(nuclei / V0_5, lambda tree: tree.update(attachments=[{"source": name}]))
        issue = only_error(nuclei)
        assert issue.path == "attachments.0.source"
        assert "leads out of it" in issue.message

    def test_link_that_leads_out(self, nuclei: Path) -> None:
        """Links count as where they lead."""
        (nuclei.parent / "secret.txt").write_text("secret")
        (nuclei / "link.txt").symlink_to(nuclei.parent / "secret.txt")
        edit(nuclei / V0_5, lambda tree: tree.update(attachments=[{"source": "link.txt"}]))
        assert "leads out of it" in only_error(nuclei).message

    def test_outside_of_a_zip(self, nuclei: Path, tmp_path: Path) -> None:
        """Nothing outside is read."""
        edit(nuclei / V0_5, lambda tree: tree.update(attachments=[{"source": "../secret.txt"}]))
        with zipfile.ZipFile(tmp_path / "nuclei.zip", "w") as opened:
            for path in nuclei.iterdir():
                if path.name.endswith(".yaml") is False or path.name in (V0_5, "environment.yaml"):
                    opened.write(path, path.name)
        issues = found(bc.validate(tmp_path / "nuclei.zip", check_files=True))
        assert [i.path for i in issues] == ["attachments.0.source"]

    def test_invalid_description(self, nuclei: Path) -> None:
        """Its files are left alone, which is said."""
        edit(nuclei / V0_5, lambda tree: tree.pop("inputs"))
        report = bc.validate(nuclei, check_files=True)
        assert report.status == "invalid"
        assert any("were not looked up" in i.message for i in found(report, "info"))

    def test_files_that_are_not_packaged(self, tmp_path: Path) -> None:
        """A notebook has to be there; pages on the web are not fetched."""
        tree = {"type": "notebook", "format_version": "0.3.0", "name": "A notebook", "source": "run.ipynb"}
        (tmp_path / "rdf.yaml").write_text(yaml.safe_dump(tree))
        assert only_error(tmp_path).path == "source"
        (tmp_path / "run.ipynb").write_text("{}")
        assert bc.validate(tmp_path, check_files=True).status == "valid"

    def test_mapping(self) -> None:
        """Has no folder, so its files can not be found."""
        tree = {"type": "notebook", "format_version": "0.3.0", "name": "A notebook", "source": "run.ipynb"}
        (issue,) = found(bc.validate(tree, check_files=True))
        assert "has no folder" in issue.message


class TestTensors:
    """Test tensors against axes, from their headers."""

    @pytest.fixture(autouse=True)
    def no_hashes(self, nuclei: Path) -> None:
        """Let test tensors be replaced."""

        def drop(tree: Any) -> None:
            for tensor in (*tree["inputs"], *tree["outputs"]):
                tensor["test_tensor"].pop("sha256", None)

        edit(nuclei / V0_5, drop)

    def test_truncated(self, nuclei: Path) -> None:
        """The header says more than there is."""
        content = (nuclei / "test_input.npy").read_bytes()
        (nuclei / "test_input.npy").write_bytes(content[:-1])
        issue = only_error(nuclei)
        assert issue.path == "inputs.0.test_tensor.source"
        assert "expected a complete .npy file" in issue.message

    @pytest.mark.parametrize("content", [b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{}", b"no array", b"PK\x03\x04"])
    def test_broken(self, nuclei: Path, content: bytes) -> None:
        """Whatever the bytes, one error."""
        (nuclei / "test_input.npy").write_bytes(content)
        assert "expected a complete .npy file" in only_error(nuclei).message

    def test_header_that_lies(self, nuclei: Path) -> None:
        """Nothing is allocated for a shape that the file can not hold."""
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1073741824, 1073741824), }\n"
        (nuclei / "test_input.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 64)
        assert "expected a complete .npy file" in only_error(nuclei).message

    def test_objects(self, nuclei: Path) -> None:
        """Pickles are not loaded."""
        np.save(nuclei / "test_input.npy", np.array([{}], object), allow_pickle=True)
        assert "expected a complete .npy file" in only_error(nuclei).message

    def test_dtype(self, nuclei: Path) -> None:
        """Numbers of any kind are good for floats; bools are not."""
        np.save(nuclei / "test_input.npy", np.zeros((1, 1, 512, 512), ">u2"))
        assert bc.validate(nuclei, check_files=True).status == "valid"
        np.save(nuclei / "test_input.npy", np.zeros((1, 1, 512, 512), bool))
        assert "expected the dtype of tensor 'raw', float32, found bool" in only_error(nuclei).message

    def test_dtype_of_integers(self, nuclei: Path) -> None:
        """Has to be the very one."""
        edit(nuclei / V0_5, lambda tree: tree["inputs"][0].update(data={"type": "uint8"}, preprocessing=[]))
        np.save(nuclei / "test_input.npy", np.zeros((1, 1, 512, 512), np.int16))
        assert "uint8, found int16" in only_error(nuclei).message

    def test_number_of_axes(self, nuclei: Path) -> None:
        """With their names."""
        np.save(nuclei / "test_input.npy", np.zeros((512, 512), np.float32))
        assert "expected 4 axes (batch, channel, y, x) as tensor 'raw' has, found 2: shape (512, 512)" in only_error(nuclei).message

    def test_fixed_size(self, nuclei: Path) -> None:
        """The output follows the input, so it is wrong as well."""
        np.save(nuclei / "test_input.npy", np.zeros((1, 1, 512, 500), np.float32))
        messages = [i.message for i in found(bc.validate(nuclei, check_files=True))]
        assert messages[0].startswith("expected 512 along axis 'x' of tensor 'raw', found 500")
        assert messages[1].startswith("expected 500 (from raw.x) or, without halo, 436 along axis 'x' of tensor 'probability', found 512")

    def test_channels(self, nuclei: Path) -> None:
        """With their names."""
        np.save(nuclei / "test_input.npy", np.zeros((1, 3, 512, 512), np.float32))
        assert "expected 1 channel (raw_intensity) along axis 'channel' of tensor 'raw', found 3" in only_error(nuclei).message

    @pytest.mark.parametrize(("size", "fits"), [(512, True), (448, True), (480, False), (513, False)])
    def test_halo(self, nuclei: Path, size: int, fits: bool) -> None:
        """An output may come with its halo of 32 or without, nothing in between."""
        np.save(nuclei / "test_output.npy", np.zeros((1, 1, size, size), np.float32))
        assert (bc.validate(nuclei, check_files=True).status == "valid") == fits

    @pytest.mark.parametrize(("size", "fits"), [(32, True), (48, True), (16, False), (40, False)])
    def test_steps(self, multi: Path, size: int, fits: bool) -> None:
        """32 + 16 n."""
        edit(multi / V0_5, lambda tree: [t["test_tensor"].pop("sha256", None) for t in (*tree["inputs"], *tree["outputs"])])
        for name in ("test_input_0", "test_input_1", "test_output_0", "test_output_1"):
            shape = np.load(multi / f"{name}.npy").shape
            np.save(multi / f"{name}.npy", np.zeros((*shape[:2], size, size), np.float32))
        report = bc.validate(multi, check_files=True)
        assert (report.status == "valid") == fits
        assert fits or "expected 32 + n * 16 along axis 'y' of tensor 'input0'" in found(report)[0].message

    def test_format_0_4(self, shared: Path, tmp_path: Path) -> None:
        """Sizes and dtypes are warnings, since the format never looked at them; the number of axes is an error."""
        model = Path(shutil.copytree(shared / "models" / "unet2d_fixed_shape", tmp_path / "fixed"))
        np.save(model / "test_input.npy", np.zeros((1, 1, 256, 200), bool))
        report = bc.validate(model, check_files=True)
        assert report.status == "valid"
        messages = [i.message for i in found(report, "warning") if i.path == "test_inputs.0"]
        assert len(messages) == 2
        assert "found bool" in messages[0]
        assert "expected 256 along axis 'x'" in messages[1]
        np.save(model / "test_input.npy", np.zeros((256, 256), np.float32))
        assert only_error(model).path == "test_inputs.0"


class TestCoversAndDocumentation:
    """What is shown of a resource."""

    @pytest.mark.parametrize(("shape", "fits"), [((20, 40), True), ((30, 30), True), ((40, 20), False), ((10, 40), False)])
    def test_ratio(self, nuclei: Path, shape: tuple[int, int], fits: bool) -> None:
        """2:1 or 1:1, else a warning."""
        (nuclei / "cover0.png").write_bytes(to_png(np.zeros(shape, np.uint8)))
        warnings = [i.message for i in found(bc.validate(nuclei, check_files=True), "warning") if i.path.startswith("covers")]
        assert warnings == (
            [] if fits else [f"expected an aspect ratio (width to height) of 2:1 or 1:1, found {shape[1]} x {shape[0]} pixels"]
        )

    def test_large(self, nuclei: Path) -> None:
        """500 kB or more."""
        with (nuclei / "cover0.png").open("ab") as file:
            file.write(bytes(500_000))
        warnings = [i.message for i in found(bc.validate(nuclei, check_files=True), "warning") if i.path.startswith("covers")]
        assert any(m.startswith("expected less than 500 kB") for m in warnings)

    @pytest.mark.parametrize(
        "content", [b"text", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"II*\0\x08\0\0\0", b"\xff\xd8\xff\xe0\0\0" * 9]
    )
    def test_no_image(self, nuclei: Path, content: bytes) -> None:
        """An error, whatever the bytes start like."""
        (nuclei / "cover0.png").write_bytes(content)
        assert "expected an image" in only_error(nuclei).message

    def test_documentation(self, nuclei: Path) -> None:
        """Text in UTF-8, with a heading on validation."""
        (nuclei / "README.md").write_text("# How to\n## Validation of results\n", encoding="utf-8")
        assert not [i for i in found(bc.validate(nuclei, check_files=True), "warning") if i.path.startswith("documentation")]
        (nuclei / "README.md").write_bytes(b"# Validation \xff\xfe")
        assert "expected text in UTF-8" in only_error(nuclei).message


class TestNetwork:
    """Files that would have to be fetched."""

    @pytest.fixture
    def server(self, nuclei: Path) -> Iterator[str]:
        """A server of the model's files on this machine."""

        class Quiet(SimpleHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name there)
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(nuclei))) as running:
            thread = threading.Thread(target=running.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{running.server_port}"
            running.shutdown()
            thread.join()

    def test_fetched(self, nuclei: Path, server: str) -> None:
        """And compared with their hash."""
        pytest.importorskip("aiohttp")
        edit(nuclei / V0_5, lambda tree: tree["weights"]["onnx"].update(source=f"{server}/weights.onnx"))
        assert bc.validate(nuclei, check_files=True).status == "valid"
        edit(nuclei / V0_5, lambda tree: tree["weights"]["onnx"].update(source=f"{server}/gone.onnx", sha256="0" * 64))
        assert only_error(nuclei).path == "weights.onnx.source"

    def test_description_at_a_url(self, nuclei: Path, server: str) -> None:
        """Its files are beside it."""
        pytest.importorskip("aiohttp")
        url = f"{server}/{V0_5}"
        assert bc.validate(url, check_files=True).status == "valid"
        edit(nuclei / V0_5, lambda tree: tree.update(attachments=[{"source": "gone.txt"}, {"source": "../secret.txt"}]))
        assert [i.path for i in found(bc.validate(url, check_files=True))] == ["attachments.0.source", "attachments.1.source"]

    def test_offline(self, nuclei: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is not at hand is not wrong."""
        edit(nuclei / V0_5, lambda tree: tree["weights"]["onnx"].update(source=f"{server}/elsewhere.onnx", sha256="1" * 64))
        monkeypatch.setenv("BMZ_OFFLINE", "1")
        report = bc.validate(nuclei, check_files=True)
        assert report.status == "valid"
        assert [i.path for i in found(report, "info") if "BMZ_OFFLINE" in i.message] == ["weights.onnx.source"]
