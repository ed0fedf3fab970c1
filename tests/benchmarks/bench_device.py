"""A device that is fast: how much of its time it computes, and what a prediction costs beside it.

The device is simulated (`simulated_device`), so no machine needs one. Utilisation is the time that it computes over the time that the
prediction takes. Promised for two cores, blocks of 512 x 512 that take 4 ms: 0.95 from zarr, 0.9 from TIFF and from a slow server (50 ms a
request); 0.8 for 2 ms. Processor time beside a network that takes no time: 1.25 times that of a hand-written loop (`hand_written`), which
measures mean and deviation, scales, compresses and writes as well; a third of it with Python's lock held, at most.
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # what tests share

from made_models import BATCH, channels, follows, save_description_0_5, space, tensor
from measuring import camera_counts, report, script_result
from simulated_device import install, save_weights

ROUNDS = 3
SIZE_2D, SIZE_3D, FRAMES = 16384, 768, 4096
NORMALISED = {"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": 1000.0, "std": 250.0}}
MEASURED = {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "y", "x"]}}
HERE = Path(__file__).parent


def save_model(folder: Path, axes: str, milliseconds: float, pre: dict[str, Any]) -> Path:
    """Write a model whose network takes so long for each block."""
    folder.mkdir()
    save_weights(folder / "weights.json", fixed=milliseconds)
    sizes = {a: space(a, {"min": 64, "step": 16}) for a in axes}
    raw = tensor("raw", BATCH, channels(), *sizes.values(), preprocessing=[pre])
    out = tensor("out", BATCH, channels(), *(space(a, follows(a)) for a in axes))
    return save_description_0_5(folder, [raw], [out], weights={"simulated": {"source": "weights.json"}})


def write_zarr(path: Path, shape: tuple[int, ...], chunk: int) -> Path:
    """Write an image, slab by slab, compressed by LZ4."""
    import zarr
    from zarr.codecs import BloscCodec

    names = "zyx"[-len(shape) :]
    codec = BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle")
    array = zarr.create_array(
        str(path), shape=shape, chunks=(chunk,) * len(shape), dtype="uint16", dimension_names=tuple(names), compressors=codec
    )
    for start in range(0, shape[0], chunk):
        array[start : start + chunk] = camera_counts(start, (chunk, *shape[1:]))
    return path


def write_tiff(path: Path, size: int) -> Path:
    """Write an image in tiles of 512 x 512, compressed by deflate."""
    import tifffile

    tifffile.imwrite(path, camera_counts(0, (size, size)), tile=(512, 512), compression="zlib", metadata={"axes": "YX"})
    return path


@contextmanager
def slow_server(folder: Path) -> Iterator[str]:
    """Serve a folder from a process of its own, each answer after 50 ms; yield its URL."""
    with subprocess.Popen([sys.executable, __file__, "serve", str(folder)], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.terminate()


class SlowHandler(http.server.SimpleHTTPRequestHandler):
    """Answers after 50 ms."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send a file."""
        time.sleep(0.05)
        super().do_GET()

    def log_message(self, *args: Any) -> None:
        """Print nothing."""


