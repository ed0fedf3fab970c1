"""The block ``config.deepimagej``."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from bioimageio_runtime_deepimagej.config_block import DeepimagejConfig, PixelSize, Step, read_block

from bioimageio_core.typing import FrozenMapping

WHOLE = {
    "pyramidal_model": False,
    "allow_tiling": True,
    "model_keys": {"tensorflow_model_tag": "serve", "tensorflow_siganture_def": "call"},
    "test_information": {
        "inputs": [{"name": "a.tif", "size": "256 x 128 x 1 x 1", "pixel_size": {"x": "0.16 µm", "y": "0,16 µm", "z": 1}}],
        "outputs": [{"name": "b.csv", "type": "ResultsTable", "size": "3 x 0"}],
        "memory_peak": "712.6 Mb",
        "runtime": 11.7,
    },
    "prediction": {"preprocess": [{"spec": "ij.IJ::runMacroFile", "kwargs": "pre.ijm"}], "postprocess": [{"spec": None}]},
}


class TestRead:
    """What blocks say."""

    def test_whole(self) -> None:
        """Every key has its place; numbers without a unit get the usual one."""
        config, notes = read_block(WHOLE)
        information = config.test_information
        assert not notes
        assert config.preprocess == (Step.of_macro("pre.ijm"),)
        assert config.postprocess == ()
        assert config.model_keys is not None
        assert (config.model_keys.tag, config.model_keys.signature) == ("serve", "call")
        assert information.inputs[0].pixel_size == PixelSize(x=(0.16, "µm"), y=(0.16, "µm"), z=(1.0, "pixel"))
        assert information.inputs[0].size == (256, 128, 1, 1)
        assert (information.memory_peak, information.runtime) == ((712.6, "Mb"), (11.7, "s"))
        assert information.outputs[0].type == "ResultsTable"

    @pytest.mark.parametrize(
        ("change", "note"),
        [
            ({"test_information": {"runtime": "11.5 s s"}}, "runtime: expected a number and one unit, found '11.5 s s': 's' is taken once"),
            ({"test_information": {"memory_peak": "much"}}, "memory_peak: expected a number and a unit, found 'much'"),
            ({"test_information": {"inputs": [{"size": "2 by 3"}]}}, "inputs.0.size: expected sizes"),
            ({"test_information": "nothing"}, "test_information: expected a mapping"),
            ({"allow_tiling": "perhaps"}, "allow_tiling: expected true or false"),
            ({"prediction": {"preprocess": [{"spec": "ij.IJ::runMacroFile", "kwargs": None}]}}, "expected the name of a macro"),
            ({"prediction": {"postprocess": ["run"]}}, "postprocess.0: expected a mapping"),
        ],
    )
    def test_broken_by_hand(self, change: dict[str, object], note: str) -> None:
        """What cannot be read is told, and taken as unknown."""
        _, (found,) = read_block({**WHOLE, **change})
        assert note in found
        assert found.startswith("config.deepimagej.")

    def test_older(self) -> None:
        """The keys before deepImageJ 2.1."""
        information = {"input_size": ["348x260x1"], "output_size": ["348x260x1"], "pixel_size": ["1.30µmx1.30µmx1.00E+00pixels"]}
        config, notes = read_block({"model_keys": {"model_tag": "t", "signature_definition": "s"}, "test_information": information})
        assert not notes
        assert config.test_information.inputs[0].pixel_size == PixelSize(x=(1.3, "µm"), y=(1.3, "µm"), z=(1.0, "pixels"))
        assert config.test_information.outputs[0].size == (348, 260, 1)

    def test_no_mapping(self) -> None:
        """A block of another kind is refused."""
        with pytest.raises(ValueError, match=r"expected config.deepimagej to be a mapping, found str"):
            read_block("yes")


class TestRealBlocks:
    """Blocks of published descriptions."""

    def test_round_trip(self, shared: Path) -> None:
        """All are read; what is written of them is read as the same, without anything to note."""
        read = 0
        for path in sorted([*(shared / "corpus" / "descriptions").glob("*.yaml"), *(shared / "models").glob("*/*.yaml")]):
            if "deepimagej:" not in (text := path.read_text(encoding="utf-8")):
                continue
            try:
                tree = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            except yaml.YAMLError:
                continue
            block = (tree.get("config") or {}).get("deepimagej") if isinstance(tree, dict) else None
            if block is None:
                continue
            config, notes = read_block(block)
            assert all("'11.5 s s'" in n or "'5.5 s s'" in n or "name of a macro" in n for n in notes), (path.name, notes)
            assert read_block(config.as_tree()) == (config, ()), path.name
            read += 1
        assert read > 150

    def test_unknown_keys_stay(self) -> None:
        """Keys that nobody knows are written back."""
        config, _ = read_block({"ij": "deep-ij"})
        assert config == DeepimagejConfig(other=FrozenMapping({"ij": "deep-ij"}))
        assert config.as_tree()["ij"] == "deep-ij"
