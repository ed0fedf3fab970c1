"""Models of other systems: which format they are of, what becomes of them, and what is told where that fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import EntryPoint
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bmz_process import run_process
from made_sites import EXAMPLES, Site

from bioimageio_core.errors import InputError, InvalidDescriptionError, OutputError, PluginError, SourceError
from bioimageio_core.foreign import import_foreign
from bioimageio_core.registry import Registry, collect
from bioimageio_core.spec.yaml import load_yaml

NUMBER = count()

TINY = (EXAMPLES / "tiny_format.py").read_text(encoding="utf-8")
OTHER = TINY.replace('name="tiny"', 'name="other"')
READ = "        import numpy as np\n"
SNIFF = "        with path.open"


@pytest.fixture
def collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Registry]:
    """Collects plugins, each from the text of its module."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))

    def collected(*modules: str) -> Registry:
        points = []
        for module in modules:
            name = f"foreign_{next(NUMBER)}"
            (folder / f"{name}.py").write_text(module)
            points.append(EntryPoint(name=name, value=name, group="bioimageio_core"))
        return collect(points)

    return collected


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A file of the format."""
    path = tmp_path / "double.tiny.json"
    path.write_text('{"tiny": {"name": "Double", "gain": 2, "offset": 1}}')
    return path


def left_behind(folder: Path) -> list[str]:
    """Return names of files and folders, those of partial results included."""
    return sorted(p.name for p in folder.iterdir() if p.name not in ("plugins", "double.tiny.json"))


class TestDetection:
    """By pattern, then by the first bytes."""

    def test_only_one_fits(self, collected: Any, tiny: Path, tmp_path: Path) -> None:
        """Another format of the same pattern is told apart by its bytes."""
        registry = collected(OTHER.replace("b'{\"tiny\":'", "b'{other: '"), TINY)
        assert import_foreign(tiny, tmp_path / "out", registry).format == "tiny"

    def test_case_of_names(self, collected: Any, tiny: Path, tmp_path: Path) -> None:
        """Patterns and names are matched without regard to case."""
        registry = collected(TINY.replace("*.tiny.json", "*.Tiny.JSON"))
        assert import_foreign(tiny.rename(tmp_path / "DOUBLE.tiny.Json"), tmp_path / "out", registry).format == "tiny"

    def test_several_fit(self, collected: Any, tiny: Path, tmp_path: Path) -> None:
        """The error names them and how to say which; the one that is named is taken."""
        registry = collected(OTHER, TINY)
        with pytest.raises(InputError, match=r"may be of several formats \(other, tiny\).*format='other'"):
            import_foreign(tiny, tmp_path / "out", registry)
        assert import_foreign(tiny, tmp_path / "out", registry, format="tiny").format == "tiny"

    @pytest.mark.parametrize(("name", "text"), [("a.json", '{"tiny": {}}'), ("a.tiny.json", "{}"), ("a.tiny.json", "")])
    def test_none_fits(self, collected: Any, tmp_path: Path, name: str, text: str) -> None:
        """The error lists what is registered."""
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError, match=r"no format that an installed plugin reads: expected one of tiny \(\*\.tiny\.json\)"):
            import_foreign(tmp_path / name, tmp_path / "out", collected(TINY))
        assert left_behind(tmp_path) == [name]

    def test_nothing_registered(self, tiny: Path, tmp_path: Path) -> None:
        """As it is without plugins."""
        with pytest.raises(InputError, match="no plugin reads any"):
            import_foreign(tiny, tmp_path / "out", Registry())

    def test_unknown_name(self, collected: Any, tiny: Path, tmp_path: Path) -> None:
        """The error lists what is registered."""
        with pytest.raises(InputError, match=r"no installed plugin reads the format 'huge': expected one of tiny"):
            import_foreign(tiny, tmp_path / "out", collected(TINY), format="huge")
        with pytest.raises(InputError, match=r"reads the format 'stardist' \(bioimageio-runtime-csbdeep brings it\): expected one of tiny"):
            import_foreign(tiny, tmp_path / "out", collected(TINY), format="stardist")

    def test_broken_sniff(self, collected: Any, tiny: Path, tmp_path: Path) -> None:
        """It costs the other formats nothing, and is told where no other fits."""
        broken = OTHER.replace(SNIFF, f"        raise RuntimeError('no idea')\n{SNIFF}")
        assert import_foreign(tiny, tmp_path / "out", collected(broken, TINY)).format == "tiny"
        with pytest.raises(PluginError, match=r"recognising .* with format 'other' of .* fails: RuntimeError: no idea"):
            import_foreign(tiny, tmp_path / "out2", collected(broken))

    def test_broken_load(self, collected: Any, tiny: Path, tmp_path: Path) -> None:
        """What the reader needs is not installed."""
        broken = TINY.replace("load=TinyFormat", "load=lambda: __import__('no_such_module')")
        with pytest.raises(PluginError, match=r"loading format 'tiny' of .* fails: ModuleNotFoundError"):
            import_foreign(tiny, tmp_path / "out", collected(broken))


WITH_OPTION = (
    TINY.replace("def read(self, path: Path, folder: Path)", "def read(self, path: Path, folder: Path, *, gain: float = 1.0)")
    .replace('np.float32(said["gain"])', 'np.float32(gain * said["gain"])')
    .replace("load=TinyFormat,", 'load=TinyFormat, reader_options={"gain": "factor of the gain"},')
)


class TestOptions:
    """What a file does not record, and a person knows."""

    def test_given(self, collected: Any, tiny: Path, tmp_path: Path) -> None:
        """The reader gets it by name; without it the reader's default stands."""
        registry = collected(WITH_OPTION)
        for options, gain in (({}, 2), ({"gain": 3}, 6)):
            folder = tmp_path / f"gain{gain}"
            import_foreign(tiny, folder, registry, options=options)
            assert np.load(folder / "weights.npz")["gain"] == gain

    def test_unknown(self, collected: Any, tiny: Path, tmp_path: Path) -> None:
        """Those that there are, are named, and nothing is written."""
        with pytest.raises(InputError, match="the format 'tiny' has no option 'size': expected one of gain"):
            import_foreign(tiny, tmp_path / "out", collected(WITH_OPTION), options={"size": 3})
        with pytest.raises(InputError, match="has no option 'gain': expected one of none"):
            import_foreign(tiny, tmp_path / "out", collected(TINY), options={"gain": 3})
        assert left_behind(tmp_path) == []


