"""PyTorch modules as weights adapters."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import pytest
from made_networks import inputs_of, network

from bioimageio_core.errors import InputError, ModelRunError
from bioimageio_core.registry import AdapterContext, WeightsAdapter
from bioimageio_core.testing.processes import in_threads
from bioimageio_core.weights.parameters import load_parameters
from bioimageio_core.weights.torch_network import TorchNetwork

torch: Any = pytest.importorskip("torch")

X = np.arange(12, dtype=np.float32).reshape(1, 1, 3, 4)


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """The number of threads is the process's; put it back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def context(**changes: Any) -> AdapterContext:
    """Return what an adapter is given."""
    fields: dict[str, Any] = {"weights": None, "path": "", "files": {}, "device": "cpu", "threads": 1}
    return AdapterContext(**{**fields, "input_ids": ("a",), "output_ids": ("b",), **changes})


def of(forward: Callable[..., Any], **changes: Any) -> TorchNetwork:
    """Return the network of a module with this ``forward``."""
    made = type("Made", (torch.nn.Module,), {"forward": lambda self, *inputs: forward(*inputs)})
    return TorchNetwork(context(**changes), lambda device: made())


class TestOutputs:
    """What a module may return."""

    @pytest.mark.parametrize(
        "forward",
        [
            lambda x: x * 2,
            lambda x: (x * 2,),
            lambda x: [x * 2],
            lambda x: ((x * 2,),),
            lambda x: [[(x * 2, x)]],
            lambda x: {"b": x * 2, "a": x},
            lambda x: ({"b": x * 2},),
            lambda x: x.numpy() * 2,
            lambda x: (x * 2, None),
            lambda x: (x * 2, None, x.numpy(), "loss", (x, x)),
        ],
    )
    def test_forms(self, forward: Callable[..., Any]) -> None:
        """A tensor or numpy array, alone or first in lists and tuples, however deep; or in a mapping by output id."""
        found = of(forward)([X])
        np.testing.assert_array_equal(found[0], X * 2)

    def test_mapping_in_described_order(self) -> None:
        """The order of a mapping means nothing."""
        first, second = of(lambda x: {"c": x + 1, "b": x * 2}, output_ids=("b", "c"))([X])
        np.testing.assert_array_equal(first, X * 2)
        np.testing.assert_array_equal(second, X + 1)

    @pytest.mark.parametrize(
        ("forward", "message"),
        [
            (lambda x: {"c": x}, r"a mapping with 'c': expected the ids of all outputs, which lacks 'b'"),
            (lambda x: {}, r"a mapping with nothing: expected the ids"),
            (lambda x: None, "returned NoneType: expected a tensor"),
            (lambda x: (1.0, x), "returned tuple of float, Tensor: expected a tensor"),
            (lambda x: ((x, x), x), "returned tuple of tuple, Tensor: expected a tensor"),
            (lambda x: x.to_sparse(), r"failed on inputs float32 \(1, 1, 3, 4\)"),
        ],
    )
    def test_refused(self, forward: Callable[..., Any], message: str) -> None:
        """What was found, and what was expected."""
        with pytest.raises(ModelRunError, match=message):
            of(forward)([X])

    @pytest.mark.parametrize(("dtype", "expected"), [("bfloat16", "float32"), ("float16", "float16"), ("int64", "int64"), ("bool", "bool")])
    def test_dtypes(self, dtype: str, expected: str) -> None:
        """As they are, as far as numpy has them."""
        (found,) = of(lambda x: x.to(getattr(torch, dtype)))([X])
        assert found.dtype == expected

    def test_contiguous(self) -> None:
        """However the tensor lies in memory."""
        (found,) = of(lambda x: x.permute(0, 1, 3, 2))([X])
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, X.transpose(0, 1, 3, 2))


class TestOverriddenMethods:
    """Code of models overrides methods of modules without their usual return values."""

    def test_nothing_returned(self, tmp_path: Path) -> None:
        """What the methods do to the module counts."""

        class Net(torch.nn.Linear):
            def eval(self) -> None:
                super().eval()

            def train(self, mode: bool = True) -> None:
                super().train(mode)

            def to(self, *args: Any, **kwargs: Any) -> None:
                super().to(*args, **kwargs)

            def load_state_dict(self, tensors: Any, *args: Any, **kwargs: Any) -> None:
                super().load_state_dict(tensors, *args, **kwargs)

        net = Net(1, 1, bias=False)
        load_parameters(net, {"weight": torch.full((1, 1), 3.0)}, name="w.pt")
        adapter = TorchNetwork(context(), lambda _: net)
        (found,) = adapter([np.ones((1, 1), np.float32)])
        assert found.tolist() == [[3.0]]
        assert not adapter.native.training


