"""Runs cells in a real kernel, and returns what a notebook would show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

__all__ = ["run_cells"]


def run_cells(*cells: str, folder: str = ".", allow_errors: bool = False) -> tuple[list[list[dict[str, Any]]], Counter[str]]:
    """Run cells one after the other in a new kernel.

    Returns:
        The outputs of each cell, and how many messages of each type the kernel sent.

    """
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    import nbformat

    counts: Counter[str] = Counter()

    class Client(nbclient.NotebookClient):  # type: ignore[misc, name-defined]
        def process_message(self, msg: dict[str, Any], *rest: Any) -> Any:
            counts[msg["msg_type"]] += 1
            return super().process_message(msg, *rest)

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    Client(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": folder}}, allow_errors=allow_errors).execute()
    return [list(map(dict, cell.outputs)) for cell in notebook.cells], counts


def html_of(outputs: Sequence[dict[str, Any]]) -> str:
    """Return the HTML of the only output of a cell."""
    (output,) = outputs
    html: str = output["data"]["text/html"]
    return html
