"""Time to import the library and to show help. Promised: 0.12 s over bare Python, and 0.3 s."""

from __future__ import annotations

import subprocess
import sys

from measuring import interleaved, report


def main() -> None:
    """Measure and print."""

    def run(*arguments: str) -> None:
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)

    medians = interleaved(
        {
            "bare": lambda: run("-c", "pass"),
            "import": lambda: run("-c", "import bioimageio_core"),
            "help": lambda: run("-c", "import sys; sys.argv = ['bmz', '--help']; from bioimageio_core.cli import main; main()"),
        },
        rounds=15,
    )
    report("import bioimageio_core", seconds_over_bare_python=medians["import"] - medians["bare"], bare=medians["bare"])
    report("bmz --help", seconds=medians["help"])


if __name__ == "__main__":
    main()
