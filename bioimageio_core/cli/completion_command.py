"""``bmz completion``."""

from __future__ import annotations

import click

from .terminal import say

__all__ = ["command"]

WHERE = {
    "bash": "bmz completion bash > ~/.local/share/bash-completion/completions/bmz",
    "zsh": "bmz completion zsh > ~/.zfunc/_bmz  (with 'fpath+=~/.zfunc; autoload -Uz compinit; compinit' in ~/.zshrc)",
    "fish": "bmz completion fish > ~/.config/fish/completions/bmz.fish",
}
"""How the script of each shell is installed."""


@click.command(epilog="To install: " + ". ".join(WHERE.values()))
@click.argument("shell", type=click.Choice(list(WHERE)))
def command(shell: str) -> None:
    """Print a script that completes commands, options and files of bmz with the Tab key in SHELL."""
    from click.shell_completion import get_completion_class

    from .main import bmz

    made = get_completion_class(shell)
    assert made is not None
    say(made(bmz, {}, "bmz", "_BMZ_COMPLETE").source(), exact=True)
