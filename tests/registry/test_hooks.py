"""Every hook: its entries are found, with where they are from, and used as whoever asks for them uses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from bmz_process import run_process
from made_models import box_model, pointwise_model
from made_sites import COMMAND, Site
from mrc_file import MRC_FILE, MRC_PIXELS

from bioimageio_core.registry import API_VERSION, HOOKS
from bioimageio_core.spec.yaml import load_yaml

DOCS = Path(__file__).parents[2] / "docs"

FOUND = """
import json
import bioimageio_core as bc
registry = bc.plugins()
print(json.dumps({{
    "names": list(registry.{kind}),
    "from": {{name: plugin.distribution for (kind, name), plugin in registry.provenance.items() if kind == {kind!r}}},
    "added": sorted(name for kind, name in registry.additions if kind == {kind!r}),
    "failures": [f.message for f in registry.failures],
}}))
"""


def check_found(site: Site, kind: str, name: str, distribution: str) -> None:
    """Assert that an entry is registered, as the addition of a distribution."""
    found = site.python(FOUND.format(kind=kind))
    assert found["failures"] == []
    assert name in found["names"]
    assert found["from"][name] == distribution
    assert name in found["added"]
    listed = run_process("plugins", "--json", env=site.environment()).json["entries"]
    assert f"{distribution} 1.0" in [e["plugin"] for e in listed if (e["kind"], e["name"]) == (kind, name)]


def predicted(site: Site, model: Path, image: np.ndarray[Any, Any], out: Path, **options: Any) -> np.ndarray[Any, Any]:
    """Return the only output along y and x of a prediction in blocks of 16 x 16 pixels in a process that sees the distributions."""
    np.save(out.with_suffix(".in.npy"), image)
    code = (
        "import numpy as np, bioimageio_core as bc\n"
        f"result = bc.predict({str(model)!r}, np.load({str(out.with_suffix('.in.npy'))!r}), block={{'y': 16, 'x': 16}}, **{options!r})\n"
        f"np.save({str(out)!r}, np.asarray(result['out']))\n"
        "print('null')\n"
    )
    site.python(code)
    array: np.ndarray[Any, Any] = np.load(out)[0, 0]
    return array


class TestEveryHook:
    """Whatever `HOOKS` holds."""

    @pytest.mark.parametrize("kind", HOOKS)
    def test_has_a_test_of_its_own(self, kind: str) -> None:
        """The class below that is named for it says that its entries are found and used."""
        name = f"Test{''.join(part.capitalize() for part in kind.split('_'))}"
        assert hasattr(globals().get(name), "test_found_and_used"), f"expected a class {name} with test_found_and_used for the hook {kind}"

    @pytest.mark.parametrize("kind", HOOKS)
    def test_has_a_page(self, kind: str) -> None:
        """With its signature, every field of its entry, and the version that it came with; the page is linked."""
        hook = HOOKS[kind]
        page = (DOCS / "hooks" / f"{kind}.md").read_text(encoding="utf-8")
        assert f"def {hook.name}() -> Iterable[{hook.entry.__name__}]" in page
        assert f"Since version {hook.since} of the interface." in page
        assert hook.since <= API_VERSION
        rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
        assert {field.name for field in hook.entry.__attrs_attrs__} <= rows
        assert kind in (DOCS / "hooks" / "index.md").read_text(encoding="utf-8").splitlines()


class TestProcessingOps:
    """``bioimageio_processing_ops``."""

    def test_found_and_used(self, site: Site, tmp_path: Path) -> None:
        """The op runs before the network, on every block, with its argument."""
        site.install_example("invert_op")
        check_found(site, "processing_ops", "invert", "invert-op")
        model = pointwise_model(tmp_path, pre=[{"id": "invert", "kwargs": {"maximum": 10}}], gain=2, offset=1)
        x = np.arange(40 * 30, dtype=np.float32).reshape(40, 30)
        np.testing.assert_array_equal(predicted(site, model, x, tmp_path / "y.npy"), 2 * (10 - x) + 1)

    def test_types_of_its_own(self, site: Site, tmp_path: Path) -> None:
        """Arguments of a type that only the plugin knows are read, run, shown, and written back as they were."""
        site.install_example("shift_op")
        shift = {"id": "shift", "kwargs": {"shares": {"y": "1/4"}}}
        model = pointwise_model(tmp_path, pre=[shift])
        x = np.arange(40 * 30, dtype=np.float32).reshape(40, 30)
        np.testing.assert_array_equal(predicted(site, model, x, tmp_path / "y.npy"), np.roll(x, 10, 0))
        card = run_process("info", model, "--json", env=site.environment()).json
        assert card["inputs"][0]["preprocessing"][0]["kwargs"] == shift["kwargs"]
        for command in (
            f"bc.save_description(bc.load_description({str(model)!r}), {str(tmp_path / 'again.yaml')!r})",
            f"bc.save_package({str(model)!r}, {str(tmp_path / 'package')!r})",
        ):
            site.python(f"import bioimageio_core as bc\n{command}\nprint('null')\n")
        for written in (tmp_path / "again.yaml", tmp_path / "package" / "bioimageio.yaml"):
            assert load_yaml(written.read_bytes())["inputs"][0]["preprocessing"] == [shift]

    def test_on_cards(self, site: Site, tmp_path: Path) -> None:
        """With the values of its arguments, and what it does."""
        site.install_example("invert_op")
        site.install_example("repeat_mode")
        invert = {"id": "invert", "kwargs": {"maximum": 10}}
        model = pointwise_model(tmp_path, pre=[invert], run_mode={"name": "repeat", "kwargs": {"times": 3}})
        shown = run_process("info", model, env=site.environment())
        assert "invert(maximum=10): bright becomes dark" in shown.out
        assert "repeat(times=3): the network on its own output" in shown.out
        card = run_process("info", model, "--json", env=site.environment()).json
        told = {"known": True, "fits": True}
        assert card["inputs"][0]["preprocessing"] == [
            {"name": "invert", "kwargs": {"maximum": 10}, "summary": "bright becomes dark", **told}
        ]
        assert card["run_mode"] == {"name": "repeat", "kwargs": {"times": 3}, "summary": "the network on its own output", **told}
        assert run_process("info", model, "--html", tmp_path / "card.html", env=site.environment()).status == 0
        page = (tmp_path / "card.html").read_text(encoding="utf-8")
        assert "<code>invert(maximum=10)</code> bright becomes dark" in page
        assert "<code>repeat(times=3)</code> the network on its own output" in page


class TestWeightsFormats:
    """``bioimageio_weights_formats``."""

    def test_found_and_used(self, site: Site, tmp_path: Path) -> None:
        """What the class refuses has a path; what it takes is no longer unknown."""
        site.install_example("npz_weights")
        check_found(site, "weights_formats", "npz", "npz-weights")
        for weights, issues in (
            ({"source": "weights.npz"}, []),
            ({"source": "weights.npz", "sha256": 3}, [("warning", "weights.npz.sha256")]),
            ({"source": "weights.npz", "gain": 1}, [("warning", "weights.npz.gain")]),
        ):
            model = pointwise_model(tmp_path, weights={"npz": weights})
            (report,) = run_process("validate", model, "--json", env=site.environment()).json
            assert report["status"] == "valid"
            assert [(i["severity"], i["path"]) for i in report["issues"] if i["path"].startswith("weights")] == issues
        np.save(tmp_path / "x.npy", np.zeros((8, 8), np.float32))
        refused = run_process("plan", model, tmp_path / "x.npy", env=site.environment()).error(2)
        assert "gain: unknown key" in refused
        (unknown,) = run_process("validate", model, "--json").json
        assert ("alert", "weights.npz") in [(i["severity"], i["path"]) for i in unknown["issues"]]


class TestWeightsAdapters:
    """``bioimageio_weights_adapters``."""

    def test_found_and_used(self, site: Site, tmp_path: Path) -> None:
        """A network of two numbers is loaded and run; a broken file is told in one line."""
        site.install_example("npz_weights")
        check_found(site, "weights_adapters", "npz_numpy", "npz-weights")
        model = pointwise_model(tmp_path, weights={"npz": {"source": "network.npz"}})
        np.savez(model / "network.npz", gain=np.float32(3), offset=np.float32(-1))
        x = np.arange(40 * 30, dtype=np.float32).reshape(40, 30)
        np.testing.assert_array_equal(predicted(site, model, x, tmp_path / "y.npy"), 3 * x - 1)
        np.savez(model / "network.npz", gain=np.float32(3))
        ran = run_process("predict", model, tmp_path / "y.in.npy", "--axes", "yx", "-o", tmp_path / "out.zarr", env=site.environment())
        assert "holds no gain and offset" in ran.error(1)
        assert not (tmp_path / "out.zarr").exists()


CONVERTER = """
from bioimageio_core.registry import WeightsConverterEntry, hookimpl