class TestInputs:
    """What a module is given."""

    def test_absent(self) -> None:
        """None stands for an optional input that is absent."""
        (found,) = of(lambda x, mask: x if mask is None else x * mask, input_ids=("a", "mask"))([X, None])
        np.testing.assert_array_equal(found, X)

    def test_changed_by_the_module(self) -> None:
        """In a copy."""
        given = X.copy()
        (found,) = of(lambda x: x.add_(1))([given])
        np.testing.assert_array_equal(found, X + 1)
        np.testing.assert_array_equal(given, X)

    def test_views(self) -> None:
        """Negative strides, and arrays that cannot be written to."""
        view = np.broadcast_to(X[..., ::-1], (2, 1, 3, 4))
        (found,) = of(lambda x: x * 2)([view])
        np.testing.assert_array_equal(found, view * 2)

    def test_dtype_that_pytorch_lacks(self) -> None:
        """In one line, with what was given."""
        with pytest.raises(ModelRunError, match=r"failed on inputs <U1 \(2,\)"):
            of(lambda x: x)([np.array(["a", "b"])])


class TestState:
    """Modules that keep something from call to call."""

    def test_script(self) -> None:
        """A script that writes to its attributes is called from one thread at a time."""
        made = torch.jit.script(CachePolicy())
        adapter = TorchNetwork(context(), lambda device: made)
        results = in_threads([lambda n=n: float(adapter([np.full((1, 1, 64, 64), n, np.float32)])[0].max()) for n in range(8)])  # type: ignore[misc]
        assert results == [[float(n)] * 25 for n in range(8)]


