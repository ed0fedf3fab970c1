"""Time to validate, to structure and to update one model description, from parsed YAML, beside the reference implementation.

Promised: half of what the reference takes to validate a 0.5 model, a tenth of that to structure it,
a tenth of what the reference takes to update a 0.4 model.
The environment variable BMZ_OTHER_PYTHON names an interpreter with another release of the library, whose time to structure is compared.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from statistics import median

from measuring import interleaved, report, script_result

sys.path.insert(0, str(Path(__file__).parents[1]))


def main() -> None:
    """Measure and print."""
    from judge import Judge
    from loguru import logger

    import bioimageio_core as bc
    from bioimageio_core.spec.yaml import load_yaml

    logger.remove()
    judge = Judge()
    models = Path(os.environ["BMZ_SHARED"]) / "models" / "unet2d_nuclei_broad"
    new = load_yaml((models / "bioimageio.yaml").read_bytes())
    old = load_yaml((models / "v0_4_9.bioimageio.yaml").read_bytes())
    assert bc.validate(new).status == "valid"
    assert judge.opinion(new).is_valid
    assert bc.update_format(old).format_version[:3] == "0.5"
    assert judge.opinion(old, format_version="latest").is_valid

    def many(action: object, times: int = 20) -> object:
        def repeat() -> None:
            for _ in range(times):
                action()  # type: ignore[operator]

        return repeat

    from bioimageio_core.api import default_registry
    from bioimageio_core.spec.converters import converter_for
    from bioimageio_core.spec.formats import detect
    from bioimageio_core.spec.versions import class_of, upgrade_of

    converter, cls = converter_for(default_registry(), "0.5"), class_of("model", "0.5")
    newest, _ = upgrade_of("model", "0.5")(new, detect(new).version)

    with judge.context, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        medians = interleaved(
            {
                "validate": many(lambda: bc.validate(new)),
                "structure": many(lambda: converter.structure(newest, cls)),
                "reference validate": many(lambda: judge.build(new)),
                "update": many(lambda: bc.update_format(old)),
                "reference update": many(lambda: judge.build(old, "latest")),
            },
            rounds=9,
        )
    for what, beside in (("validate", "validate"), ("structure", "validate"), ("update", "update")):
        seconds, theirs = medians[what] / 20, medians[f"reference {beside}"] / 20
        report(f"{what} one model description", ratio=seconds / theirs, seconds=seconds, reference=theirs)
    other = os.environ.get("BMZ_OTHER_PYTHON")
    if other is not None:
        script, path = Path(__file__).with_name("structure_model.py"), str(models / "bioimageio.yaml")
        rounds = [[script_result(python, script, path)["structure"] for python in (sys.executable, other)] for _ in range(5)]
        ours, theirs = (median(each) for each in zip(*rounds, strict=True))
        report("structure one model description, beside another release", ratio=ours / theirs, microseconds=ours, other=theirs)


if __name__ == "__main__":
    main()
