import pytest

from bioimageio_core.axis_names import DIMENSION_NAMES, IMAGE_NAMES, LETTER_OF, LETTERS, named_axes, parse_axes
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
            ("Row, Column", ("y", "x")),
            ("frame,height,width,rgb", ("time", "y", "x", "channel")),
            ("nchw", ("batch", "channel", "y", "x")),
        ],
    )
    def test_spellings(self, text: str | list[str], axes: tuple[str, ...]) -> None:
        """Letters, lists of letters and names all lead to the ids of format 0.5."""
        assert parse_axes(text) == axes

    def test_unknown_letter(self) -> None:
        """The error names the letter and those that are known."""
        with pytest.raises(AxesError, match=r"unknown letter 'q': expected letters of b \(batch\)"):
            parse_axes("qyx")

    @pytest.mark.parametrize("text", ["yxy", "csyx", "c,channel,y,x", "row,y,x"])
    def test_twice(self, text: str) -> None:
        """An axis that occurs twice is an error, also under two spellings."""
        with pytest.raises(AxesError, match="twice"):
            parse_axes(text)

    @pytest.mark.parametrize("text", ["", "  ", []])
    def test_none(self, text: str | list[str]) -> None:
        """No axes at all is an error."""
        with pytest.raises(AxesError, match="no axes"):
            parse_axes(text)


class TestNamedAxes:
    """Axes that files and arrays name."""

    @pytest.mark.parametrize("names", [("row", "col"), ("Rows", "COLUMNS"), ("height", "width"), ("H", "W"), (" Y", "X "), ("lat", "lon")])
    def test_words_of_the_field(self, names: tuple[str, ...]) -> None:
        """Words for y and x, in any case, with blanks around them."""
        assert named_axes(names) == ("y", "x")

    @pytest.mark.parametrize("name", ["c", "C", "S", "ch", "rgb", "band", "bands", "sample", "samples", "channels", "wavelength"])
    def test_channels(self, name: str) -> None:
        """Words for channels."""
        assert named_axes(["y", "x", name]) == ("y", "x", "channel")

    @pytest.mark.parametrize("name", ["t", "T", "time", "frame", "Frames", "timepoint"])
    def test_time(self, name: str) -> None:
        """Words for time."""
        assert named_axes([name, "y", "x"]) == ("time", "y", "x")

    @pytest.mark.parametrize("name", ["Z", "depth", "plane", "slice", "slices"])
    def test_depth(self, name: str) -> None:
        """Words for z."""
        assert named_axes([name, "y", "x"]) == ("z", "y", "x")

    @pytest.mark.parametrize(
        "names", [("dim_0", "dim_1"), ("phony_dim_0", "phony_dim_1"), ("axis_0", "Axis1"), ("", " "), (None, None), ("y", "dim_1"), ()]
    )
    def test_placeholders(self, names: tuple[str | None, ...]) -> None:
        """What libraries write where nobody named an axis is no name."""
        assert named_axes(names) is None

    def test_not_understood(self) -> None:
        """Other names stay, in lower case, also single letters."""
        assert named_axes(["Position", "q", "y", "x"]) == ("position", "q", "y", "x")

    def test_types(self) -> None:
        """In OME-Zarr an axis of type channel or time is that, whatever its name; the type space says nothing of which it is."""
        assert named_axes(["step", "marker", "u", "v"], ["time", "channel", "space", "space"]) == ("time", "channel", "u", "v")
        assert named_axes(["", "y", "x"], ["channel", "space", None]) == ("channel", "y", "x")

    def test_two_names_of_one_axis(self) -> None:
        """A letter is certain, another word for the same axis is not; two letters for one axis leave all open."""
        assert named_axes(["row", "y"]) == ("row", "y")
        assert named_axes(["c", "band", "y", "x"]) == ("channel", "band", "y", "x")
        assert named_axes(["rows", "row"]) == ("rows", "row")
        assert named_axes(["c", "s", "y", "x"]) is None


class TestTables:
    def test_letters_and_names_agree(self) -> None:
        """Every axis has a letter that leads back to it, and names of dimensions lead to axes alone."""
        assert {axis: LETTERS[letter] for axis, letter in LETTER_OF.items()} == {axis: axis for axis in LETTERS.values()}
        assert set(DIMENSION_NAMES.values()) == set(LETTERS.values())
        assert all(name == name.lower() for name in DIMENSION_NAMES)
        assert set(IMAGE_NAMES.values()) == set(LETTERS.values())
        assert all(name == name.lower() for name in IMAGE_NAMES)

    def test_names_of_dimensions(self) -> None:
        """Letters of frameworks and words."""
        names = ("n", "batch_size", "c", "channels", "d", "depth", "h", "height", "w", "width")
        assert [DIMENSION_NAMES[n] for n in names] == ["batch"] * 2 + ["channel"] * 2 + ["z"] * 2 + ["y"] * 2 + ["x"] * 2
