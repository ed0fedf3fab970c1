"""Every block of code in the documentation runs as it is written, or says why it is not run.

- ``python`` runs, all blocks of a page one after the other in the same folder and with the same names.
  With ``>>>`` its results are compared.
  A block whose first line is a comment with the name of a file is that file.
- ``console`` runs each line that starts with ``$``, and compares what it prints; ``...`` stands for anything.
- ``<!-- skip: reason -->`` on the line before keeps a block from being run.
- ``<!-- needs: torch -->`` anywhere on a page keeps all of its blocks from being run where PyTorch is not installed.
- ``text``, ``toml`` and ``yaml`` are shown only.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "CHANGELOG.md"])
SHOWN = {"text", "toml", "yaml"}
RUN = {"python", "console"}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
PROGRESS = re.compile(r"^[^\n]*: \d+ of \d+(?:, about [^\n]* left)?\n", re.MULTILINE)
"""Lines that commands print every ten seconds, which pages do not show."""

FENCE = re.compile(
    r"^(?:<!-- skip: (?P<reason>.*?) -->\n)?(?P<fence>```+)(?P<language>[^\n]*)\n(?P<code>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL
)


@attrs.frozen(kw_only=True)
class Block:
    """A fenced block of a page."""

    language: str
    code: str
    line: int
    reason: str | None

    @property
    def runs(self) -> bool:
        """Whether it is to be run."""
        return self.language in RUN and self.reason is None


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page, directives left out."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        language = found["language"].strip()
        if not language.startswith("{"):
            line = text.count("\n", 0, found.start("code")) + 1
            yield Block(language=language, code=found["code"], line=line, reason=found["reason"])


def ids(page: Path) -> str:
    """Return the name of a page."""
    return page.relative_to(ROOT).as_posix()


class TestCodeBlocks:
    """The pages of docs/."""

    @pytest.mark.parametrize("page", PAGES, ids=ids)
    def test_every_block_is_marked(self, page: Path) -> None:
        """A block has a language that is known, and a reason if it is not run."""
        for block in blocks(page):
            where = f"{page.name}:{block.line}"
            assert block.language in RUN | SHOWN, f"{where}: expected one of {sorted(RUN | SHOWN)}, found {block.language!r}"
            assert block.reason is None or (block.language in RUN and block.reason.strip()), f"{where}: expected a reason"

    @pytest.mark.parametrize("page", [p for p in PAGES if any(b.runs for b in blocks(p))], ids=ids)
    def test_blocks_run(self, page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Blocks do what the page says they do."""
        pytest.importorskip("onnxruntime")
        from documented_models import prepare, prepare_pytorch

        prepare(tmp_path)
        if "<!-- needs: torch -->" in page.read_text(encoding="utf-8"):
            pytest.importorskip("torch")
            prepare_pytorch(tmp_path)
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(str(ROOT / "docs" / "examples"))
        monkeypatch.syspath_prepend(str(tmp_path))
        names: dict[str, Any] = {"__name__": "__main__"}
        for block in blocks(page):
            if block.runs:
                where = f"{ids(page)}:{block.line}"
                (run_python if block.language == "python" else run_console)(block.code, names, where)


def run_python(code: str, names: dict[str, Any], where: str) -> None:
    """Run Python code, as a doctest where it has prompts."""
    if file := re.match(r"# (\w+\.py)\n", code):
        Path(file[1]).write_text(code, encoding="utf-8")
        return
    if not code.lstrip().startswith(">>>"):
        exec(compile(code, where, "exec"), names)
        return
    test = doctest.DocTestParser().get_doctest(code, {}, where, where, 0)
    test.globs = names
    told: list[str] = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=told.append, clear_globs=False)
    assert not result.failed, "".join(told)


def run_console(code: str, names: dict[str, Any], where: str) -> None:
    """Run the commands of a console session and compare what they print."""
    if sys.platform == "win32":
        pytest.skip("consoles of the documentation are POSIX shells")
    for part in re.split(r"^\$ ", code, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        found = subprocess.run(
            ["sh", "-c", f"{{ {command}\n}} 2>&1"], capture_output=True, text=True, env=environment(), timeout=300
        ).stdout
        found = PROGRESS.sub("", found)
        assert doctest.OutputChecker().check_output(expected, found, FLAGS), f"{where}: {command}\nexpected\n{expected}\nfound\n{found}"


def environment() -> dict[str, str]:
    """Return the environment of a console, in which ``bmz`` and ``python`` are those of this process."""
    folder = Path.cwd() / ".bin"
    if not folder.is_dir():
        folder.mkdir()
        for name, arguments in (("bmz", '-c "from bioimageio_core.cli import main; main()" '), ("python", "")):
            script = folder / name
            script.write_text(f'#!/bin/sh\nexec {sys.executable} {arguments}"$@"\n')
            script.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