def serve(folder: str) -> None:
    """Serve until the process is ended; print the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(SlowHandler, directory=folder))
    print(server.server_port, flush=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    thread.join()


def utilisation(case: dict[str, Any], milliseconds: float, variables: dict[str, str]) -> dict[str, Any]:
    """Run a case in a process of its own, and return what it takes."""
    found = script_result(sys.executable, HERE / "device_run.py", json.dumps(case), variables=variables)
    shutil.rmtree(case["output"])
    shutil.rmtree(case["output"] + ".small.zarr", ignore_errors=True)
    found["utilisation"] = found["blocks"] * milliseconds / 1e3 / (found["seconds"] * found["devices"])
    return found


def lock_share(case: dict[str, Any], variables: dict[str, str], folder: Path) -> float | None:
    """Return the share of processor time with Python's lock held, by samples of py-spy; None where that is not installed."""
    spy = Path(sys.executable).with_name("py-spy")
    if not spy.exists():
        return None
    samples = folder / "samples.txt"
    record = [str(spy), "record", "--gil", "--rate", "250", "--format", "raw", "--output", str(samples), "--"]
    command = [*record, sys.executable, str(HERE / "device_run.py"), json.dumps(case)]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=True)
    found = next(json.loads(line) for line in reversed(done.stdout.splitlines()) if line.startswith("{"))
    shutil.rmtree(case["output"])
    held = sum(int(line.rsplit(" ", 1)[1]) for line in samples.read_text().splitlines() if "run_plan" in line or "_worker (" in line)
    return held / 250 / float(found["cpu"])


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        site = folder / "site"
        site.mkdir()
        install(site)
        variables = {"PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)}
        plane, volume = write_zarr(folder / "plane.zarr", (SIZE_2D,) * 2, 512), write_zarr(folder / "volume.zarr", (SIZE_3D,) * 3, 128)
        small = {"yx": write_zarr(folder / "small.zarr", (1024,) * 2, 512), "zyx": write_zarr(folder / "small3d.zarr", (256,) * 3, 128)}
        tiff = write_tiff(folder / "plane.tif", SIZE_2D)
        with slow_server(folder) as url:
            cases = [
                *((f"2D, {ms} ms, zarr, threads", "yx", 512, ms, str(plane), "threads") for ms in (1, 2, 4, 10)),
                *((f"3D, {ms} ms, zarr, threads", "zyx", 128, ms, str(volume), "threads") for ms in (5, 20)),
                ("2D, 4 ms, TIFF, threads", "yx", 512, 4, str(tiff), "threads"),
                ("2D, 4 ms, slow server, threads", "yx", 512, 4, f"{url}/plane.zarr", "threads"),
                ("2D, 4 ms, zarr, processes", "yx", 512, 4, str(plane), "processes"),
                ("2D, 4 ms, zarr, cluster", "yx", 512, 4, str(plane), "cluster"),
            ]
            for number, (name, axes, block, ms, image, way) in enumerate(cases):
                case = {"model": str(save_model(folder / str(number), axes, ms, NORMALISED)), "image": image, "small": str(small[axes])}
                case |= {"output": str(folder / "out.zarr"), "block": dict.fromkeys(axes, block), "way": way}
                runs = [utilisation(case, ms, variables) for _ in range(ROUNDS)]
                stages = {s: median(r["times"].get(s, 0.0) for r in runs) for s in ("read", "preprocess", "predict", "write")}
                report(name, **{key: median(r[key] for r in runs) for key in ("utilisation", "seconds")}, **stages)
        beside(folder, plane, variables)
        batches(folder, variables)


def batches(folder: Path, variables: dict[str, str]) -> None:
    """Compare frames one by one with the batches that the measured network gets: 3 ms for each call, 0.2 ms for each item."""
    import zarr

    frames = folder / "frames.zarr"
    array = zarr.create_array(
        str(frames), shape=(FRAMES, 256, 256), chunks=(16, 256, 256), dtype="uint16", dimension_names=("time", "y", "x")
    )
    for start in range(0, FRAMES, 16):
        array[start : start + 16] = camera_counts(start, (16, 256, 256))
    model = save_model(folder / "per_item", "yx", 3, NORMALISED)
    save_weights(model / "weights.json", fixed=3, per_item=0.2)
    for probe in (False, True):
        own = {**variables, "BMZ_CACHE": str(folder / f"cache{probe}")}
        case = {
            "model": str(model),
            "image": str(frames),
            "output": str(folder / "out.zarr"),
            "way": "threads",
            "block": {},
            "probe": probe,
        }
        runs = [utilisation(case, 3.2, own) for _ in range(ROUNDS)]
        report(
            "frames, measured" if probe else "frames, not measured",
            per_call=runs[-1]["batch"],
            per_second=FRAMES / median(r["seconds"] for r in runs),
            of_device_in_batches=median(FRAMES / r["batch"] * (3 + 0.2 * r["batch"]) / 1e3 / r["seconds"] for r in runs),
        )


def beside(folder: Path, plane: Path, variables: dict[str, str]) -> None:
    """Compare processor time with that of the hand-written loop, in turns."""
    case = {"model": str(save_model(folder / "measured", "yx", 0, MEASURED)), "image": str(plane), "way": "threads"}
    case |= {"output": str(folder / "out.zarr"), "block": dict.fromkeys("yx", 512)}
    ours, theirs = [], []
    for _ in range(ROUNDS + 2):
        theirs.append(script_result(sys.executable, HERE / "hand_written.py", str(plane), str(folder / "hand.zarr"))["cpu"])
        shutil.rmtree(folder / "hand.zarr")
        ours.append(utilisation(case, 0, variables)["cpu"])
    per_pixel = 1e9 / SIZE_2D**2
    share = lock_share(case, variables, folder)
    report(
        "processor time beside the network",
        library_ns=median(ours) * per_pixel,
        hand_written_ns=median(theirs) * per_pixel,
        ratio=median(o / t for o, t in zip(ours, theirs, strict=True)),
        lock_held="py-spy is not installed" if share is None else format(share, ".2f"),
    )


if __name__ == "__main__":
    serve(sys.argv[2]) if sys.argv[1:2] == ["serve"] else main()