def load():
    import numpy as np

    def convert(context):
        with np.load(context.source.path) as arrays:
            np.savez(context.target, **{name: 2 * array for name, array in arrays.items()})
        return {"comment": f"converted with {len(context.inputs)} inputs"}

    return convert

@hookimpl
def bioimageio_weights_converters():
    yield WeightsConverterEntry(name="npz_double", from_format="npz", to_format="npz2", requires=("numpy",), load=load)
"""

CONVERT = """
import json, pathlib
import numpy as np
import bioimageio_core as bc
from bioimageio_core.registry import AdapterContext, ConverterContext, missing_requirements
entry = bc.plugins().weights_converters["npz_double"]
assert not missing_requirements(entry.requires)
source = AdapterContext(weights=None, path={source!r}, files={{}}, input_ids=("raw",), output_ids=("out",), device="cpu", threads=1)
fields = entry.load()(ConverterContext(source=source, inputs=[np.zeros((1, 1, 4, 4))], target=pathlib.Path({target!r})))
print(json.dumps({{"fields": fields, "ways": [entry.from_format, entry.to_format]}}))
"""


class TestWeightsConverters:
    """``bioimageio_weights_converters``."""

    def test_found_and_used(self, site: Site, tmp_path: Path) -> None:
        """It writes the target, and says what belongs into the new entry."""
        site.install("npz-double", CONVERTER)
        check_found(site, "weights_converters", "npz_double", "npz-double")
        np.savez(tmp_path / "a.npz", gain=np.float32(3))
        done = site.python(CONVERT.format(source=str(tmp_path / "a.npz"), target=str(tmp_path / "b.npz")))
        assert done == {"fields": {"comment": "converted with 1 inputs"}, "ways": ["npz", "npz2"]}
        assert np.load(tmp_path / "b.npz")["gain"] == 6


class TestRunModes:
    """``bioimageio_run_modes``."""

    def test_found_and_used(self, site: Site, tmp_path: Path) -> None:
        """A mean filter three times, blockwise as if the whole was seen: the run mode asks for three times the halo."""
        site.install_example("repeat_mode")
        check_found(site, "run_modes", "repeat", "repeat-mode")
        model = box_model(tmp_path, {"min": 8, "step": 1})
        x = np.random.default_rng(0).random((40, 30), dtype=np.float32)
        y = predicted(site, model, x, tmp_path / "y.npy", run_mode="repeat", run_mode_kwargs={"times": 3})
        wide = np.pad(x.astype(np.float64), 3, mode="symmetric")
        for _ in range(3):
            height, width = wide.shape
            wide = sum(wide[i : height - 2 + i, j : width - 2 + j] for i in range(3) for j in range(3)) / 9
        np.testing.assert_allclose(y, wide, rtol=1e-5)


class TestForeignFormats:
    """``bioimageio_foreign_formats``; more in ``tests/foreign``."""

    def test_found_and_used(self, site: Site, tmp_path: Path) -> None:
        """A file is found to be of the format, read, and what it became predicts."""
        site.install_example("tiny_format")
        site.install_example("npz_weights")
        check_found(site, "foreign_formats", "tiny", "tiny-format")
        (tmp_path / "Double.TINY.json").write_text('{"tiny": {"name": "Double", "gain": 2, "offset": 1}}')
        ran = run_process("import", tmp_path / "Double.TINY.json", "-o", tmp_path / "double", env=site.environment())
        assert ran.status == 0
        assert ran.out == f"{tmp_path / 'double'}: model 0.5.4, from tiny\n"
        x = np.arange(40 * 30, dtype=np.float32).reshape(40, 30)
        np.testing.assert_array_equal(predicted(site, tmp_path / "double", x, tmp_path / "y.npy"), 2 * x + 1)


class TestImageReaders:
    """``bioimageio_image_readers``; more in ``tests/io``."""

    def test_found_and_used(self, site: Site, tmp_path: Path) -> None:
        """A prediction reads a file of its format, by the ending of its name; a file of another kind is told in one line."""
        site.install_example("mrc_reader")
        check_found(site, "image_readers", "mrc", "mrc-reader")
        (tmp_path / "Volume.MRC").write_bytes(MRC_FILE)
        model = pointwise_model(tmp_path, gain=2, offset=1)
        command = ("predict", model, tmp_path / "Volume.MRC", "-o", tmp_path / "out.zarr")
        ran = run_process(*command, env=site.environment())
        assert ran.status == 0, ran.err
        found = zarr.open_array(tmp_path / "out.zarr" / "0", mode="r")
        np.testing.assert_array_equal(np.squeeze(np.asarray(found)), 2 * MRC_PIXELS[0] + 1)
        (tmp_path / "text.mrc").write_bytes(b"no volume")
        refused = run_process(*command[:2], tmp_path / "text.mrc", *command[3:], "--overwrite", env=site.environment()).error(2)
        assert "text.mrc cannot be read as an image: expected a header of 1024 bytes" in refused
        assert "is not of a known image format" in run_process(*command, "--overwrite").error(2)


WRITE = """
import json, pathlib
import numpy as np
import bioimageio_core as bc
from bioimageio_core.io import ImageLayout, ImageLevel
pixels = np.arange(24, dtype=np.int16).reshape(1, 2, 3, 4)
levels = (ImageLevel(shape=pixels.shape, chunks=(1, 1, 2, 2)),)
size = dict(z=(1.0, "nanometer"), y=(0.25, "nanometer"), x=(0.25, "nanometer"))
layout = ImageLayout(name="made", axes=("channel", "z", "y", "x"), dtype=pixels.dtype, levels=levels, pixel_size=size)
writer = bc.plugins().image_writers["mrc"].load()
writer.check(layout)
writer.write(layout, lambda index, level: pixels[index], pathlib.Path({path!r}))
print("null")
"""


class TestImageWriters:
    """``bioimageio_image_writers``."""

    def test_found_and_used(self, site: Site, tmp_path: Path) -> None:
        """It writes a volume by regions, and the result of a prediction; bytes are those that the format says."""
        site.install_example("mrc_writer")
        check_found(site, "image_writers", "mrc", "mrc-writer")
        site.python(WRITE.format(path=str(tmp_path / "out.mrc")))
        written = (tmp_path / "out.mrc").read_bytes()
        assert np.frombuffer(written, "<i4", 4).tolist() == [4, 3, 2, 1]  # columns, rows, sections, mode of int16
        assert np.frombuffer(written, "<f4", 3, 40).tolist() == [10, 7.5, 20]  # angstroms along x, y and z
        assert written[208:212] == b"MAP "
        assert written[1024:] == np.arange(24, dtype="<i2").tobytes()
        x = np.arange(40 * 30, dtype=np.float32).reshape(40, 30)
        np.save(tmp_path / "x.npy", x)
        model = pointwise_model(tmp_path, gain=2, offset=1)
        ran = run_process("predict", model, tmp_path / "x.npy", "-o", tmp_path / "result.mrc", env=site.environment())
        assert ran.status == 0, ran.err
        np.testing.assert_array_equal(np.fromfile(tmp_path / "result.mrc", "<f4", offset=1024).reshape(40, 30), 2 * x + 1)


CONSUMER = """
from bioimageio_core.registry import ConsumerEntry, Judgement, hookimpl

