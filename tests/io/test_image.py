import pickle
from typing import Any

import attrs
import dask.array as da
import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given
from hypothesis import strategies as st

from bioimageio_core.errors import AxesError, ChannelError, SourceError
from bioimageio_core.io import open_image
from bioimageio_core.io.reading.chunk_cache import ChunkCache

DATA = np.arange(3 * 20 * 24, dtype="uint16").reshape(3, 20, 24)
REGION = (slice(1, 3), slice(4, 9), slice(0, 24))


class TestArrays:
    def test_numpy(self) -> None:
        """A region is a copy: writing to it leaves the source alone."""
        data = DATA.copy()
        image = open_image(data)
        region = image.read(REGION)
        assert np.array_equal(region, DATA[REGION])
        region[:] = 0
        assert np.array_equal(data, DATA)
        assert (image.shape, image.dtype, image.axes) == ((3, 20, 24), np.dtype("uint16"), None)

    @pytest.mark.parametrize("kind", ["dask", "xarray", "zarr", "kept"])
    def test_regions_are_copies(self, kind: str) -> None:
        """Whole or in part, whoever reads may write to what it got."""
        data = DATA.copy()
        made = {
            "dask": lambda: da.from_array(data, chunks=-1),
            "xarray": lambda: xr.DataArray(data, dims=("c", "y", "x")),
            "zarr": lambda: zarr.array(data, chunks=data.shape),
            "kept": lambda: zarr.array(data, chunks=(3, 7, 24)),
        }
        image = open_image(made[kind]())
        if kind == "kept":
            reader = ChunkCache(image.reader, shape=image.shape, chunks=(3, 7, 24), dtype=image.dtype, limit=10**6)
            image = attrs.evolve(image, reader=reader)
        for index in ((slice(0, 3), slice(0, 20), slice(0, 24)), (slice(0, 3), slice(0, 7), slice(0, 24)), REGION):
            for _ in range(2):
                region = image.read(index)
                assert np.array_equal(region, DATA[index])
                region[:] = 0
        assert np.array_equal(data, DATA)

    def test_byte_order_becomes_native(self) -> None:
        """Frameworks take native byte order only."""
        region = open_image(DATA.astype(">u2")).read(REGION)
        assert region.dtype.isnative
        assert np.array_equal(region, DATA[REGION])

    def test_dask_reads_only_needed_chunks(self) -> None:
        """A chunk outside the region is never computed."""

        def load(block: np.ndarray, block_info: dict) -> np.ndarray:
            assert block_info[0]["chunk-location"] == (0, 1, 0), "another chunk was computed"
            return block

        lazy = da.from_array(DATA, chunks=(3, 10, 24)).map_blocks(load, dtype=DATA.dtype, meta=DATA)
        image = open_image(lazy, axes="zyx")
        region = (slice(0, 3), slice(12, 15), slice(0, 2))
        assert image.chunks == (3, 10, 24)
        assert np.array_equal(image.read(region), DATA[region])

    @pytest.mark.parametrize("lazy", [False, True])
    def test_xarray(self, lazy: bool) -> None:
        """The dims are the axes, text coordinates of the channel are its names."""
        array = xr.DataArray(
            da.from_array(DATA) if lazy else DATA, dims=("c", "y", "x"), coords={"c": ["dapi", "gfp", "rfp"]}, name="cells"
        )
        image = open_image(array)
        assert (image.name, image.axes, image.channel_names) == ("cells", ("channel", "y", "x"), ("dapi", "gfp", "rfp"))
        assert np.array_equal(image.read(REGION), DATA[REGION])

    def test_xarray_without_names(self) -> None:
        """The dims that xarray makes up say nothing."""
        assert open_image(xr.DataArray(DATA)).axes is None

    def test_zarr_array(self) -> None:
        """An open zarr array is an image as it is."""
        array = zarr.create_array({}, data=DATA, chunks=(1, 10, 10), dimension_names=("z", "y", "x"))
        image = open_image(array)
        assert (image.axes, image.chunks) == (("z", "y", "x"), (1, 10, 10))
        assert np.array_equal(image.read(REGION), DATA[REGION])

    @pytest.mark.parametrize("dtype", ["complex64", "object", "V4", "U3", "M8[s]"])
    def test_not_real_numbers(self, dtype: str) -> None:
        """What is no real number is refused by its dtype."""
        with pytest.raises(SourceError, match="not real numbers"):
            open_image(np.zeros((4, 4), dtype))

    @pytest.mark.parametrize("source", [[[1, 2]], 3, None, b"x".join])
    def test_not_an_image(self, source: object) -> None:
        """Other objects are refused by their type."""
        with pytest.raises(SourceError, match="expected an array, a path or a URL"):
            open_image(source)

    def test_a_number_is_no_image(self) -> None:
        """An array without axes is refused."""
        with pytest.raises(SourceError, match="single number"):
            open_image(np.array(3))

    @pytest.mark.parametrize("kind", ["dask", "own"])
    def test_another_shape(self, kind: str) -> None:
        """Regions of another shape than the array declares are an error, with the usual reason."""

        class Short:
            shape, dtype, ndim = (64, 64), np.dtype("float32"), 2

            def __getitem__(self, index: Any) -> Any:
                return np.zeros((64, 64), np.float32)[index][:10]

        halved = da.zeros((64, 64), chunks=32, dtype="float32").map_blocks(lambda block: block[::2, ::2], dtype="float32")
        image = open_image(halved if kind == "dask" else Short())
        with pytest.raises(SourceError, match=r"array has regions of another shape than it declares: expected \(32, 32\), found \(1[06], "):
            image.read((slice(0, 32), slice(0, 32)))

    def test_values_that_the_dtype_cannot_hold(self) -> None:
        """Blocks of another dtype are taken where their values fit, and refused where they do not."""
        for factor, fits in ((1.0, True), (0.5, False), (300.0, False)):
            blocks = da.arange(4, chunks=4, dtype="uint8").map_blocks(lambda block, factor=factor: block * factor, dtype="uint8")
            image = open_image(blocks.reshape(2, 2))
            if fits:
                assert image.read((slice(0, 2), slice(0, 2))).tolist() == [[0, 1], [2, 3]]
                continue
            with pytest.raises(SourceError, match=r"declares the dtype uint8 has regions of float64 with values that uint8 cannot hold"):
                image.read((slice(0, 2), slice(0, 2)))

    def test_step(self) -> None:
        """Regions have step 1."""
        with pytest.raises(ValueError, match="step 1"):
            open_image(DATA).read((slice(0, 3, 2), slice(0, 1), slice(0, 1)))

    def test_pickled(self) -> None:
        """An array in memory travels along."""
        image = pickle.loads(pickle.dumps(open_image(DATA, axes="cyx").select("channel", [2, 0])))
        assert np.array_equal(image.read((slice(None),) * 3), DATA[[2, 0]])


