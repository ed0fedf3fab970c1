"""TorchScript weights on PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from made_models import BATCH, channels, follows, save_description_0_5, space, tensor

import bioimageio_core as bc
from bioimageio_core.errors import InputError, ModelRunError
from bioimageio_core.registry import AdapterContext, WeightsAdapter
from bioimageio_core.weights.torchscript import TorchscriptAdapter

torch: Any = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

SCRIPTS = {
    "tensor": "def forward(self, x: Tensor) -> Tensor:\n    return x * 2\n",
    "list": "def forward(self, x: Tensor) -> List[Tensor]:\n    return [x * 2, x + 1]\n",
    "tuple": "def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:\n    return x * 2, x + 1\n",
    "dict": "def forward(self, x: Tensor) -> Dict[str, Tensor]:\n    return {'out': x * 2}\n",
    "number": "def forward(self, x: Tensor) -> float:\n    return 1.0\n",
    "with a number": "def forward(self, x: Tensor) -> Tuple[Tensor, float]:\n    return x * 2, 1.0\n",
    "training": "def forward(self, x: Tensor) -> Tensor:\n    return x * 2 if not self.training else x * 100\n",
    "fails": "def forward(self, x: Tensor) -> Tensor:\n    assert x.size(-1) == 7, 'seven is wanted'\n    return x\n",
    "two": "def forward(self, x: Tensor, y: Tensor) -> Tensor:\n    return x - y\n",
}


def save_script(path: Path, script: str) -> Path:
    """Write a module with this ``forward``, in training mode."""
    scripted = torch.jit.script(type("Made", (torch.nn.Module,), {})())  # a class of its own: PyTorch keeps one script for each
    scripted.define(SCRIPTS[script])
    scripted.train()
    torch.jit.save(scripted, str(path))
    return path


def context(path: Path, **more: Any) -> AdapterContext:
    """Return what an adapter is given."""
    return AdapterContext(
        **{
            "weights": None,
            "path": str(path),
            "files": {},
            "input_ids": ("a",),
            "output_ids": ("b",),
            "device": "cpu",
            "threads": 1,
            **more,
        }
    )


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """The number of threads is the process's; put it back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


X = np.arange(12, dtype=np.float32).reshape(1, 1, 3, 4)


class TestResults:
    """What a module may return."""

    def test_tensor(self, tmp_path: Path) -> None:
        """One output."""
        adapter = TorchscriptAdapter(context(save_script(tmp_path / "w.pt", "tensor")))
        assert isinstance(adapter, WeightsAdapter)
        (out,) = adapter([X])
        assert out.dtype == np.float32
        np.testing.assert_array_equal(out, X * 2)
        adapter.close()

    @pytest.mark.parametrize("script", ["list", "tuple"])
    def test_several(self, tmp_path: Path, script: str) -> None:
        """In order."""
        first, second = TorchscriptAdapter(context(save_script(tmp_path / "w.pt", script)))([X])
        np.testing.assert_array_equal(first, X * 2)
        np.testing.assert_array_equal(second, X + 1)

    def test_a_number_after_the_outputs(self, tmp_path: Path) -> None:
        """Is left out."""
        (out,) = TorchscriptAdapter(context(save_script(tmp_path / "w.pt", "with a number")))([X])
        np.testing.assert_array_equal(out, X * 2)

    @pytest.mark.parametrize(
        ("script", "message"),
        [
            ("dict", r"returned a mapping with 'out': expected the ids of all outputs, which lacks 'b'"),
            ("number", "returned float: expected a tensor"),
        ],
    )
    def test_refused(self, tmp_path: Path, script: str, message: str) -> None:
        """A mapping without the described outputs; a number is no tensor."""
        adapter = TorchscriptAdapter(context(save_script(tmp_path / "w.pt", script)))
        with pytest.raises(ModelRunError, match=message):
            adapter([X])

    def test_mapping(self, tmp_path: Path) -> None:
        """By the ids of the described outputs."""
        (out,) = TorchscriptAdapter(context(save_script(tmp_path / "w.pt", "dict"), output_ids=("out",)))([X])
        np.testing.assert_array_equal(out, X * 2)

    def test_evaluation_mode(self, tmp_path: Path) -> None:
        """Whatever mode the module was saved in."""
        (out,) = TorchscriptAdapter(context(save_script(tmp_path / "w.pt", "training")))([X])
        np.testing.assert_array_equal(out, X * 2)

    def test_by_position(self, tmp_path: Path) -> None:
        """Inputs in described order."""
        (out,) = TorchscriptAdapter(context(save_script(tmp_path / "w.pt", "two"), input_ids=("y", "x")))([X + 3, X])
        assert np.unique(out).tolist() == [3]

    def test_input_that_is_no_contiguous_array(self, tmp_path: Path) -> None:
        """Views with negative strides are taken."""
        (out,) = TorchscriptAdapter(context(save_script(tmp_path / "w.pt", "tensor")))([X[..., ::-1]])
        np.testing.assert_array_equal(out, X[..., ::-1] * 2)