def judge(model):
    only = set(model.weights) <= {"torchscript"}
    yield Judgement(rule="has weights in a format that Pencil runs", answer="yes" if only else "no", reason=", ".join(model.weights),
                    remedy="" if only else "Convert the weights to torchscript.", source="https://example.com/", date="2026-01-31")

@hookimpl
def bioimageio_consumers():
    yield ConsumerEntry(name="Pencil", load=lambda: judge)
"""

JUDGE = """
import json
import attrs
import bioimageio_core as bc
judge = bc.plugins().consumers["Pencil"].load()
print(json.dumps([attrs.asdict(judgement) for judgement in judge(bc.load_model_description({model!r}))]))
"""


class TestConsumers:
    """``bioimageio_consumers``."""

    def test_found_and_used(self, site: Site, tmp_path: Path) -> None:
        """A model of ONNX weights is none that this software runs; the rule says why and what would help."""
        site.install("pencil", CONSUMER)
        check_found(site, "consumers", "Pencil", "pencil")
        (judgement,) = site.python(JUDGE.format(model=str(pointwise_model(tmp_path))))
        assert (judgement["answer"], judgement["reason"]) == ("no", "onnx")
        assert judgement["remedy"]


class TestCommands:
    """``bioimageio_commands``; more in ``test_commands_of_plugins.py``."""

    def test_found_and_used(self, site: Site, tmp_path: Path) -> None:
        """``bmz --help`` lists it by its entry point, importing nothing; it runs, and its status is that of ``bmz``."""
        imported = tmp_path / "imported"
        site.install("greeter", COMMAND.format(name="greet", imported=str(imported)), entry_point="command.greet")
        shown = run_process("--help", env=site.environment())
        assert shown.status == 0
        assert ["greet", "From", "greeter", "1.0."] in [line.split() for line in shown.out.splitlines()]
        assert not imported.exists()
        check_found(site, "commands", "greet", "greeter")
        ran = run_process("greet", "you", env=site.environment())
        assert (ran.status, ran.out, ran.err) == (0, "hello you\n", "")
        assert imported.exists()
        assert run_process("greet", "nobody", env=site.environment()).status == 1
