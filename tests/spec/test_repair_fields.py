from __future__ import annotations

from typing import Any

import pytest
from mending import ABSENT, errors, mended, model_0_3, model_0_4

from bioimageio_core.registry import Registry
from bioimageio_core.spec.repair.identity import is_model
from bioimageio_core.spec.repair.repairing import repair_and_update
from bioimageio_core.structuring.converter import unstructure


@pytest.fixture
def tree() -> dict[str, Any]:
    """A valid model of format 0.4 with letters byxc, and weights of two formats."""
    return model_0_4()


@pytest.fixture
def early() -> dict[str, Any]:
    """A valid model of format 0.3.2, with the architecture at the top."""
    return model_0_3()


class TestSlips:
    """Keys of the document that are misspelt."""

    @pytest.mark.parametrize(("written", "key"), [("licence", "license"), ("Authors", "authors"), ("descripton", "description")])
    def test_key(self, tree: dict[str, Any], registry: Registry, written: str, key: str) -> None:
        """It is read as the key that is missing."""
        value = tree[written] = tree.pop(key)
        new, warnings = mended(tree, registry)
        assert warnings[written] == [f"read as {key}"]
        assert new[key] == value
        assert "repaired" not in new.get("config", {})

    def test_key_that_is_there(self, tree: dict[str, Any], registry: Registry) -> None:
        """Where the right key is there too, the other is kept apart."""
        tree["licence"] = "CC0-1.0"
        new, _ = mended(tree, registry)
        assert (new["license"], new["config"]["repaired"]) == ("MIT", {"licence": "CC0-1.0"})

    def test_unknown_key_of_a_step(self, tree: dict[str, Any], registry: Registry) -> None:
        """It stays, and the message says why."""
        tree["inputs"][0]["preprocessing"] = [{"name": "clip", "kwargs": {"min": 0, "max": 1, "per": "channel"}}]
        message = "unknown key, expected one of min, max; repairs keep it, since the step may give other results without it"
        assert errors(tree, registry) == {"inputs.0.preprocessing.0.kwargs.per": [message]}


class TestKept:
    """What is moved to ``config``."""

    def test_beside_what_was_there(self, tree: dict[str, Any], registry: Registry) -> None:
        """A value of the same name, which someone else wrote, is kept within, and named."""
        tree["config"] = {"repaired": 5}
        tree["extra"] = 3
        new, warnings = mended(tree, registry)
        assert new["config"]["repaired"] == {"repaired": 5, "extra": 3}
        assert warnings["extra"] == ["3 was moved to config.repaired, with 5, which was there before: unknown key"]


class TestIdentity:
    """Type and version."""

    def test_type_of_models(self, early: dict[str, Any], registry: Registry) -> None:
        """What has inputs, outputs and weights, and no type, is a model; what lacks one of these is not said to be one."""
        del early["type"]
        new, warnings = mended(early, registry)
        assert new["type"] == "model"
        assert warnings["type"] == ["expected a type, found none: read as model, since there are inputs, outputs and weights"]
        del early["weights"]
        assert not is_model(early)
        assert set(errors(early, registry)) == {"type"}

    @pytest.mark.parametrize("written", ["Model", " model", "models", "MODEL"])
    def test_spelling(self, tree: dict[str, Any], registry: Registry, written: str) -> None:
        tree["type"] = written
        new, warnings = mended(tree, registry)
        assert new["type"] == "model"
        assert warnings["type"] == [f"{written!r} was read as model"]

    @pytest.mark.parametrize(
        ("written", "read"),
        [
            (0.4, "0.4.0"),
            ("0.4", "0.4.0"),
            ("0.3.0.", "0.3.0"),
            ("v0.4.9", "0.4.9"),
            ("0.2.0-csbdeep", "0.3.0"),
            ("0.1.0", "0.3.0"),
            (None, "0.3.0"),
            (ABSENT, "0.3.0"),
        ],
    )
    def test_version(self, tree: dict[str, Any], registry: Registry, written: Any, read: str) -> None:
        """Numbers, short and early versions are read as the nearest that there is, missing ones by the form of the axes."""
        tree["format_version"] = written
        if written is ABSENT:
            del tree["format_version"]
        new, warnings = mended(tree, registry)
        assert new["format_version"] == "0.5.14"
        assert len(warnings["format_version"]) == 1
        assert f"read as {read}" in warnings["format_version"][0]

    def test_version_of_the_newest_form(self, model: dict[str, Any], registry: Registry) -> None:
        """Axes that are mappings are those of format 0.5."""
        del model["format_version"]
        assert "read as 0.5.0, going by its form" in mended(model, registry)[1]["format_version"][0]

    def test_unknown_version(self, tree: dict[str, Any], registry: Registry) -> None:
        """A version that is to come is not read as one that is."""
        tree["format_version"] = "7.0.0"
        assert set(errors(tree, registry)) == {"format_version"}

    def test_other_types(self, registry: Registry) -> None:
        """Versions of other types count on their own."""
        data = {"type": "dataset", "format_version": 0.2, "name": "cells", "description": ""}
        new, warnings = mended(data, registry)
        assert new["format_version"] == "0.3.4"
        assert "read as 0.2.0" in warnings["format_version"][0]