class TestReading:
    """What becomes of a file."""

    def test_whole(self, collected: Any, tiny: Path, tmp_path: Path) -> None:
        """A folder with a description and its files, and nothing beside it."""
        done = import_foreign(tiny, tmp_path / "deep" / "out", collected(TINY))
        assert done.folder == tmp_path / "deep" / "out"
        assert sorted(p.name for p in done.folder.iterdir()) == ["bioimageio.yaml", "weights.npz"]
        assert load_yaml((done.folder / "bioimageio.yaml").read_bytes())["name"] == "Double"
        assert done.report.status == "valid"
        assert ("alert", "weights.npz") in {(issue.severity, issue.path) for issue in done.report.issues}
        assert left_behind(tmp_path) == ["deep"]
        assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"]

    def test_existing(self, collected: Any, tiny: Path, tmp_path: Path) -> None:
        """What is there stays, unless it is a package that may be replaced."""
        registry = collected(TINY)
        out = tmp_path / "out"
        import_foreign(tiny, out, registry)
        (out / "more").touch()
        with pytest.raises(OutputError, match="exists already"):
            import_foreign(tiny, out, registry)
        import_foreign(tiny, out, registry, overwrite=True)
        assert sorted(p.name for p in out.iterdir()) == ["bioimageio.yaml", "weights.npz"]

    def test_missing(self, collected: Any, tmp_path: Path) -> None:
        """No such file."""
        with pytest.raises(SourceError, match="does not exist"):
            import_foreign(tmp_path / "none.tiny.json", tmp_path / "out", collected(TINY))

    def test_into_itself(self, collected: Any, tiny: Path, tmp_path: Path) -> None:
        """A folder that holds what is read is not replaced."""
        folder = tmp_path / "out"
        folder.mkdir()
        (folder / "bioimageio.yaml").touch()
        with pytest.raises(OutputError, match="would overwrite"):
            import_foreign(tiny.rename(folder / tiny.name), folder, collected(TINY), overwrite=True)
        assert (folder / tiny.name).exists()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('{"tiny": {"name": "Double"}}', "cannot be read as tiny: expected name, gain and offset, found name"),
            ('{"tiny": {"name"', "cannot be read as tiny: Expecting"),
            ('{"tiny": {"name": "a", "gain": "many", "offset": 1}}', "cannot be read as tiny: could not convert string to float"),
            ('{"tiny":\udcff}'.encode(errors="surrogateescape"), "cannot be read as tiny: 'utf-8' codec"),
        ],
    )
    def test_broken_file(self, collected: Any, tiny: Path, tmp_path: Path, text: str | bytes, message: str) -> None:
        """The sentence of the reader, and nothing written."""
        tiny.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(InputError, match=message):
            import_foreign(tiny, tmp_path / "out", collected(TINY))
        assert left_behind(tmp_path) == []

    @pytest.mark.parametrize(
        ("before", "message"),
        [
            ("raise KeyError('gain')", r"cannot be read: format 'tiny' of .* fails: KeyError: 'gain'"),
            ("return 3", "breaks its contract: expected a description as a mapping, found int"),
        ],
    )
    def test_broken_plugin(self, collected: Any, tiny: Path, tmp_path: Path, before: str, message: str) -> None:
        """The plugin is named, and nothing written."""
        with pytest.raises(PluginError, match=message):
            import_foreign(tiny, tmp_path / "out", collected(TINY.replace(READ, f"        {before}\n{READ}")))
        assert left_behind(tmp_path) == []

    @pytest.mark.parametrize("source", ["nowhere.npz", "../double.tiny.json"])
    def test_files_that_are_not_there(self, collected: Any, tiny: Path, tmp_path: Path, source: str) -> None:
        """A description names only what lies beside it."""
        broken = TINY.replace('"source": "weights.npz"', f'"source": "{source}"')
        with pytest.raises(PluginError, match=r"names '.*' \(weights.npz.source\), which it did not write"):
            import_foreign(tiny, tmp_path / "out", collected(broken))
        assert left_behind(tmp_path) == []

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ('"inputs": [', '"inputs": [] and [', "inputs: expected"),
            ('"type": "model"', '"type": "dataset"', "invalid|expected a model"),
        ],
    )
    def test_invalid_description(self, collected: Any, tiny: Path, tmp_path: Path, old: str, new: str, message: str) -> None:
        """It names the plugin, holds a report, and nothing is written."""
        with pytest.raises(InvalidDescriptionError, match=message) as raised:
            import_foreign(tiny, tmp_path / "out", collected(TINY.replace(old, new)))
        assert "'tiny' of" in str(raised.value)
        assert raised.value.report is not None
        assert left_behind(tmp_path) == []


