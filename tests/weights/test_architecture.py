"""PyTorch modules from the architecture of a weights entry."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bioimageio_core.errors import MissingRequirementError, ModelRunError, TrustError
from bioimageio_core.weights.architecture import module_from_file, module_from_library

torch: Any = pytest.importorskip("torch")

NET = "import torch\n\n\ndef net(size=2):\n    return torch.nn.Linear(size, 1)\n"


def save(path: Path, *lines: str) -> Path:
    """Write a Python file that returns a linear layer, after these lines."""
    path.write_text("\n".join([*lines, NET]))
    return path


class TestFile:
    """A callable in a file that comes with the model."""

    def test_arguments(self, tmp_path: Path) -> None:
        """Reach the callable."""
        module = module_from_file(save(tmp_path / "net.py"), "net", {"size": 5}, trust=True)
        assert module.in_features == 5

    def test_no_trust(self, tmp_path: Path) -> None:
        """Nothing runs."""
        path = save(tmp_path / "net.py", "open(__file__ + '.ran', 'w').close()")
        with pytest.raises(TrustError, match=r"net\.py.*trust=True"):
            module_from_file(path, "net", {}, trust=False)
        assert [p.name for p in tmp_path.iterdir()] == ["net.py"]

    def test_leaves_nothing_behind(self, tmp_path: Path) -> None:
        """Neither modules that others could import, nor compiled files beside the model, once the network is freed."""
        save(tmp_path / "layers.py")
        path = save(tmp_path / "net.py", "import layers", "from .layers import net as other")
        gc.collect()  # networks of other tests
        before = list(sys.meta_path), list(sys.path)
        module = module_from_file(path, "net", {}, attached={"layers.py": tmp_path / "layers.py"}, trust=True)
        assert "layers" not in sys.modules
        del module
        gc.collect()
        assert (sys.meta_path, sys.path) == before
        assert not [name for name in sys.modules if name == "layers" or name.startswith("_model_code")]
        assert sorted(p.name for p in tmp_path.iterdir()) == ["layers.py", "net.py"]

    def test_compiled_files_are_not_read(self, tmp_path: Path) -> None:
        """Python would run what lies in ``__pycache__``, which nobody has verified."""
        import py_compile
        from importlib.util import cache_from_source

        path = tmp_path / "net.py"
        path.write_text("def net():\n    return 'another one'\n")
        py_compile.compile(str(path), cfile=cache_from_source(str(path)), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        save(path)
        assert isinstance(module_from_file(path, "net", {}, trust=True), torch.nn.Linear)

    @pytest.mark.parametrize("line", ["import layers", "from . import layers", "from .layers import net as other"])
    def test_only_attached_files(self, tmp_path: Path, line: str) -> None:
        """A file beside the architecture can be imported if it is attached, by whatever way."""
        save(tmp_path / "layers.py")
        path = save(tmp_path / "net.py", line)
        with pytest.raises(ModelRunError, match=r"net\.py cannot be imported: .*layers") as caught:
            module_from_file(path, "net", {}, trust=True)
        assert "\n" not in str(caught.value)
        assert isinstance(module_from_file(path, "net", {}, attached={"layers.py": tmp_path / "layers.py"}, trust=True), torch.nn.Linear)

    def test_files_of_the_same_name(self, tmp_path: Path) -> None:
        """Two models in one process do not see each other's files, loaded at once from many threads."""
        for size in range(4):
            folder = tmp_path / str(size)
            folder.mkdir()
            (folder / "sizes.py").write_text(f"size = {size + 1}\n")
            (folder / "net.py").write_text("import torch\nfrom sizes import size\n\n\ndef net():\n    return torch.nn.Linear(size, 1)\n")

        def load(number: int) -> int:
            folder = tmp_path / str(number % 4)
            features: int = module_from_file(
                folder / "net.py", "net", {}, attached={"sizes.py": folder / "sizes.py"}, trust=True
            ).in_features
            return features

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(load, range(32))) == [n % 4 + 1 for n in range(32)]

    def test_installed_module_of_the_same_name(self, tmp_path: Path) -> None:
        """An attached file goes before an installed module, for the model alone, also where it is imported late."""
        import json

        (tmp_path / "json.py").write_text("size = 7\n")
        path = tmp_path / "net.py"
        path.write_text("import json\nimport torch\n\n\ndef net():\n    return torch.nn.Linear(json.size, 1)\n")
        assert module_from_file(path, "net", {}, attached={"json.py": tmp_path / "json.py"}, trust=True).in_features == 7
        assert sys.modules["json"] is json

    @pytest.mark.parametrize(
        ("code", "message"),
        [
            ("def net(:", r"net\.py cannot be imported: SyntaxError"),
            ("import no_such_module", r"net\.py cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"),
            ("raise ValueError('a\\nb')", r"net\.py cannot be imported: ValueError: a b"),
            ("net = None", r"net\.py has no 'net'"),
            ("net = 3", r"net of net\.py fails with the arguments \{\}: TypeError"),
            ("net = dict", r"net of net\.py returns dict: expected a torch\.nn\.Module"),
            ("import torch\nnet = lambda: torch.nn.Linear", r"returns type: expected a torch\.nn\.Module"),
            ("def net():\n    1 / 0", r"net of net\.py fails .*: ZeroDivisionError: division by zero"),
        ],
    )
    def test_failures(self, tmp_path: Path, code: str, message: str) -> None:
        """Each in one line."""
        (tmp_path / "net.py").write_text(code)
        with pytest.raises(ModelRunError, match=message) as caught:
            module_from_file(tmp_path / "net.py", "net", {}, trust=True)
        assert "\n" not in str(caught.value)


