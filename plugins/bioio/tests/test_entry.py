"""The entry of the reader."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from bioimageio_runtime_bioio import bioimageio_image_readers

from bioimageio_core.errors import MissingRequirementError
from bioimageio_core.io import ImageReader, open_image
from bioimageio_core.registry import default_registry, plugin_for_suffix

(ENTRY,) = bioimageio_image_readers()

LISTING = """
import sys
from bioimageio_runtime_bioio import bioimageio_image_readers
list(bioimageio_image_readers())
print(*({"bioio", "numpy", "dask", "xarray"} & set(sys.modules)))
"""


def test_light() -> None:
    """Listing the entry imports no library."""
    done = subprocess.run([sys.executable, "-P", "-c", LISTING], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""


def test_suffixes() -> None:
    """The library names this plugin for each of its suffixes, and it is registered."""
    assert {plugin_for_suffix(f"a{suffix}") for suffix in ENTRY.suffixes} == {"bioimageio-runtime-bioio"}
    assert default_registry().image_readers["bioio"].suffixes == ENTRY.suffixes
    assert isinstance(ENTRY.load(), ImageReader)


@pytest.mark.parametrize(("suffix", "extra"), [(".sldy", "sldy"), (".oib", "bioformats"), (".vsi", "bioformats")])
def test_missing_reader(tmp_path: Path, suffix: str, extra: str) -> None:
    """Where no reader of bioio is installed, the error says what brings it."""
    (tmp_path / f"a{suffix}").write_bytes(b"nothing")
    with pytest.raises(MissingRequirementError, match=rf"pip install 'bioimageio-runtime-bioio\[{extra}\]'"):
        open_image(tmp_path / f"a{suffix}")