class TestSharedFields:
    """Fields of every description."""

    @pytest.mark.parametrize(
        ("key", "written", "read"),
        [
            ("authors", "Ada", [{"name": "Ada"}]),
            ("authors", {"name": "Ada"}, [{"name": "Ada"}]),
            (
                "authors",
                [{"name": "Ada", "orcid": "https://orcid.org/0000-0001-5109-3700"}],
                [{"name": "Ada", "orcid": "0000-0001-5109-3700"}],
            ),
            ("authors", [{"name": "Ada", "github": "ada"}], [{"name": "Ada", "github_user": "ada"}]),
            ("authors", [{"name": "Ada", "email": "missing"}], [{"name": "Ada"}]),
            ("packaged_by", ["Ada"], [{"name": "Ada"}]),
            ("cite", {"text": "t", "doi": "10.1234/a"}, [{"text": "t", "doi": "10.1234/a"}]),
            ("cite", [{"text": "t", "doi": "doi:10.1234/a"}], [{"text": "t", "doi": "10.1234/a"}]),
            ("cite", [{"text": "t", "doi": "dx.doi.org/10.1234/a"}], [{"text": "t", "doi": "10.1234/a"}]),
            ("cite", [{"text": "t", "doi": "https://arxiv.org/abs/1"}], [{"text": "t", "url": "https://arxiv.org/abs/1"}]),
            ("cite", ["Ada, https://example.com/a"], [{"text": "Ada, https://example.com/a", "url": "https://example.com/a"}]),
            ("cite", "todo", ABSENT),
            ("cite", None, ABSENT),
            ("tags", "cells, nuclei", ["cells", "nuclei"]),
            ("covers", "cover.png", [{"source": "cover.png"}]),
            ("links", "a/b, c/d", ["a/b", "c/d"]),
            ("git_repo", 3, ABSENT),
            ("name", 12345, "12345"),
            ("tags", [2024, "cells"], ["2024", "cells"]),
            ("run_mode", [{"name": "deepimagej"}], {"name": "deepimagej"}),
            ("run_mode", "deepimagej", {"name": "deepimagej"}),
            ("timestamp", 2019, "2019"),
            ("timestamp", "2019/12/11", "2019-12-11"),
            ("attachments", ["a.txt", {"source": "b.txt"}], [{"source": "a.txt"}, {"source": "b.txt"}]),
            ("parent", "null", ABSENT),
            ("parent", "Some/Id", {"id": "some/id"}),
        ],
    )
    def test_read_as(self, tree: dict[str, Any], registry: Registry, key: str, written: Any, read: Any) -> None:
        """Other forms are read as what they mean, with a warning at the place."""
        tree[key] = written
        new, warnings = mended(tree, registry)
        assert new.get(key, ABSENT) == read
        assert [path for path in warnings if path.split(".")[0] == key]

    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("BSD 3", "BSD-3-Clause"),
            ("BSD2", "BSD-2-Clause"),
            ("Apache License 2.0", "Apache-2.0"),
            ("Apache 2", "Apache-2.0"),
            ("bsd", None),
        ],
    )
    def test_license(self, early: dict[str, Any], registry: Registry, written: str, read: str | None) -> None:
        """Other spellings of one license are read; what may be several is kept in the config for people to decide on."""
        del early["type"]
        early["license"] = written
        new, warnings = mended(early, registry)
        assert new.get("license") == read
        if written == "bsd":
            assert new["config"]["repaired"] == {"license": "bsd"}
            assert "'bsd' was moved to config.repaired: expected an identifier" in warnings["license"][0]

    def test_date(self, early: dict[str, Any], registry: Registry) -> None:
        """The time was called date."""
        early |= {"date": 2019}
        del early["timestamp"]
        new, warnings = mended(early, registry)
        assert new["timestamp"] == "2019"
        assert warnings["date"] == ["2019 was read as timestamp"]

    def test_parent_by_address(self, early: dict[str, Any], registry: Registry) -> None:
        """Where a parent was is a link; a hash that nothing takes is kept."""
        del early["type"]
        early["parent"] = {"uri": "https://example.com/parent", "sha256": "e" * 64}
        new, _ = mended(early, registry)
        assert new["links"] == ["https://example.com/parent"]
        assert "parent" not in new
        assert new["config"]["repaired"] == {"parent.sha256": "e" * 64}

    def test_fields_of_collections(self, tree: dict[str, Any], registry: Registry) -> None:
        """What a collection or website added is kept in config, by its path."""
        tree |= {"owners": [1], "status": "accepted", "download_count": 3, "config": {"mine": 1}}
        tree["authors"][0]["role"] = "boss"
        tree["weights"]["onnx"]["tag"] = "serve"
        new, warnings = mended(tree, registry)
        kept = {"owners": [1], "status": "accepted", "download_count": 3, "authors.0.role": "boss", "weights.onnx.tag": "serve"}
        assert new["config"] == {"mine": 1, "repaired": kept}
        assert warnings["download_count"] == ["3 was moved to config.repaired: unknown key, did you mean 'download_url'?"]
        assert set(kept) <= set(warnings)

    def test_config_of_another_kind(self, tree: dict[str, Any], registry: Registry) -> None:
        """A config that is no mapping is kept within one, and beside it what else is kept."""
        tree |= {"config": ["a"], "owners": [1]}
        new, _ = mended(tree, registry)
        assert new["config"] == {"repaired": {"config": ["a"], "owners": [1]}}

    def test_config_of_other_values(self, tree: dict[str, Any], registry: Registry) -> None:
        """Keys that are no text, and numbers that are not finite, become text, also of what is kept."""
        tree |= {"config": {1: [float("inf")], "a": 0.5}, "owners": {2: float("nan")}}
        new, warnings = mended(tree, registry)
        assert new["config"] == {"1": ["inf"], "a": 0.5, "repaired": {"owners": {"2": "nan"}}}
        assert set(warnings) >= {"config", "owners"}

    def test_what_is_left_of_a_person(self, tree: dict[str, Any], registry: Registry) -> None:
        """A person without a name, and a citation without a place, are none, and kept whole."""
        tree["authors"] = [{"affiliation": "Home"}, {"name": "Ada"}, 3]
        tree["cite"] = [{"text": "nowhere"}]
        new, _ = mended(tree, registry)
        assert new["authors"] == [{"name": "Ada"}]
        assert new["config"]["repaired"] == {"authors.0": {"affiliation": "Home"}, "authors.2": 3, "cite.0": {"text": "nowhere"}}

    def test_missing(self, tree: dict[str, Any], registry: Registry) -> None:
        """What format 0.5 does not ask for is not made up, and its absence is said."""
        lacking = ("authors", "description", "documentation", "license", "test_inputs", "test_outputs", "timestamp")
        for key in lacking:
            del tree[key]
        new, warnings = mended(tree, registry)
        assert not {"authors", "documentation", "license", "timestamp"} & set(new)
        assert all(warnings[key] == ["expected a value, found none, which format 0.5 allows"] for key in lacking)
        del tree["name"]
        assert errors(tree, registry) == {"name": ["expected a value, found none"]}

    def test_newest_form(self, model: dict[str, Any], registry: Registry) -> None:
        """Names and descriptions of the newest version are cut and cleaned, and the whole is kept."""
        model |= {"name": "cells: a/b", "description": "d" * 2000, "attachments": {"files": ["a.txt"], "more": 1}}
        model["authors"] = [{"name": "Ada/Bob"}]
        new, warnings = mended(model, registry)
        assert (new["name"], new["description"], new["authors"]) == ("cells  a b", "d" * 1024, [{"name": "AdaBob"}])
        assert new["config"]["repaired"] == {"description": "d" * 2000, "attachments.more": 1}
        assert {"name", "description", "authors.0.name", "attachments"} <= set(warnings)

    def test_names_for_ids(self, model: dict[str, Any], registry: Registry) -> None:
        """What formats up to 0.4 called names are ids, of tensors and ops."""
        tensor, step = model["inputs"][0], model["inputs"][0]["preprocessing"][0]
        expected = tensor["id"], step["id"]
        tensor["name"], step["name"] = tensor.pop("id"), step.pop("id")
        new, warnings = mended(model, registry)
        assert (new["inputs"][0]["id"], new["inputs"][0]["preprocessing"][0]["id"]) == expected
        assert {"inputs.0.name", "inputs.0.preprocessing.0.name"} <= set(warnings)

    def test_long_ids(self, tree: dict[str, Any], registry: Registry) -> None:
        """Names of tensors may be longer in format 0.4, which is valid; only the newest version asks for less."""
        tree["inputs"][0]["name"] = tree["outputs"][0]["shape"]["reference_tensor"] = "raw" * 11
        descr, report = repair_and_update(tree, registry)
        new = unstructure(descr)
        assert new["inputs"][0]["id"] == ("raw" * 11)[:32]
        assert new["outputs"][0]["axes"][1]["size"]["tensor_id"] == ("raw" * 11)[:32]
        assert "inputs.0.id" in {issue.path for issue in report.issues}