OWN = """
import copy, importlib, inspect, pickle, sys, typing
from dataclasses import dataclass
from pathlib import Path
import torch


@dataclass
class Settings:
    kind: "Kind" = None


class Kind:
    pass


def post(x):
    return x


class net(torch.nn.Module):
    def forward(self, x):
        {line}
        return post(x)
"""


class TestWhileTheNetworkLives:
    """Code meets its own modules and files while it runs, not only while it is imported."""

    @pytest.mark.parametrize(
        "line",
        [
            "assert sys.modules[type(self).__module__].post is post",
            "assert importlib.import_module(__name__).post is post",
            "assert isinstance(pickle.loads(pickle.dumps(Kind())), Kind)",
            "assert typing.get_type_hints(Settings)['kind'] is Kind",
            "assert 'return post' in inspect.getsource(type(self))",
            "assert copy.deepcopy(self) is not self",
            "from helper import same; x = same(x)",
            "import helper; x = helper.same(x)",
            "from .helper import same; x = same(x)",
            "from package.inner import same; x = same(x)",
            "import package.inner; x = package.inner.same(x)",
            "from package import inner; x = inner.same(x)",
            "import package.inner as i; from . import package as p; assert p.inner is i",
            "assert (Path(__file__).parent / 'table.txt').read_text() == 'rows'",
            "import json.decoder; assert json.decoder.JSONDecoder",
        ],
    )
    @pytest.mark.parametrize("place", ["net.py", "code/net.py", "my net-2.1.py"])
    def test_own_code(self, tmp_path: Path, line: str, place: str) -> None:
        """Whatever the place of the main file in the package, files lie beside it as they do there."""
        (tmp_path / "some.py").write_text(OWN.format(line=line))
        beside = place.rpartition("/")[0]
        texts = {
            "helper.py": "def same(x): return x\n",
            "package/__init__.py": "",
            "package/inner.py": "from helper import same\n",
            "table.txt": "rows",
        }
        attached = {}
        for number, (name, text) in enumerate(texts.items()):
            (tmp_path / str(number)).write_text(text)
            attached[f"{beside}/{name}".lstrip("/")] = tmp_path / str(number)
        module = module_from_file(tmp_path / "some.py", "net", {}, place=place, attached=attached, trust=True)
        x = torch.ones(1)
        assert module(x) is x
        assert not {"helper", "package"} & {*sys.modules}

    def test_places_that_lead_out(self, tmp_path: Path) -> None:
        """Files named by absolute paths, paths with dots, or URLs lie in the root of the private folder."""
        (tmp_path / "helper.py").write_text("size = 3\n")
        path = save(tmp_path / "net.py", "from helper import size", "assert size == 3")
        for place in ("../../helper.py", "/etc/helper.py", "C:/x/helper.py", "..\\helper.py"):
            assert module_from_file(path, "net", {}, attached={place: tmp_path / "helper.py"}, trust=True).in_features == 2

    def test_failures_name_the_remedy(self, tmp_path: Path) -> None:
        """A file that is not attached is not there, even if it lies beside the original."""
        (tmp_path / "table.txt").write_text("")
        path = save(tmp_path / "net.py", "open(__file__.replace('net.py', 'table.txt'))")
        with pytest.raises(ModelRunError, match="have to be among the attachments of the model"):
            module_from_file(path, "net", {}, trust=True)

    def test_exits(self, tmp_path: Path) -> None:
        """Code that ends the process is an error like others, wherever it does so."""
        (tmp_path / "at_once.py").write_text("import sys\nsys.exit(0)\n")
        with pytest.raises(ModelRunError, match=r"at_once\.py cannot be imported: SystemExit: 0"):
            module_from_file(tmp_path / "at_once.py", "net", {}, trust=True)
        (tmp_path / "later.py").write_text("import sys\ndef net(): sys.exit(0)\n")
        with pytest.raises(ModelRunError, match=r"net of later\.py fails with the arguments \{\}: SystemExit: 0"):
            module_from_file(tmp_path / "later.py", "net", {}, trust=True)

    def test_absolute_names_for_importlib(self, tmp_path: Path) -> None:
        """Code that looks for a file of the model by its absolute name learns how it is found."""
        (tmp_path / "helper.py").write_text("size = 3\n")
        attached = {"helper.py": tmp_path / "helper.py"}
        path = save(tmp_path / "net.py", "import importlib", "importlib.import_module('helper')")
        with pytest.raises(ModelRunError, match=r"helper is among the files of the model: .*import_module\('.helper', __package__\)"):
            module_from_file(path, "net", {}, attached=attached, trust=True)
        path = save(tmp_path / "net.py", "import importlib", "assert importlib.import_module('.helper', __package__).size == 3")
        assert module_from_file(path, "net", {}, attached=attached, trust=True).in_features == 2


