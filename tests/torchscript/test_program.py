"""Programs in TorchScript files: what computes is loaded, and what does more wants trust before any part of it runs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bioimageio_core.errors import ModelRunError, TrustError
from bioimageio_core.torchscript import check_program
from bioimageio_core.weights.torchscript import load_script

torch: Any = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning", "ignore:Converting a tensor"
)

BODY = "return x + 1"


def save_program(path: Path, body: str = BODY, *, before: str = "") -> Path:
    """Write a TorchScript file with these lines in ``forward``, as an archive edited by hand may have them."""
    scripted = torch.jit.script(type("Made", (torch.nn.Module,), {})())
    scripted.define("def forward(self, x: Tensor) -> Tensor:\n    return torch.add(x, 1)\n")
    saved = io.BytesIO()
    torch.jit.save(scripted, saved)
    return rewritten(saved, path, lambda text: text.replace("return torch.add(x, 1)", body).replace("class Made", f"{before}class Made"))


def rewritten(saved: io.BytesIO, path: Path, change: Callable[[str], str]) -> Path:
    """Write an archive with changed texts."""
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            new.writestr(member.filename, change(content.decode()) if member.filename.endswith(".py") else content)
    return path


def save_module(path: Path, module: Any) -> Path:
    """Write a module as a script."""
    torch.jit.save(torch.jit.script(module), str(path))
    return path


class Layers(torch.nn.Module):
    """Layers and functions of many kinds."""

    def __init__(self) -> None:
        super().__init__()
        nn = torch.nn
        self.blocks = nn.ModuleList([nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4)), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4)])
        self.named = nn.ModuleDict({"a b": nn.PReLU(), "save": nn.ConvTranspose2d(4, 4, 2)})
        self.attention = nn.TransformerEncoderLayer(4, 2)
        self.memory = nn.LSTM(4, 4)

    def forward(self, x):  # type: ignore[no-untyped-def]
        """Call them."""
        for block in self.blocks:
            x = block(x)
        x = self.named["a b"](x)
        functional = torch.nn.functional
        x = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        x = functional.pad(functional.max_pool2d(x, 2), [1, 1, 1, 1], mode="reflect")
        rows = x.flatten(2).permute(2, 0, 1)
        rows, _ = self.memory(self.attention(rows))
        x[x < 0] = 0
        spectrum = torch.fft.rfft(x).abs().mean() + torch.linalg.norm(x) + torch.einsum("abcd,abcd->", x, x)
        grid = torch.meshgrid(torch.arange(x.size(2)), torch.arange(x.size(3)), indexing="ij")[0]
        return torch.softmax(x, 1).clamp(0, 1) + rows.mean() + spectrum + grid.unsqueeze(0).to(x.dtype).mean()


class TestComputes:
    """Programs that compute need no trust."""

    @pytest.mark.parametrize("way", ["scripted", "traced", "frozen"])
    def test_layers(self, tmp_path: Path, way: str) -> None:
        """Layers and functions of PyTorch, however they became a program."""
        module, x = Layers().eval(), torch.zeros(1, 2, 8, 8)
        made = torch.jit.trace(module, x, check_trace=False) if way == "traced" else torch.jit.script(module)
        torch.jit.save(torch.jit.freeze(made) if way == "frozen" else made, str(tmp_path / "w.pt"))
        loaded = load_script(str(tmp_path / "w.pt"), "cpu", trust=False)
        assert torch.allclose(loaded(x), module(x), atol=1e-5)

    @pytest.mark.parametrize("name", ["Transformer", "GRU", "AdaptiveMaxPool3d", "CTCLoss", "PixelShuffle", "Fold", "Softmax2d"])
    def test_further_layers(self, tmp_path: Path, name: str) -> None:
        """Layers with code of their own."""
        arguments = {"Transformer": (8, 2, 1, 1, 8), "GRU": (2, 2), "Fold": (4, 2), "CTCLoss": (), "Softmax2d": ()}
        module = getattr(torch.nn, name)(*arguments.get(name, (2,)))
        load_script(str(save_module(tmp_path / "w.pt", module)), "cpu", trust=False)

    def test_quantized(self, tmp_path: Path) -> None:
        """Networks in integers run operators and classes of their own, also while they are loaded."""
        layers = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.LSTM(2, 2))
        module = torch.ao.quantization.quantize_dynamic(layers, {torch.nn.Linear, torch.nn.LSTM})
        load_script(str(save_module(tmp_path / "w.pt", module)), "cpu", trust=False)

    def test_words_that_are_no_operators(self, tmp_path: Path) -> None:
        """Text and names of variables may be those of operators."""
        path = save_program(tmp_path / "w.pt", 'save = "torch save"\n    from_file = torch.add(x, 1)\n    return from_file')
        assert load_script(str(path), "cpu", trust=False)(torch.zeros(1)).tolist() == [1]


WAYS = {
    "function": 'torch.save([x], "{witness}")',
    "apart": 'torch . \\\n    save([x], "{witness}")',
    "comment": 'torch.save([x], "{witness}") if True else torch.save(# a\n    [x], "{witness}")',
    "comment between": '(torch. # a\n    save)([x], "{witness}")',
    "namespace": 'ops.aten.save([x], "{witness}")',
    "other name": 't = torch\n    t.save([x], "{witness}")',
    "other name of all": 'o = ops\n    a = o.aten\n    a.save([x], "{witness}")',
    "other name of the function": 'f = torch.save\n    f([x], "{witness}")',
    "getattr": 'getattr(torch, "save")([x], "{witness}")',
    "getattr with escapes": 'getattr(torch, "sa\\166e")([x], "{witness}")',
    "getattr apart": 'getattr (torch, # a\n    "save")([x], "{witness}")',
    "map": 'torch.from_file("{witness}", True, 4)',
    "out": 'torch.from_file("{witness}", True, 4, out=torch.zeros([4]))',
}


class TestDoesMore:
    """Whatever is not on the list wants trust, and is named."""

    @pytest.mark.parametrize("way", WAYS)
    def test_ways(self, tmp_path: Path, way: str) -> None:
        """However the text names an operator that writes a file."""
        path = save_program(tmp_path / "w.pt", f"{WAYS[way].format(witness=tmp_path / 'witness')}\n    return x")
        with pytest.raises(TrustError, match=r"the program in w\.pt uses .*(aten::save|aten::from_file|getattr).*trust=True") as caught:
            load_script(str(path), "cpu", trust=False)(torch.zeros(1))
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "witness").exists()

    def test_trusted(self, tmp_path: Path) -> None:
        """A program that is trusted runs."""
        path = save_program(tmp_path / "w.pt", f"{WAYS['function'].format(witness=tmp_path / 'witness')}\n    return x")
        load_script(str(path), "cpu", trust=True)(torch.zeros(1))
        assert (tmp_path / "witness").exists()

    @pytest.mark.parametrize("word", ["the module", "a submodule"])
    def test_while_it_is_loaded(self, tmp_path: Path, word: str) -> None:
        """Code that PyTorch runs while it loads the file, and in parts that ``forward`` does not call."""
        witness = tmp_path / "witness"
        saves = f"torch.save([1], {str(witness)!r})"

        class Wakes(torch.nn.Module):
            def forward(self, x):  # type: ignore[no-untyped-def]
                return x

        scripted = torch.jit.script(Wakes())
        scripted.define(
            f"def __getstate__(self):\n    return 1\n\ndef __setstate__(self, state: int):\n    {saves}\n    self.training = True\n"
        )
        torch.jit.save(scripted if word == "the module" else torch.jit.script(torch.nn.Sequential(scripted)), str(tmp_path / "w.pt"))
        with pytest.raises(TrustError, match="aten::save"):
            load_script(str(tmp_path / "w.pt"), "cpu", trust=False)
        assert not witness.exists()
        load_script(str(tmp_path / "w.pt"), "cpu", trust=True)
        assert witness.exists()

    @pytest.mark.parametrize(
        ("body", "named"),
        [
            ('print("\\033[31m")', "prim::Print"),
            ('p = print\n    p("a")', "prim::Print"),
            ('ops.prim.Print("a")', "prim::Print"),
            ("torch.manual_seed(1)", "aten::manual_seed"),
            ("ops.c10d.barrier(x)", "c10d"),
            ("o = ops.c10d\n    o.barrier(x)", "c10d"),
            ('ops.prim.rpc_sync("a", "b", [], {})', "prim::rpc_sync"),
            ("y : __torch__.torch.classes.dist_c10d.Store = x", "classes of dist_c10d"),
            ("y = __torch__.torch.classes.c10d.Work()", "classes of c10d"),
        ],
    )
    def test_others(self, tmp_path: Path, body: str, named: str) -> None:
        """Terminals, other processes, and the state of PyTorch."""
        path = save_program(tmp_path / "w.pt", f"{body}\n    return x")
        with pytest.raises(TrustError, match=named):
            check_program(str(path), "w.pt")

    def test_loops_while_it_is_loaded(self, tmp_path: Path) -> None:
        """PyTorch runs ``__setstate__`` so that nothing can interrupt it: loops there want trust, also in methods that it calls."""

        def program(loading: str, other: str = "pass") -> str:
            state = f"def __getstate__(self) -> int:\n    return 1\n  def __setstate__(self, state: int) -> NoneType:\n    {loading}\n"
            path = save_program(tmp_path / "w.pt", f"return torch.add(x, 1)\n  {state}  def other(self) -> NoneType:\n    {other}")
            return str(path)

        loop = "while True:\n      n = torch.add(1, 1)"
        listed = "a = [torch.len([1 for j in range(9)]) for i in range(9)]"
        for loading, other in ((loop, "pass"), ("self.other()", loop), ("n = (\n1)\n    " + loop, "pass"), (listed, "pass")):
            with pytest.raises(TrustError, match=r"uses a loop while it is loaded \(__setstate__\).*trust=True"):
                check_program(program(loading, other), "w.pt")
        with pytest.raises(TrustError, match="a loop while it is loaded"):
            check_program(program('n = """\n  def x():"""\n    self.other()', loop), "w.pt")
        check_program(program("self.training = True", loop), "w.pt")
        check_program(str(save_program(tmp_path / "w.pt", "for i in range(2):\n      x = torch.add(x, 1)\n    return x")), "w.pt")


class TestLibraries:
    """Operators of libraries that the user names."""

    @pytest.fixture(autouse=True)
    def library(self) -> Any:
        """A namespace with one operator."""
        made = torch.library.Library("made_for_test", "DEF")
        made.define("more(Tensor x) -> Tensor")
        yield
        made._destroy()

    def test_named(self, tmp_path: Path) -> None:
        """Its own namespace may be used, another may not."""
        path = save_program(tmp_path / "w.pt", "return ops.made_for_test.more(x)")
        with pytest.raises(TrustError, match="made_for_test::more"):
            check_program(str(path), "w.pt", libraries=["torchvision"])
        check_program(str(path), "w.pt", libraries=["made_for_test.ops"])


class TestFiles:
    """Archives that PyTorch and other readers would read differently."""

    def test_begins_otherwise(self, tmp_path: Path) -> None:
        """PyTorch takes a file for a flatbuffer by its first bytes, and runs what is in it."""
        path = save_program(tmp_path / "w.pt")
        path.write_bytes(b"0000PTMF" + path.read_bytes()[8:])
        with pytest.raises(ModelRunError, match=r"w\.pt as TorchScript: expected a zip archive"):
            load_script(str(path), "cpu", trust=False)

    def test_before_1_4(self, tmp_path: Path) -> None:
        """The old format names its texts as it likes."""
        path = save_program(tmp_path / "w.pt")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("archive/MODEL.json", "{}")
        with pytest.raises(ModelRunError, match=r"before 1\.4"):
            load_script(str(path), "cpu", trust=False)

    @pytest.mark.parametrize("also", [False, True])
    def test_long_names(self, tmp_path: Path, also: bool) -> None:
        """A text under a name of which PyTorch lists a part is not overlooked, even if a record bears that part as its name."""
        long = "a" * 600
        path = save_program(tmp_path / "w.pt", f"torch.save([x], {str(tmp_path / 'witness')!r})\n    return x")
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as old, zipfile.ZipFile(path, "w") as new:
            (text,) = (name for name in old.namelist() if name.endswith(".py"))
            module = text.partition("code/")[2].removesuffix(".py").replace("/", ".")
            for name in old.namelist():
                content = old.read(name).replace(f"{module}\n".encode(), f"__torch__.{long}\n".encode())
                new.writestr(f"archive/code/__torch__/{long}.py" if name == text else name, content)
            if also:
                new.writestr(f"archive/code/__torch__/{long}"[:511], b"")
        with pytest.raises(ModelRunError, match=r"w\.pt has records of one name, or with names of over 500 characters"):
            load_script(str(path), "cpu", trust=False)
        with pytest.raises(TrustError, match=r"aten::save"):
            check_program(str(save_program(tmp_path / "w.pt", 'torch.save([x], "a")\n    return x')), "w.pt")

    def test_no_archive(self, tmp_path: Path) -> None:
        """Some bytes."""
        (tmp_path / "w.pt").write_bytes(b"PK\x03\x04" + bytes(100))
        with pytest.raises(ModelRunError, match=r"cannot load w\.pt as TorchScript"):
            load_script(str(tmp_path / "w.pt"), "cpu", trust=False)