class TestFailures:
    """What goes wrong in PyTorch, in one line."""

    def test_in_the_module(self, tmp_path: Path) -> None:
        """The cause, and the shapes that were given."""
        adapter = TorchscriptAdapter(context(save_script(tmp_path / "w.pt", "fails")))
        with pytest.raises(ModelRunError, match=r"\(1, 1, 3, 4\).*seven is wanted") as caught:
            adapter([X])
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken"])
    def test_broken_file(self, tmp_path: Path, content: bytes) -> None:
        """The file is named."""
        (tmp_path / "w.pt").write_bytes(content)
        with pytest.raises(ModelRunError, match=r"cannot load w\.pt") as caught:
            TorchscriptAdapter(context(tmp_path / "w.pt"))
        assert "\n" not in str(caught.value)

    def test_pickled_module(self, tmp_path: Path) -> None:
        """A file of ``torch.save`` is refused, not unpickled."""
        torch.save({"weight": torch.zeros(3)}, tmp_path / "w.pt")
        with pytest.raises(ModelRunError, match=r"cannot load w\.pt as TorchScript"):
            TorchscriptAdapter(context(tmp_path / "w.pt"))

    @pytest.mark.parametrize("device", ["cuda:77", "nonsense"])
    def test_device_that_is_not_there(self, tmp_path: Path, device: str) -> None:
        """Named."""
        with pytest.raises(InputError, match=device):
            TorchscriptAdapter(context(save_script(tmp_path / "w.pt", "tensor"), device=device))


class TestThreads:
    """Calls from several threads, and threads of one call."""

    def test_many_callers(self, tmp_path: Path) -> None:
        """Each gets its own result."""
        adapter = TorchscriptAdapter(context(save_script(tmp_path / "w.pt", "tensor")))

        def run(n: int) -> list[float]:
            (out,) = adapter([np.full((1, 1, 64, 64), n, np.float32)])
            return [float(v) for v in np.unique(out)]

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(run, range(50))) == [[2 * n] for n in range(50)]

    def test_setting(self, tmp_path: Path) -> None:
        """The number of threads of a call is set when the module is loaded."""
        path = save_script(tmp_path / "w.pt", "tensor")
        for number in (1, 2):
            TorchscriptAdapter(context(path, threads=number))
            assert torch.get_num_threads() == number

    def test_blockwise(self, tmp_path: Path) -> None:
        """A prediction with several workers."""
        save_script(tmp_path / "weights.pt", "tensor")
        sizes = [space(a, {"min": 8, "step": 4}) for a in "yx"]
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), *sizes)],
            [tensor("out", BATCH, channels(), *(space(a, follows(a)) for a in "yx"))],
        )
        path = tmp_path / "bioimageio.yaml"
        tree = yaml.safe_load(path.read_text())
        tree["weights"] = {"torchscript": {"source": "weights.pt", "pytorch_version": "2.0"}}
        path.write_text(yaml.safe_dump(tree))
        x = np.random.default_rng(0).random((50, 60), dtype=np.float32)
        result = bc.predict(tmp_path, x, block={"y": 16, "x": 16}, workers=3)
        assert result.plan.regions.block_count > 4
        np.testing.assert_array_equal(np.asarray(result["out"])[0, 0], x * 2)
