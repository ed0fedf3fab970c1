"""What the tests that ask the reference implementation share."""

from __future__ import annotations

import os

import pytest
from judge import Judge


@pytest.fixture(scope="session")
def judge() -> Judge:
    if not os.environ.get("BMZ_ORACLE"):
        pytest.skip("the reference implementation is asked in a session of its own: nox -s oracle")
    from loguru import logger

    logger.remove()
    return Judge()
