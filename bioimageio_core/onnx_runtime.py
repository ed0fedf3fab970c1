"""Imports ONNX Runtime without its telemetry. Public: plugins import it likewise.

ONNX Runtime 1.32 sends events about sessions to its makers, and keeps an id of the machine and events that are not sent yet in the
user's cache folder. It reads the environment variable when it is imported; the function stops what an import by others began.
"""

from __future__ import annotations

import os
from typing import Any

__all__ = ["import_onnxruntime"]

SWITCH = "ORT_DISABLE_TELEMETRY"


def import_onnxruntime() -> Any:
    """Import the module `onnxruntime`; processes that are started later send no telemetry either.

    Raises:
        ImportError: It is not installed.

    """
    if not os.environ.get(SWITCH):  # users who want telemetry set it to 0
        os.environ[SWITCH] = "1"
    import onnxruntime

    if os.environ[SWITCH] != "0":
        onnxruntime.disable_telemetry_events()
    return onnxruntime
