from __future__ import annotations

from typing import Any

import pytest

from bioimageio_core.spec import fields, strings
from bioimageio_core.spec.generic.licenses import DEPRECATED_LICENSES, LICENSES


def check(type_: Any, value: Any) -> Any:
    """Apply the checks of an ``Annotated`` type."""
    for mark in type_.__metadata__:
        value = mark(value)
    return value


class TestStringTypes:
    @pytest.mark.parametrize(
        ("type_", "value", "normal"),
        [
            (strings.Orcid, "0000-0002-1825-0097", None),
            (strings.Orcid, "0000-0002-9079-593X", None),
            (strings.Email, "Me <me@Example.COM>", "me@example.com"),
            (strings.Sha256, " " + "AB" * 32, "ab" * 32),
            (strings.DoiOrUrl, "https://doi.org/10.1234/x", "10.1234/x"),
            (strings.Version, 1.1, None),
            (strings.Version, "v1.2rc1.post3.dev4+local", None),
            (strings.Timestamp, "2019-12-11T11:22:32Z", None),
            (strings.Timestamp, "2019", None),
            (strings.HttpUrl, "HTTPS://a.b?c", None),
            (strings.FileSource, "../a b.txt", None),
            (strings.ResourceIdAnyCase, "A/b", "a/b"),
            (fields.TensorId, "Input_1", None),
        ],
    )
    def test_accepted(self, type_: Any, value: Any, normal: Any) -> None:
        """Good values pass, normalised where the format says so."""
        assert check(type_, value) == (value if normal is None else normal)

    @pytest.mark.parametrize(
        ("type_", "value"),
        [
            (strings.Orcid, "0000-0002-1825-0098"),
            (strings.Orcid, "https://orcid.org/0000-0002-1825-0097"),
            (strings.Email, "me@localhost"),
            (strings.Email, "me@a.test"),
            (strings.Sha256, "ab"),
            (strings.Doi, "https://doi.org/10.1234/x"),
            (strings.Version, "1.x"),
            (strings.Timestamp, "yesterday"),
            (strings.HttpUrl, "ftp://a.b"),
            (strings.HttpUrl, "https://"),
            (strings.FileSource, ""),
            (strings.FileSource, "http:"),
            (strings.PackagedSource, "sub/my.bioimageio.yaml"),
            (strings.ResourceId, "A/b"),
            (strings.ResourceId, "/b"),
            (fields.TensorId, "for"),
            (fields.TensorId, "a" * 33),
            (fields.AxisId, "a" * 17),
            (fields.NonBatchAxisId, "B"),
        ],
    )
    def test_refused(self, type_: Any, value: Any) -> None:
        """Bad values raise and say what was expected."""
        with pytest.raises(ValueError, match=r"^expected .*, found "):
            check(type_, value)


class TestLicenses:
    def test_lists(self) -> None:
        """The lists hold what everybody uses, and nothing twice."""
        assert {"MIT", "CC-BY-4.0", "BSD-3-Clause", "Apache-2.0", "GPL-3.0-or-later"} <= LICENSES
        assert "GPL-3.0" in DEPRECATED_LICENSES
        assert not LICENSES & DEPRECATED_LICENSES
        assert (len(LICENSES), len(DEPRECATED_LICENSES)) == (667, 32)


class TestValidators:
    @pytest.mark.parametrize(
        ("validator", "good", "bad"),
        [
            (fields.in_range(0, 1), 1, 1.5),
            (fields.in_range(above=0), 0.1, 0),
            (fields.in_range(below=1), 0.9, 1),
            (fields.length(1, 2), "ab", "abc"),
            (fields.non_empty, (1,), ()),
            (fields.unique, "abc", "aba"),
            (fields.matches("[ab]+", "a or b"), "ab", "abc"),
            (fields.suffix(".md"), "a.md", "a.MD"),
            (fields.suffix(".md"), "https://a.b/c.md?d=.txt", "https://a.b/c?d=.md"),
            (fields.suffix(".md"), "https://zenodo.org/api/c.md/content", "c.md/x"),
            (fields.each(fields.in_range(0)), (1, 2), (1, -2)),
            (fields.all_of(fields.non_empty, fields.unique), "ab", "aa"),
        ],
    )
    def test_validators(self, validator: fields.Validator[Any], good: Any, bad: Any) -> None:
        """Validators let good values and None pass and say what is wrong with others."""
        validator(None, None, good)
        validator(None, None, None)
        with pytest.raises(ValueError, match=r"expected .*, found "):
            validator(None, None, bad)
