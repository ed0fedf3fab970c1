"""``bmz completion``."""

from __future__ import annotations

import click

from .terminal import say

__all__ = ["command"]

WHERE = {
    "bash": "add to ~/.bashrc:  source <(bmz completion bash)",
    "zsh": "add to ~/.zshrc, after compinit:  source <(bmz completion zsh)",
    "fish": "run once:  bmz completion fish > ~/.config/fish/completions/bmz.fish",
}
"""How the script of each shell is installed."""

EPILOG = "\n".join(["\b", *(f"{shell:<5} {how}" for shell, how in WHERE.items())])
"""Lines that click does not wrap."""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(list(WHERE)))
def command(shell: str) -> None:
    """Print a script that completes commands, options and files of bmz with the Tab key in SHELL."""
    from click.shell_completion import get_completion_class

    from .main import bmz

    made = get_completion_class(shell)
    assert made is not None
    say(made(bmz, {}, "bmz", "_BMZ_COMPLETE").source(), exact=True)
