"""Text of others, in one line."""

from __future__ import annotations

import pytest

from bioimageio_core.text import close_names, did_you_mean, in_brief, in_one_line, is_slip_of


class TestInBrief:
    """The exceptions of frameworks, in one line."""

    @pytest.mark.parametrize(
        ("error", "named", "expected"),
        [
            (ValueError("  a\n\tb  c "), False, "a b c"),
            (KeyError("a"), True, "KeyError: 'a'"),
            (EOFError(), False, "EOFError"),
            (EOFError(), True, "EOFError"),
            ("the last\nof many lines", False, "the last of many lines"),
            (RuntimeError("x" * 1000), False, "x" * 300),
        ],
    )
    def test_one_line(self, error: Exception | str, named: bool, expected: str) -> None:
        """White space is one blank, much is cut, and an error that says nothing is named."""
        assert in_brief(error, named=named) == expected

    def test_control_characters(self) -> None:
        """Nothing that a terminal would obey stays."""
        assert in_one_line("a\x1b[31m\nb\u2028c") == "a [31m b c"


class TestDidYouMean:
    """Names that were probably meant."""

    @pytest.mark.parametrize(
        ("value", "known", "expected"),
        [("chanel", ("channel", "chunks"), "did you mean 'channel'?"), ("zzz", ("channel",), "none"), (3, ("3d",), "did you mean '3d'?")],
    )
    def test_one(self, value: object, known: tuple[str, ...], expected: str) -> None:
        """The closest, or what to say where there is none."""
        assert did_you_mean(value, known, otherwise="none") == expected

    def test_several(self) -> None:
        """As many as wanted, the closest first."""
        assert close_names("affable-shak", ("affable-bark", "affable-shark", "x"), most=2) == ["affable-shark", "affable-bark"]
        assert did_you_mean("ab", ("abc", "abd"), most=2) == "did you mean 'abd' or 'abc'?"


class TestSlips:
    """One mistake of a typist."""

    @pytest.mark.parametrize("slip", ["tensorlfow_js", "tensorflow_j", "tensorfloww_js", "ensorflow_js", "tensorfl0w_js", "Tensorflow_JS"])
    def test_one(self, slip: str) -> None:
        """A letter too few, too many or wrong, two exchanged, or capitals; a wrong digit is none."""
        assert is_slip_of(slip, "tensorflow_js") == ("0" not in slip)

    @pytest.mark.parametrize("other", ["tensorflow_js", "tensrlfow_js", "tensorflow", "keras_v3", ""])
    def test_others(self, other: str) -> None:
        """The name itself, and what is further away."""
        assert not is_slip_of(other, "tensorflow_js")

    @pytest.mark.parametrize(("value", "name"), [("keras_v2", "keras_v3"), ("keras_v", "keras_v3"), ("keras_3v", "keras_v3")])
    def test_versions(self, value: str, name: str) -> None:
        """Digits tell versions apart."""
        assert not is_slip_of(value, name)