class CachePolicy(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
    """Returns what it kept, after some time for others to change it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = torch.zeros(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # type: ignore[name-defined]
        """Keep the input, and return what was kept."""
        self.seen = x
        for _ in range(20):
            x = x * 1.5
        return self.seen


class TestThreads:
    """Threads of one call."""

    def test_each_its_own(self) -> None:
        """Two networks keep to their own numbers, called in turn from the same threads."""
        networks = {number: of(lambda x: x * 0 + torch.get_num_threads(), threads=number) for number in (1, 3, 2)}
        with ThreadPoolExecutor(2) as pool:
            for number in (1, 2, 3, 1):
                assert {float(found.max()) for (found,) in pool.map(networks[number], [[X]] * 4)} == {float(number)}


class TestLayout:
    """Channels as the last axis in memory, where it is faster."""

    @pytest.mark.parametrize("name", ["unet", "branches", "two"])
    def test_same_values(self, name: str) -> None:
        """The same to float tolerance as the module gives by itself."""
        module, inputs = network(name), inputs_of(name, 40, 56)
        expected = module(*map(torch.from_numpy, inputs))
        ids = ("difference", "double") if name == "two" else ("out",)
        adapter = TorchNetwork(context(output_ids=ids), lambda device: network(name))
        assert next(adapter.native.parameters()).is_contiguous(memory_format=torch.channels_last)
        for found, value in zip(adapter(inputs), expected if name == "two" else [expected], strict=True):
            np.testing.assert_allclose(found, value, atol=1e-6)

    def test_views_of_memory(self) -> None:
        """A module that insists on the usual order of axes gets it, called from many threads at once."""
        inputs = [inputs_of("unet")[0] * n for n in range(1, 9)]
        expected = [Viewing()(torch.from_numpy(i.copy())).detach().numpy() for i in inputs]
        with ThreadPoolExecutor(8) as pool:
            adapter = TorchNetwork(context(), lambda device: Viewing())
            for found, value in zip(pool.map(lambda i: adapter([i])[0], inputs), expected, strict=True):
                np.testing.assert_allclose(found, value, atol=1e-5)
        assert adapter.native.conv.weight.is_contiguous()

    def test_failure_is_that_of_the_module(self) -> None:
        """Trying again does not hide what is wrong."""
        adapter = TorchNetwork(context(), lambda device: network("unet"))
        with pytest.raises(ModelRunError, match=r"float32 \(1, 3, 8, 8\).*to have 1 channels"):
            adapter([np.zeros((1, 3, 8, 8), np.float32)])


class Viewing(torch.nn.Module):  # type: ignore[misc]
    """A convolution, and a view of what it gives that needs the usual order of axes."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = torch.nn.Conv2d(1, 4, 3, padding=1)

    def forward(self, x: Any) -> Any:
        """Return the difference to the maximum along y and x, of an image that is changed in place."""
        y = self.conv(x.add_(1))
        return y - y.view(y.shape[0], y.shape[1], -1).amax(2)[:, :, None, None]


class TestPrecision:
    """Narrower floating point numbers."""

    def test_bf16(self) -> None:
        """Outputs are float32 that deviate by what bfloat16 can not say, and the weights stay as they are."""
        inputs = inputs_of("unet", 64, 64)
        (exact,) = TorchNetwork(context(), lambda device: network("unet"))(inputs)
        adapter = TorchNetwork(context(precision="bf16"), lambda device: network("unet"))
        (found,) = adapter(inputs)
        assert found.dtype == np.float32
        assert next(adapter.native.parameters()).dtype == torch.float32
        assert 0 < np.abs(found - exact).max() < 2**-6 * np.abs(exact).max()

    def test_script(self) -> None:
        """The same of a script."""
        inputs = inputs_of("unet", 64, 64)
        script = torch.jit.trace(network("unet"), torch.from_numpy(inputs[0]))
        (exact,) = TorchNetwork(context(), lambda device: script)(inputs)
        (found,) = TorchNetwork(context(precision="bf16"), lambda device: script)(inputs)
        assert found.dtype == np.float32
        assert 0 < np.abs(found - exact).max() < 2**-6 * np.abs(exact).max()

    def test_fp16_on_cpu(self) -> None:
        """Refused before anything is loaded: it takes a hundred times as long."""
        with pytest.raises(InputError, match=r"'cpu' cannot compute in fp16 in reasonable time: expected bf16"):
            TorchNetwork(context(precision="fp16"), lambda device: pytest.fail("it was loaded"))


class TestCompile:
    """Modules that PyTorch translates ahead of time."""

    @pytest.mark.skipif(not any(map(which, ("g++", "clang++"))), reason="there is no C++ compiler")
    def test_same_values(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """In several threads and sizes; `native` stays the module."""
        monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
        adapter = TorchNetwork(context(compile=True), lambda device: network("unet"))
        inputs = [inputs_of("unet", *size) for size in ((32, 32), (32, 32), (48, 32))]
        with ThreadPoolExecutor(2) as pool:
            for given, found in zip(inputs, pool.map(adapter, inputs), strict=True):
                np.testing.assert_allclose(found[0], network("unet")(torch.from_numpy(given[0])), atol=1e-5)
        assert type(adapter.native).__name__ == "Network"
        assert list(tmp_path.iterdir()), "nothing was compiled"
        adapter.close()

    def test_no_compiler(self, tmp_path: Path) -> None:
        """Says so in one line."""
        code = (
            "from test_torch_network import *\n"
            "try:\n"
            "    TorchNetwork(context(compile=True), lambda device: network('unet'))(inputs_of('unet'))\n"
            "except ModelRunError as error:\n"
            "    print(error)\n"
        )
        variables = {**os.environ, "CXX": str(tmp_path / "no-compiler"), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
        variables["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=variables, timeout=300)
        (line,) = done.stdout.splitlines()
        assert line.startswith("PyTorch cannot compile the module (InvalidCxxCompiler: No working C++ compiler found"), done.stderr
        assert line.endswith("leave out compile, or install what it needs")


class TestDevice:
    """Devices that can not be used."""

    @pytest.mark.parametrize("device", ["cuda:77", "nonsense", "meta", "xpu", "cpu:x", ""])
    def test_refused(self, device: str) -> None:
        """In one line, before anything is loaded."""
        with pytest.raises(InputError, match=f"device '{device}' is not usable by the installed PyTorch") as caught:
            TorchNetwork(context(device=device), lambda device: pytest.fail("it was loaded"))
        assert "\n" not in str(caught.value)


class TestClose:
    """Memory is given back."""

    def test_module_is_gone(self) -> None:
        """Also the copies of threads that live on."""
        kept: list[weakref.ref[Any]] = []

        def load(device: Any) -> Any:
            module = network("unet")
            kept.extend(map(weakref.ref, [module, *module.parameters()]))
            return module

        adapter = TorchNetwork(context(), load)
        assert isinstance(adapter, WeightsAdapter)
        assert adapter.native is kept[0]()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(adapter, [inputs_of("unet")] * 4))
            adapter.close()
            gc.collect()
            assert [ref() for ref in kept] == [None] * len(kept)
