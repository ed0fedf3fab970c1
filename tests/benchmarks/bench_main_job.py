"""4096 x 4096 zarr to zarr, against as many bare calls of ONNX Runtime with two threads. Promised: at most 1.1 times."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort
from measuring import interleaved, model_folder, report, write_noise

import bioimageio_core as bc

SIZE = 4096


def main() -> None:
    """Measure and print."""
    model = model_folder("unet2d_nuclei_broad")
    with tempfile.TemporaryDirectory() as folder:
        image = write_noise(Path(folder) / "image.zarr", SIZE)
        output = Path(folder) / "result.zarr"
        options = ort.SessionOptions()
        options.intra_op_num_threads = 2
        session = ort.InferenceSession(str(model / "weights.onnx"), options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        block = np.random.default_rng(0).random((1, 1, 512, 512), dtype=np.float32)
        with bc.open_predictor(model, weights_format="onnx") as predictor:
            calls = predictor.plan(image).regions.block_count
            predictor.predict(image, str(output))  # loads the network, as the session is loaded
            medians = interleaved(
                {
                    "bare": lambda: [session.run(None, {name: block}) for _ in range(calls)],
                    "predict": lambda: predictor.predict(image, str(output), overwrite=True),
                },
                rounds=3,
            )
    report(
        f"main job, {SIZE} x {SIZE} in {calls} blocks",
        seconds=medians["predict"],
        bare_seconds=medians["bare"],
        ratio=medians["predict"] / medians["bare"],
    )


if __name__ == "__main__":
    main()
