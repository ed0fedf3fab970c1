"""Time to validate and to update one model description, from parsed YAML to report, beside the reference implementation.

Promised: half of what the reference takes to validate a 0.5 model, a tenth of what it takes to update a 0.4 model.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

from measuring import interleaved, report

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

    with judge.context, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        medians = interleaved(
            {
                "validate": many(lambda: bc.validate(new)),
                "reference validate": many(lambda: judge.build(new)),
                "update": many(lambda: bc.update_format(old)),
                "reference update": many(lambda: judge.build(old, "latest")),
            },
            rounds=9,
        )
    for what in ("validate", "update"):
        seconds, theirs = medians[what] / 20, medians[f"reference {what}"] / 20
        report(f"{what} one model description", ratio=seconds / theirs, seconds=seconds, reference=theirs)


if __name__ == "__main__":
    main()
