"""The project avoids words that readers stumble over; `wording.py` has the list."""

from __future__ import annotations

from pathlib import Path

import pytest
from architecture.wording import BETTER, all_hits, avoided_words


class TestProject:
    """Code, documentation and templates."""

    def test_no_avoided_words(self) -> None:
        """Each hit names its place and a better word; ``python tests/architecture/wording.py`` lists them, too."""
        assert [str(hit) for hit in all_hits()] == []


class TestFinding:
    """What the list finds, and what it leaves alone."""

    @pytest.mark.parametrize(
        "text",
        [
            "is told",
            "The file has not a name.",
            "start anew",
            "whoever reads",
            "go on with it",
            "it is said",
            "so many",
            "some per cent",
            "can not",
        ],
    )
    def test_found_in_every_place(self, text: str) -> None:
        """In a docstring, a comment, a message and a page."""
        python = f'"""{text}"""\n# {text}\nraise ValueError(f"{{1}} {text}")\n'
        assert [hit.line for hit in avoided_words(Path("made.py"), python)] == [2, 1, 3]
        assert [hit.line for hit in avoided_words(Path("made.md"), f"# Title\n\n{text}\n")] == [3]

    @pytest.mark.parametrize("text", ["It has not been measured.", "cannot", "the whole image", "Go on!"])
    def test_plain_english(self, text: str) -> None:
        """Is not found."""
        assert list(avoided_words(Path("made.md"), text)) == []

    def test_code_is_not_prose(self) -> None:
        """Names in code, and blocks of code in pages."""
        assert list(avoided_words(Path("made.py"), "nobody = 1\n")) == []
        assert list(avoided_words(Path("made.md"), "`nobody`\n\n```python\nnobody = 1  # anew\n```\n")) == []

    def test_line_within_a_text(self) -> None:
        """The line of the word, not of the text."""
        assert [hit.line for hit in avoided_words(Path("made.py"), '"""One.\n\nTwo anew.\n"""\n')] == [3]

    def test_every_word_has_a_better_one(self) -> None:
        """That is not avoided itself."""
        assert all(not list(avoided_words(Path("made.md"), better)) for better in BETTER.values())