class TestCommand:
    """``bmz import``."""

    def test_json(self, site: Site, tiny: Path, tmp_path: Path) -> None:
        """For machines, with all issues; the folder is named as the file by default."""
        site.install_example("tiny_format")
        ran = run_process("import", tiny, "--json", env=site.environment(), cwd=tmp_path)
        assert ran.status == 0
        assert ran.json.keys() == {"source", "status", "output", "format", "issues"}
        assert (ran.json["status"], ran.json["output"], ran.json["format"]) == ("valid", "double.tiny", "tiny")
        assert (tmp_path / "double.tiny" / "bioimageio.yaml").is_file()

    def test_issues(self, site: Site, tiny: Path, tmp_path: Path) -> None:
        """For people: the result on stdout, what validation says on stderr."""
        site.install_example("tiny_format")
        ran = run_process("import", tiny, "-o", tmp_path / "out", "--from", "tiny", env=site.environment())
        assert ran.out == f"{tmp_path / 'out'}: model 0.5.4, from tiny\n"
        assert "weights.npz" in ran.err
        again = run_process("import", tiny, "-o", tmp_path / "out", env=site.environment())
        assert again.error(2).endswith("overwrite it with --overwrite")
        assert run_process("import", tiny, "-o", tmp_path / "out", "--overwrite", env=site.environment()).status == 0

    def test_options(self, site: Site, tiny: Path, tmp_path: Path) -> None:
        """They are listed, and given by name."""
        site.install("tiny-format", WITH_OPTION)
        assert "tiny: --option gain=...: factor of the gain" in run_process("import", env=site.environment()).out
        assert run_process("import", "--json", env=site.environment()).json["tiny"]["options"] == {"gain": "factor of the gain"}
        ran = run_process("import", tiny, "-o", tmp_path / "out", "--option", "gain=0.5", env=site.environment())
        assert ran.status == 0
        assert np.load(tmp_path / "out" / "weights.npz")["gain"] == 1.0

    def test_errors(self, site: Site, tiny: Path, tmp_path: Path) -> None:
        """One line, and status 2: no format, a broken file, a broken plugin."""
        assert "no plugin reads any" in run_process("import", tiny, "-o", tmp_path / "out").error(2)
        site.install_example("tiny_format")
        tiny.write_text('{"tiny":')
        assert "cannot be read as tiny" in run_process("import", tiny, "-o", tmp_path / "out", env=site.environment()).error(2)
        assert not (tmp_path / "out").exists()

    def test_invalid(self, site: Site, tiny: Path, tmp_path: Path) -> None:
        """Status 1, with the issues."""
        site.install("tiny-format", TINY.replace('"inputs": [', '"inputs": [] and ['))
        ran = run_process("import", tiny, "-o", tmp_path / "out", "--json", env=site.environment())
        assert ran.status == 1
        assert json.loads(ran.out)["status"] == "invalid"
        assert [i["path"] for i in ran.json["issues"] if i["severity"] == "error"] == ["inputs"]
        assert not (tmp_path / "out").exists()
