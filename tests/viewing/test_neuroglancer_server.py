"""What the server of the viewer gives to a browser, asked without one."""

from __future__ import annotations

import json
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import zarr

import bioimageio_core as bc
from bioimageio_core.errors import InputError, MissingRequirementError, PredictionWarning
from bioimageio_core.viewing import segment_properties as properties
from bioimageio_core.viewing.layer import Channel
from bioimageio_core.viewing.layers import layers_of
from bioimageio_core.viewing.neuroglancer_viewer import NeuroglancerView, view_in_neuroglancer

pytest.importorskip("neuroglancer")
RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.integers(0, 60000, (2, 70, 90), np.uint16)
LABELS = RANDOM.integers(0, 9, (70, 90), np.uint32)
TABLE = {
    "id": np.arange(1, 9),
    "pixels": np.bincount(LABELS.ravel())[1:],
    "mean": np.array([0.5, np.nan, *range(6)]),
    "touches_edge": np.arange(8) > 3,
    "big": np.arange(8) * 2**40,
    "name": np.array([f"cell {n}" for n in range(8)], object),
}


@pytest.fixture(scope="module")
def shown() -> Iterator[NeuroglancerView]:
    """An image of two channels, with labels and their table."""
    with view_in_neuroglancer(layers_of(IMAGE, labels=LABELS, table=TABLE, axes=None)) as opened:
        yield opened


def base(shown: NeuroglancerView) -> str:
    return shown.url.partition("/v/")[0]


def token(shown: NeuroglancerView) -> str:
    return shown.url.rstrip("/").rpartition("/")[2]


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return bytes(answer.read())


def state(shown: NeuroglancerView) -> Any:
    """Return the state as the page gets it."""
    query = f"{base(shown)}/events/{token(shown)}?c=test&gc=none&gs=none"
    with urllib.request.urlopen(query, timeout=20) as answer:
        for _ in range(20):
            line = answer.readline().decode()
            if line.startswith("data: ") and (message := json.loads(line[6:]))["k"] == "s":
                return message["s"]
    raise AssertionError("no state")


def source(layer: dict[str, Any]) -> str:
    return str(layer["source"][0]["url"]).rpartition("/")[2]


pytestmark = pytest.mark.filterwarnings("ignore::bioimageio_core.errors.PredictionWarning")


class TestPixels:
    """By the protocol of neuroglancer's own client."""

    def test_info(self, shown: NeuroglancerView) -> None:
        """Names, sizes and dtypes; channels are a dimension of their own."""
        image, labels = state(shown)["layers"]
        info = json.loads(get(f"{base(shown)}/neuroglancer/info/{source(image)}"))
        assert (info["shape"], info["dataType"], info["volumeType"]) == ([90, 70, 1, 2], "uint16", "image")
        assert list(info["coordinateSpace"]) == ["x", "y", "z", "c^"]
        info = json.loads(get(f"{base(shown)}/neuroglancer/info/{source(labels)}"))
        assert (info["shape"], info["dataType"], info["volumeType"]) == ([90, 70, 1], "uint32", "segmentation")

    def test_chunks(self, shown: NeuroglancerView) -> None:
        """Pixels follow each other along x, then y, then channels; cells of labels are their first pixels."""
        image, labels = state(shown)["layers"]
        chunk = get(f"{base(shown)}/neuroglancer/raw/{source(image)}/1,1,1,1/64,0,0,0/90,70,1,2")
        np.testing.assert_array_equal(np.frombuffer(chunk, "<u2").reshape(2, 70, 26), IMAGE[:, :, 64:])
        chunk = get(f"{base(shown)}/neuroglancer/raw/{source(labels)}/4,2,1/0,0,0/23,35,1")
        np.testing.assert_array_equal(np.frombuffer(chunk, "<u4").reshape(35, 23), LABELS[::2, ::4])

    @pytest.mark.parametrize(
        "asked", ["raw/{}/1,1,1/0,0,0/91,70,1", "raw/{}/1,1/0,0/90,70", "npz/{}/1,1,1/0,0,0/9,9,1", "raw/{}/0,1,1/0,0,0/9,9,1"]
    )
    def test_strange_chunks(self, shown: NeuroglancerView, asked: str) -> None:
        """Are refused."""
        labels = state(shown)["layers"][1]
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(f"{base(shown)}/neuroglancer/{asked.format(source(labels))}")
        assert refused.value.code == 400

    def test_huge_chunks(self) -> None:
        """Are refused before they are read."""

        class Large:
            shape, dtype = (100_000, 100_000), np.dtype("uint8")

            def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
                assert max(s.stop - s.start for s in index) < 10_000
                return np.zeros([s.stop - s.start for s in index], np.uint8)

        with view_in_neuroglancer(layers_of(Large(), axes="yx")) as opened:
            key = source(state(opened)["layers"][0])
            with pytest.raises(urllib.error.HTTPError) as refused:
                get(f"{base(opened)}/neuroglancer/raw/{key}/1,1,1/0,0,0/90000,90000,1")
        assert refused.value.code == 400

    def test_damaged_chunks(self, tmp_path: Path) -> None:
        """Are left out by the browser, with a warning that names them; all others are shown."""
        zarr.create_array(str(tmp_path / "cells.zarr"), data=IMAGE[0], chunks=(70, 45), dimension_names=("y", "x"))
        (tmp_path / "cells.zarr" / "c" / "0" / "1").write_bytes(b"damaged")
        with view_in_neuroglancer(layers_of(labels=tmp_path / "cells.zarr")) as opened:
            key = source(state(opened)["layers"][0])
            left = get(f"{base(opened)}/neuroglancer/raw/{key}/1,1,1/0,0,0/45,70,1")
            np.testing.assert_array_equal(np.frombuffer(left, "<u2").reshape(70, 45), IMAGE[0, :, :45])
            with pytest.warns(PredictionWarning, match="cells.zarr"), pytest.raises(urllib.error.HTTPError) as refused:
                get(f"{base(opened)}/neuroglancer/raw/{key}/1,1,1/45,0,0/90,70,1")
        assert refused.value.code == 400

    def test_no_surfaces(self, shown: NeuroglancerView) -> None:
        """No request makes the server read all labels."""
        labels = state(shown)["layers"][1]
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(f"{base(shown)}/neuroglancer/mesh/{source(labels)}/1")
        assert refused.value.code == 400


