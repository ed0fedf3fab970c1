"""The kit finds what is wrong, and nothing where nothing is wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

HEAVY = """
import sys, types
sys.modules["jax"] = types.ModuleType("jax")  # as a module would that imports it
from broken_ops import bioimageio_processing_ops
"""

FAULTS = {
    "TestOpInPlace": {"test_input_is_left_alone"},
    "TestOpWrongDtype": {"test_dtype"},
    "TestOpNeighbours": {"test_blocks_give_the_whole"},
    "TestOpNarrowHalo": {"test_blocks_give_the_whole"},
    "TestOpOwnMean": {"test_blocks_give_the_whole"},
    "TestOpUnpicklable": {"test_travels"},
    "TestOpSharedState": {"test_threads"},
    "TestOpMakesNan": {"test_no_new_nan"},
    "TestOpFloatLabels": {"test_labels", "test_joined_blocks_give_the_whole"},
    "TestOpLeavesOutTheBorder": {"test_joined_blocks_give_the_whole"},
    "TestOpNegativeLabels": {"test_labels", "test_joined_blocks_give_the_whole"},
    "TestOpStrangeAxis": {"test_needs"},
    "TestOpFickleNeeds": {"test_needs"},
    "TestOpUnlikeItsReference": {"test_reference"},
    "TestOpKeepsAPath": {"test_travels"},
    "TestOpReadsAnyFile": {"test_wrong_file"},
    "TestOpMisnamed": {"test_is_collected"},
    "TestOpAcceptsAnyKey": {"test_unknown_key_is_refused"},
    "TestOpHeavyImport": {"test_import_is_light"},
    "TestFormatWithoutFile": {"test_names_a_file"},
    "TestAdapterSharedState": {"test_threads"},
    "TestAdapterSameBuffer": {"test_inputs_are_left_alone"},
    "TestAdapterWrong": {"test_outputs", "test_closes_and_loads_again", "test_two_at_once"},
    "TestAdapterAnyDevice": {"test_device_that_is_not_there"},
    "TestAdapterTraceback": {"test_broken_file"},
    "TestModeChangesDtype": {"test_outputs_keep_their_form"},
    "TestModeDoubles": {"test_identity"},
    "TestModeSeesTheBlock": {"test_blocks_give_the_whole"},
    "TestModeNarrowHaloAlongIt": {"test_blocks_give_the_whole"},
    "TestModeLeavesOpen": {"test_closes_the_network"},
    "TestModeTakesAnything": {"test_wrong_arguments"},
    "TestForeignAcceptsAll": {"test_refuses_other_files"},
    "TestForeignForgetsAFile": {"test_reads_a_valid_model"},
    "TestForeignOption": {"test_options"},
    "TestForeignInvalid": {"test_reads_a_valid_model"},
    "TestForeignCrashes": {"test_broken_files"},
    "TestForeignNamesTheFolder": {"test_reads_the_same_again"},
    "TestReaderSniffsAll": {"test_refuses_other_files"},
    "TestReaderSniffRaises": {"test_refuses_other_files"},
    "TestReaderSniffsNone": {"test_knows_its_own", "test_urls"},
    "TestReaderOtherAxes": {"test_metadata"},
    "TestReaderOtherUnit": {"test_metadata"},
    "TestReaderSharesState": {"test_threads"},
    "TestReaderUnpicklable": {"test_travels"},
    "TestReaderReadsWhole": {"test_opening_reads_no_pixels"},
    "TestReaderGivesItsOwn": {"test_pixels"},
    "TestReaderCountsFromOne": {"test_scenes"},
    "TestReaderTakesAnyScene": {"test_scene_or_level_that_is_not_there"},
    "TestReaderTakesAnyLevel": {"test_scene_or_level_that_is_not_there"},
    "TestReaderFillsUp": {"test_cut_files"},
    "TestReaderCrashes": {"test_wrong_files", "test_cut_files"},
    "TestReaderFilesOnly": {"test_urls"},
    "TestReaderHeavy": {"test_load_is_light"},
    "TestWriterFickle": {"test_check"},
    "TestWriterFailsInTheMiddle": {"test_writes_what_it_accepts", "test_reads_back"},
    "TestWriterSwallows": {"test_interrupted"},
    "TestWriterWritesBeside": {"test_path"},
    "TestWriterKeepsThePath": {"test_threads"},
    "TestWriterReadsAll": {"test_by_region"},
    "TestWriterHeavy": {"test_load_is_light"},
    "TestConverterLeavesTarget": {"test_broken_source"},
    "TestConverterMissesFields": {"test_fields"},
    "TestConverterWritesTheSource": {"test_writes_the_target"},
    "TestConsumerSaysNothing": {"test_judges"},
    "TestConsumerWithoutRemedy": {"test_says_why"},
    "TestConsumerWithoutDate": {"test_says_why"},
    "TestCommandWithoutHelp": {"test_help"},
    "TestCommandTaken": {"test_name"},
}
"""What fails, and nothing else."""

AT_LEAST = {
    "TestOpCountsCalls": {"test_repeats"},
    "TestOpDropsPixels": {"test_shape"},
    "TestOpWrongShape": {"test_shape"},
    "TestAdapterOneLoad": {"test_closes_and_loads_again"},
    "TestReaderOneOff": {"test_regions"},
    "TestWriterRefusesAll": {"test_check"},
    "TestWriterRefusesWithTypeError": {"test_check"},
    "TestWriterScales": {"test_reads_back"},
    "TestWriterBeyond": {"test_writes_what_it_accepts"},
    "TestWriterOtherName": {"test_path"},
    "TestWriterNamesOtherAxes": {"test_reads_back"},
    "TestModeChangesShape": {"test_outputs_keep_their_form"},
    "TestModePlansOtherInputs": {"test_plan"},
    "TestModeAddsAnAxisThatThereIs": {"test_plan"},
    "TestCommandNoCommand": {"test_is_a_command"},
}
"""What fails among others, since the fault shows in several ways."""


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The tests that fail, and why, of each class of the modules ``broken_*``."""
    folder = tmp_path_factory.mktemp("broken")
    broken = sorted(Path(__file__).parent.glob("broken_*.py"))
    for module in (*broken, Path(__file__).parent / "flat_format.py"):
        shutil.copy(module, folder)
    (folder / "imports_jax.py").write_text(HEAVY)
    (folder / "pytest.ini").write_text("[pytest]\n")
    record = folder / "record.jsonl"
    path = os.pathsep.join([str(folder), *(p or os.curdir for p in sys.path)])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "bioimageio_core.testing.recording"]
    done = subprocess.run(
        [*command, "--bmz-record", str(record), *(module.name for module in broken)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for line in map(json.loads, record.read_text().splitlines()):
        if line.get("outcome") == "failed":
            found[line["of"]][line["test"].partition("[")[0]] = line["why"]
    return found


class TestFaults:
    """Entries that break a rule."""

    @pytest.mark.parametrize("name", FAULTS)
    def test_is_found(self, failed: dict[str, dict[str, str]], name: str) -> None:
        """By the test of that rule, and by no other."""
        assert set(failed[name]) == FAULTS[name], failed[name]

    @pytest.mark.parametrize("name", AT_LEAST)
    def test_is_found_among_others(self, failed: dict[str, dict[str, str]], name: str) -> None:
        """By the test of that rule."""
        assert AT_LEAST[name] <= set(failed[name]), failed[name]

    def test_reasons(self, failed: dict[str, dict[str, str]]) -> None:
        """Say what to change, in one line."""
        assert "in place" in failed["TestOpInPlace"]["test_input_is_left_alone"]
        assert failed["TestOpUnpicklable"]["test_travels"].startswith(
            "the op or its needs cannot be pickled: define them at the top of the module"
        )
        assert "imports jax: import them within the function `load`" in failed["TestOpHeavyImport"]["test_import_is_light"]
        assert failed["TestForeignAcceptsAll"]["test_refuses_other_files"].startswith("expected sniff to return False for")
        assert failed["TestReaderUnpicklable"]["test_travels"].startswith(
            "the image of two.flat cannot be pickled: make it with lazy_image"
        )
        assert "at (0, 0) expected" in failed["TestWriterScales"]["test_reads_back"]


def test_good_ones_pass(failed: dict[str, dict[str, str]]) -> None:
    """Nothing is found where nothing is wrong; and every class that fails is listed above."""
    assert set(failed) == {*FAULTS, *AT_LEAST}
