import pytest

from bioimageio_core.errors import AxesError
from bioimageio_core.io import parse_axes


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
        with pytest.raises(AxesError, match=r"unknown letter 'q'; known are b \(batch\)"):
            parse_axes("qyx")

    @pytest.mark.parametrize("text", ["yxy", "csyx", "c,channel,y,x"])
    def test_twice(self, text: str) -> None:
        """An axis that occurs twice is an error, also under two spellings."""
        with pytest.raises(AxesError, match="twice"):
            parse_axes(text)

    @pytest.mark.parametrize("text", ["", "  ", []])
    def test_none(self, text: str | list[str]) -> None:
        """No axes at all is an error."""
        with pytest.raises(AxesError, match="No axes"):
            parse_axes(text)