MADE = """
import os
import torch


class Made(torch.nn.Linear):
    def __init__(self, **settings):
        super().__init__(1, 1)
        self.settings = settings
        self.only = os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD")

"""

WRITES = """

def {name}(command):
    open(command, "w").close()

"""

LIBRARIES = {
    "monai/bundle.py": WRITES.format(name="run"),
    "monai/networks/nets/__init__.py": MADE
    + WRITES.format(name="get_pretrained")
    + "from os import system\nfrom monai.bundle import run\n"
    + "class UNet(Made):\n    def __init__(self, size=1, pretrained=True):\n        super().__init__(size=size, pretrained=pretrained)\n"
    + "class Registry:\n    def __init__(self, command):\n        open(command, 'w').close()\n"
    + "def resnet18(pretrained=False, **more):\n    return UNet(pretrained=pretrained, **more)\n",
    "timm/__init__.py": "from timm.models import create_model\n",
    "timm/models/_hub.py": WRITES.format(name="download_cached_file"),
    "timm/models/__init__.py": MADE
    + "from timm.models._hub import download_cached_file\n"
    + "def resnet18(pretrained=False, size=1, **more):\n    return Made(size=size, pretrained=pretrained, **more)\n"
    + "def resnet_of_another_name(command):\n    open(command, 'w').close()\n"
    + "resnet_of_another_name.__name__ = 'resnet18'\n"
    + "def is_model(name):\n    return name == 'resnet18'\n"
    + "def model_entrypoint(name):\n    return resnet18\n"
    + "def create_model(model_name, pretrained=False, **more):\n    return model_entrypoint(model_name)(pretrained=pretrained, **more)\n",
    "torchvision/datasets/__init__.py": WRITES.format(name="download_url"),
    "torchvision/models/__init__.py": MADE
    + WRITES.format(name="get_weight")
    + "def resnet18(*, weights='DEFAULT', weights_backbone='IMAGENET', **more):\n"
    + "    return Made(weights=weights, weights_backbone=weights_backbone, **more)\n"
    + "def list_models():\n    return ['resnet18']\n"
    + "def get_model_builder(name):\n    return resnet18\n",
    "segmentation_models_pytorch/__init__.py": MADE
    + WRITES.format(name="from_pretrained")
    + "class Unet(Made):\n    def __new__(cls, *given, **more):\n        return super().__new__(cls)\n"
    + "    def __init__(self, encoder_name='resnet34', encoder_weights='imagenet', aux_params=None):\n"
    + "        super().__init__(encoder_name=encoder_name, encoder_weights=encoder_weights)\n",
    "segmentation_models_pytorch/datasets/oxford_pet.py": WRITES.format(name="download_url"),
}