class TestAxes:
    def test_given_axes_win(self) -> None:
        """The user knows better than the file."""
        assert open_image(xr.DataArray(DATA, dims=("z", "y", "x")), axes="tyx").axes == ("time", "y", "x")

    def test_wrong_number(self) -> None:
        """The error tells the shape and the axes given."""
        with pytest.raises(AxesError, match=r"array has 3 axes \(shape \(3, 20, 24\)\), and axes= is 'yx'"):
            open_image(DATA, axes="yx")


class TestSelect:
    def test_axis_is_kept(self) -> None:
        """One position leaves an axis of size 1."""
        image = open_image(DATA, axes="cyx").select("channel", -1)
        assert image.shape == (1, 20, 24)
        assert np.array_equal(image.read((slice(None),) * 3), DATA[2:])

    def test_by_name(self) -> None:
        """Channels are known by name where the source names them; names follow the selection."""
        array = xr.DataArray(DATA, dims=("c", "y", "x"), coords={"c": ["dapi", "gfp", "rfp"]})
        image = open_image(array).select("channel", ["rfp", "dapi"])
        assert image.channel_names == ("rfp", "dapi")
        assert np.array_equal(image.read((slice(0, 1), slice(2, 4), slice(0, 24))), DATA[2:, 2:4])
        assert image.select("channel", "dapi").channel_names == ("dapi",)

    def test_unknown_channel(self) -> None:
        """The error names the channels that there are."""
        array = xr.DataArray(DATA, dims=("c", "y", "x"), coords={"c": ["dapi", "gfp", "rfp"]})
        with pytest.raises(ChannelError, match=r"3 channels \(dapi, gfp, rfp\), counted from 0: found 'cy5'"):
            open_image(array).select("channel", "cy5")

    def test_no_such_axis(self) -> None:
        """The error names the axes that there are."""
        with pytest.raises(AxesError, match="no axis 'channel'"):
            open_image(DATA, axes="zyx").select("channel", 0)

    @given(data=st.data())
    def test_crops_and_selections_compose(self, data: st.DataObject) -> None:
        """Any order of crops and selections reads what numpy would."""
        image, expected = open_image(DATA, axes="cyx"), DATA
        for _ in range(data.draw(st.integers(1, 4))):
            if data.draw(st.booleans()):
                region = []
                for size in expected.shape:
                    begin = data.draw(st.integers(0, size - 1))
                    region.append(slice(begin, data.draw(st.integers(begin + 1, size))))
                image, expected = image.crop(tuple(region)), expected[tuple(region)]
            else:
                chosen = data.draw(st.lists(st.integers(0, expected.shape[0] - 1), min_size=1, max_size=4))
                image, expected = image.select("channel", chosen), expected[chosen]
        assert image.shape == expected.shape
        region = (slice(None), slice(0, 5), slice(1, None))
        assert np.array_equal(image.read(region), expected[region])