class TestState:
    """What the page shows."""

    def test_layers(self, shown: NeuroglancerView) -> None:
        """An image with a control for each channel, under labels."""
        image, labels = state(shown)["layers"]
        assert (image["type"], labels["type"]) == ("image", "segmentation")
        for channel in layers_of(IMAGE)[0].channels:
            low, high = map(round, channel.limits)
            assert f"range=[{low}, {high}]" in image["shader"]
            assert f"#{''.join(f'{part:02x}' for part in channel.colour)}" in image["shader"]

    def test_table(self, shown: NeuroglancerView) -> None:
        """The properties of segments: numbers of at most 32 bits, and NaN, which JSON lacks."""
        url = state(shown)["layers"][1]["source"][1]["url"]
        found = json.loads(get(f"{url.removeprefix('precomputed://')}/info"))
        assert found["@type"] == "neuroglancer_segment_properties"
        assert found["inline"]["ids"] == list("12345678")
        columns = {one["id"]: one for one in found["inline"]["properties"]}
        assert columns["pixels"] == {"id": "pixels", "type": "number", "data_type": "uint32", "values": TABLE["pixels"].tolist()}
        assert columns["mean"]["values"] == [0.5, "NaN", 0, 1, 2, 3, 4, 5]
        assert (columns["touches_edge"]["data_type"], columns["big"]["data_type"]) == ("uint8", "float32")
        assert (columns["name"]["type"], columns["name"]["values"][3]) == ("label", "cell 3")

    def test_colours(self) -> None:
        """Labels have the colours of their file."""
        (layer,) = layers_of(labels=LABELS)
        with view_in_neuroglancer([attrs.evolve(layer, colours={3: (255, 128, 0)})]) as opened:
            assert state(opened)["layers"][0]["segmentColors"] == {"3": "#ff8000"}

    def test_volumes(self) -> None:
        """Are shown in three planes, at the middle."""
        with view_in_neuroglancer(layers_of(np.zeros((3, 20, 30, 40), np.uint8), axes="tzyx")) as opened:
            found = state(opened)
        assert (found["layout"], found["position"]) == ("4panel-alt", [20.5, 15.5, 10.5, 0.5])
        assert list(found["dimensions"]) == ["x", "y", "z", "t"]

    def test_transparency(self) -> None:
        """Of pictures, the three colours are channels of one picture."""
        pixels = RANDOM.integers(0, 255, (4, 20, 30), np.uint8)
        from bioimageio_core.io import open_image
        from bioimageio_core.viewing.make_layer import image_layer

        names = ("red", "green", "blue", "alpha")
        layer = image_layer("picture", [attrs.evolve(open_image(pixels, axes="cyx"), channel_names=names)])
        with view_in_neuroglancer([layer]) as opened:
            found = state(opened)["layers"][0]
            info = json.loads(get(f"{base(opened)}/neuroglancer/info/{source(found)}"))
        assert list(info["coordinateSpace"]) == ["x", "y", "z", "c^"]
        assert "range=[0, 255]" in found["shader"]

    def test_names_of_channels(self) -> None:
        """Names that are no names of variables, and equal ones, have controls of their own."""
        (layer,) = layers_of(IMAGE)
        channels = [Channel(name="α 488/GFP", colour=(1, 2, 3), limits=(0, 1), window=(0, 1))] * 2
        with view_in_neuroglancer([attrs.evolve(layer, channels=tuple(channels))]) as opened:
            shader = state(opened)["layers"][0]["shader"]
        assert "invlerp c0_488_gfp(" in shader
        assert "invlerp c1_488_gfp(" in shader

    def test_long_tables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of tables with more rows than browsers take, the first are listed, with a warning."""
        monkeypatch.setattr(properties, "MOST_ROWS", 3)
        with pytest.warns(PredictionWarning, match="has 8 rows"):
            found = properties.segment_properties(TABLE, "cells")
        assert {len(one["values"]) for one in found["inline"]["properties"]} == {3}


class TestAccess:
    """Who reaches the pixels."""

    @pytest.mark.skipif(sys.platform != "linux", reason="the other addresses of the loopback interface are those of Linux")
    def test_loopback_only(self, shown: NeuroglancerView) -> None:
        """The server listens on 127.0.0.1 alone, on a system where all of 127.0.0.0/8 is loopback."""
        port = int(base(shown).rpartition(":")[2])
        assert base(shown) == f"http://127.0.0.1:{port}"
        with socket.socket() as tried, pytest.raises(ConnectionRefusedError):
            tried.connect(("127.0.0.2", port))  # which is this machine, too

    def test_token(self, shown: NeuroglancerView) -> None:
        """Without it there is neither the page, nor its state, nor pixels, nor tables."""
        key = source(state(shown)["layers"][0])
        other = "0" * 40
        for path in (
            f"/v/{other}/",
            f"/events/{other}?c=test&gc=none&gs=none",
            f"/neuroglancer/info/{other}.{key.partition('.')[2]}",
            f"/neuroglancer/raw/{other}.{key.partition('.')[2]}/1,1,1,1/0,0,0,0/9,9,1,2",
            f"/objects/{other}/0/info",
            "/",
        ):
            with pytest.raises(urllib.error.HTTPError) as refused:
                get(base(shown) + path)
            assert refused.value.code == 404

    def test_no_credentials(self, shown: NeuroglancerView) -> None:
        """The page cannot ask for accounts of the user."""
        request = urllib.request.Request(f"{base(shown)}/credentials/{token(shown)}", data=b'{"key": "google"}')
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        assert refused.value.code == 403

    def test_page(self, shown: NeuroglancerView) -> None:
        """With the token, the page and its programs come from the installed package."""
        page = get(shown.url).decode()
        script = page.partition('src="')[2].partition('"')[0]
        assert len(get(shown.url + script)) > 1000


class TestView:
    """The object that `view` returns."""

    def test_closed(self) -> None:
        """A closed view answers nothing; closing twice does nothing."""
        opened = bc.view(LABELS, open_browser=False)
        assert repr(opened) == f"<view of array: {opened.url}>"
        assert f'href="{opened.url}"' in opened._repr_html_()
        assert get(opened.url)
        opened.close()
        opened.close()
        assert "closed" in repr(opened)
        assert opened.url not in opened._repr_html_()
        with pytest.raises(OSError, match=r"refused|closed|reset"):
            get(opened.url)

    def test_two_at_once(self) -> None:
        """Each has its own server and pixels."""
        with bc.view(LABELS, open_browser=False) as one, bc.view(IMAGE, open_browser=False) as other:
            assert base(one) != base(other)
            assert len(state(one)["layers"]) == len(state(other)["layers"]) == 1

    def test_stays_alive(self) -> None:
        """A view that is not kept is shown until the process ends."""
        import gc

        url = bc.view(LABELS, open_browser=False).url
        gc.collect()
        assert get(url)

    def test_port(self) -> None:
        """May be chosen; one that is taken is an error."""
        with bc.view(LABELS, open_browser=False) as opened:
            port = int(base(opened).rpartition(":")[2])
            with pytest.raises(InputError, match=str(port)):
                bc.view(LABELS, open_browser=False, port=port)
        with bc.view(LABELS, open_browser=False, port=port) as again:
            assert base(again).endswith(f":{port}")

    def test_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the package, an error says what to install."""
        monkeypatch.setitem(sys.modules, "neuroglancer.server", None)
        monkeypatch.setitem(sys.modules, "neuroglancer", None)
        with pytest.raises(MissingRequirementError, match=r"bioimageio-runtime\[view\]"):
            bc.view(LABELS, open_browser=False)
        monkeypatch.setitem(sys.modules, "napari", None)
        with pytest.raises(MissingRequirementError, match=r"pip install 'napari\[all\]'"):
            bc.view(LABELS, napari=True)

    def test_html_is_escaped(self, tmp_path: Path) -> None:
        """Names of files cannot change a notebook."""
        np.save(tmp_path / "<b>.npy", LABELS)
        with bc.view(tmp_path / "<b>.npy", open_browser=False) as opened:
            assert "<b>" not in opened._repr_html_()
