import pytest

from bioimageio_core.axis_names import DIMENSION_NAMES, LETTER_OF, LETTERS, parse_axes
from bioimageio_core.errors import AxesError


class TestParseAxes:
    @pytest.mark.parametrize(
        ("text", "axes"),
        [
            ("zyx", ("z", "y", "x")),
            ("tczyx", ("time", "channel", "z", "y", "x")),
            ("b,c,y,x", ("batch", "channel", "y", "x")),
            ("time, channel,y,x", ("time", "channel", "y", "x")),
            ("b c y x", ("batch", "channel", "y", "x")),
            ("YXS", ("y", "x", "channel")),
            (["Angle", "y", "x"], ("angle", "y", "x")),
        ],
    )
    def test_spellings(self, text: str | list[str], axes: tuple[str, ...]) -> None:
        """Letters, lists of letters and names all lead to the ids of format 0.5."""
        assert parse_axes(text) == axes

    def test_unknown_letter(self) -> None:
        """The error names the letter and those that are known."""
        with pytest.raises(AxesError, match=r"unknown letter 'q': expected letters of b \(batch\)"):
            parse_axes("qyx")

    @pytest.mark.parametrize("text", ["yxy", "csyx", "c,channel,y,x"])
    def test_twice(self, text: str) -> None:
        """An axis that occurs twice is an error, also under two spellings."""
        with pytest.raises(AxesError, match="twice"):
            parse_axes(text)

    @pytest.mark.parametrize("text", ["", "  ", []])
    def test_none(self, text: str | list[str]) -> None:
        """No axes at all is an error."""
        with pytest.raises(AxesError, match="no axes"):
            parse_axes(text)


class TestTables:
    def test_letters_and_names_agree(self) -> None:
        """Every axis has a letter that leads back to it, and names of dimensions lead to axes alone."""
        assert {axis: LETTERS[letter] for axis, letter in LETTER_OF.items()} == {axis: axis for axis in LETTERS.values()}
        assert set(DIMENSION_NAMES.values()) == set(LETTERS.values())
        assert all(name == name.lower() for name in DIMENSION_NAMES)

    def test_names_of_dimensions(self) -> None:
        """Letters of frameworks and words."""
        names = ("n", "batch_size", "c", "channels", "d", "depth", "h", "height", "w", "width")
        assert [DIMENSION_NAMES[n] for n in names] == ["batch"] * 2 + ["channel"] * 2 + ["z"] * 2 + ["y"] * 2 + ["x"] * 2
