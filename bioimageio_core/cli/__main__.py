"""``python -m bioimageio_core.cli``: the same as ``bmz``."""

from . import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
