"""The folder that PyTorch makes when its compiler is imported: nothing of it stays among the temporary files."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("torch")

KERAS = "from bioimageio_core.weights.keras_backend import import_keras; import_keras()"

LIBRARY = "from bioimageio_core.libraries import import_libraries; import_libraries(['torch._dynamo'])"

ARCHITECTURE = """
from bioimageio_core.errors import ModelRunError
from bioimageio_core.weights.architecture import module_from_library
try:
    module_from_library("torch._dynamo", "no_network", {}, trust=True)
except ModelRunError as error:
    assert "does not exist" in str(error), error
"""

MODEL_CODE = """
from bioimageio_core.weights.architecture import module_from_file
(folder / "net.py").write_text("import torch._dynamo\\nfrom torch.nn import Identity\\n")
module_from_file(folder / "net.py", "Identity", {}, trust=True)
"""

ARCHIVE = """
import subprocess
from bioimageio_core.description_init.read_torch import torchscript_of_export
save = (
    "import sys, torch;"
    "network = torch.export.export(torch.nn.Conv2d(1, 1, 3), (torch.rand(1, 1, 8, 8),));"
    "torch.export.save(network, sys.argv[1])"
)
elsewhere = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(folder)}
subprocess.run([sys.executable, "-W", "ignore", "-c", save, folder / "net.pt2"], env=elsewhere, check=True)
torchscript_of_export(folder / "net.pt2", folder / "net.pt", trust=True)
"""

ONNX = """
from made_networks import conversion, save_network
from bioimageio_core.registry import collect
save_network(folder, "unet", "pytorch_state_dict")
converter = collect().weights_converters["pytorch_to_onnx"]
converter.load()(conversion(folder, "unet", "pytorch_state_dict", folder / "net.onnx"))
"""

BEGIN = """
import os, sys
from pathlib import Path
folder = Path(sys.argv[1])
"""

END = """
assert "torch._dynamo" in sys.modules
assert "TORCHINDUCTOR_CACHE_DIR" not in os.environ
"""


def left_behind(folder: Path, code: str) -> list[str]:
    """Run code in a process that has its own temporary files, and return what is left of them."""
    temporary, own = folder / "temporary", folder / "own"
    temporary.mkdir()
    own.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment.pop("TORCHINDUCTOR_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BEGIN + code + END, str(own)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return sorted(path.name for path in temporary.iterdir())


@pytest.mark.parametrize(
    ("code", "needs"),
    [
        (KERAS, "keras"),
        (LIBRARY, "torch"),
        (ARCHITECTURE, "torch"),
        (MODEL_CODE, "torch"),
        (ARCHIVE, "torch"),
        (ONNX, "onnxscript"),
    ],
    ids=["keras", "named library", "architecture", "code of a model", "archive of torch.export", "conversion to ONNX"],
)
def test_nothing_stays(tmp_path: Path, code: str, needs: str) -> None:
    """Whatever imports the compiler."""
    if find_spec(needs) is None:
        pytest.skip(f"needs {needs}")
    assert left_behind(tmp_path, code) == []