class TestLibrary:
    """A callable of an installed library."""

    def test_trusted(self) -> None:
        """Any library."""
        assert module_from_library("torch.nn", "Linear", {"in_features": 2, "out_features": 3}, trust=True).out_features == 3

    @pytest.mark.parametrize(
        ("library", "name"), [("torch.nn", "Linear"), ("os", "system"), ("subprocess", "run"), ("", "x"), (".net", "x")]
    )
    def test_no_trust(self, library: str, name: str) -> None:
        """Only a short list of libraries is called without trust."""
        with pytest.raises(TrustError, match=r"trust=True"):
            module_from_library(library, name, {}, trust=False)

    @pytest.fixture
    def libraries(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        """Libraries with the names of known ones, and with functions like theirs that fetch and write."""
        for place, text in LIBRARIES.items():
            path = tmp_path / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for folder in [folder for folder in tmp_path.rglob("*") if folder.is_dir()]:
            (folder / "__init__.py").touch()
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", raising=False)
        tops = {place.partition("/")[0] for place in LIBRARIES}
        assert not tops & {*sys.modules}
        yield tmp_path
        for name in [n for n in sys.modules if n.partition(".")[0] in tops]:
            del sys.modules[name]

    @pytest.mark.parametrize(
        ("library", "name", "kwargs", "settings"),
        [
            ("monai.networks.nets", "UNet", {"size": 3}, {"size": 3, "pretrained": False}),
            ("monai.networks.nets", "resnet18", {"pretrained": "/etc/passwd"}, {"size": 1, "pretrained": False}),
            ("timm.models", "resnet18", {"pretrained": True, "checkpoint_path": "x"}, {"size": 1, "pretrained": False}),
            ("timm", "create_model", {"model_name": "resnet18", "size": 2}, {"size": 2, "pretrained": False}),
            ("torchvision.models", "resnet18", {"weights": "DEFAULT", "pretrained": True}, {"weights": None, "weights_backbone": None}),
            ("torchvision.models", "resnet18", {}, {"weights": None, "weights_backbone": None}),
            ("segmentation_models_pytorch", "Unet", {"encoder_name": "resnet18"}, {"encoder_name": "resnet18", "encoder_weights": None}),
        ],
    )
    def test_networks(self, libraries: Path, library: str, name: str, kwargs: dict[str, Any], settings: dict[str, Any]) -> None:
        """Networks of known libraries are made, without the parameters that a library would fetch, and while PyTorch loads tensors only."""
        made = module_from_library(library, name, kwargs, trust=False)
        assert made.settings == settings
        assert made.only == "1"
        assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ

    @pytest.mark.parametrize(
        ("library", "name"),
        [
            ("monai.networks.nets", "system"),
            ("monai.networks.nets", "run"),
            ("monai.networks.nets", "Registry"),
            ("monai.networks.nets", "get_pretrained"),
            ("monai.networks.nets", "__loader__"),
            ("monai.bundle", "run"),
            ("timm.models", "download_cached_file"),
            ("timm.models._hub", "download_cached_file"),
            ("timm.models", "resnet_of_another_name"),
            ("torchvision.models", "get_weight"),
            ("torchvision.models", "__class__"),
            ("torchvision.datasets", "download_url"),
            ("segmentation_models_pytorch.datasets.oxford_pet", "download_url"),
            ("segmentation_models_pytorch", "from_pretrained"),
        ],
    )
    def test_other_callables(self, libraries: Path, library: str, name: str) -> None:
        """What else their modules hold is not called, whether it was defined there or imported."""
        with pytest.raises(TrustError, match=rf"{library}\.{name}, which .*trust=True"):
            module_from_library(library, name, {"command": str(libraries / "witness")}, trust=False)
        assert not (libraries / "witness").exists()

    @pytest.mark.parametrize(
        "kwargs",
        [
            {"encoder_name": "tu-hf-hub:someone/model"},
            {"encoder_name": "local-dir:/etc"},
            {"encoder_name": "resnet18", "aux_params": {"more": ["../secret"]}},
            {"encoder_name": "https://example.com/x"},
            {"encoder_name": {"C:\\secret": 1}},
        ],
    )
    def test_places(self, libraries: Path, kwargs: dict[str, Any]) -> None:
        """Arguments that may name a file or an address, at any depth, want trust."""
        with pytest.raises(TrustError, match=r"segmentation_models_pytorch\.Unet gets the argument .*trust=True"):
            module_from_library("segmentation_models_pytorch", "Unet", kwargs, trust=False)
        assert module_from_library("segmentation_models_pytorch", "Unet", kwargs, trust=True).settings["encoder_weights"] == "imagenet"

    def test_absent_callable(self, libraries: Path) -> None:
        """Named as such."""
        with pytest.raises(ModelRunError, match=r"has no 'VNet'"):
            module_from_library("monai.networks.nets", "VNet", {}, trust=False)

    def test_not_installed(self) -> None:
        """Says what to install."""
        with pytest.raises(MissingRequirementError, match="needs no_such_library, which is not installed"):
            module_from_library("no_such_library.nets", "UNet", {}, trust=True)
        with pytest.raises(MissingRequirementError):
            module_from_library("torch.no_such_part", "UNet", {}, trust=True)
