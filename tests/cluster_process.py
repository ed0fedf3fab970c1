"""A dask cluster of another process, whose workers import what the Python of that process finds."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SCRIPT = """
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=2, processes=True, dashboard_address="127.0.0.1:0") as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()  # until the one who started it is done
"""


@contextmanager
def cluster_of(python: str, script: Path, env: Mapping[str, str]) -> Iterator[str]:
    """Start a cluster of two worker processes with two threads each, and yield its address.

    Args:
        python: The interpreter.
        script: Where to write what it runs: processes that it starts read it again.
        env: The environment variables of all of them.

    """
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [python, "-P", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(env)
    )
    with process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address, f"the cluster of {python} did not start"
            yield address
        finally:
            process.terminate()
