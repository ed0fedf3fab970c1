"""Listing the ops is light."""

from __future__ import annotations

import subprocess
import sys

LISTING = """
import sys
from bioimageio_runtime_labels import bioimageio_processing_ops
list(bioimageio_processing_ops())
print(*({"numpy", "scipy", "skimage"} & set(sys.modules)))
"""


def test_no_array_library() -> None:
    """Neither numpy nor what the ops compute with is imported."""
    done = subprocess.run([sys.executable, "-P", "-c", LISTING], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
