"""Pictures as arrays: axes, dtypes and pixel sizes of what Pillow decodes."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...errors import MissingRequirementError, SourceError
from ...io.locations import file_system, local_path
from ...io.reading.arrays_of_others import CHANNELS_OF_PICTURES
from ...io.reading.image import PixelSize
from ...io.reading.tiff_metadata import is_measured
from ...text import in_brief
from ...typing import AxisId, FrozenMapping
from .gif_blocks import is_complete_gif

if TYPE_CHECKING:
    from PIL import Image as Pillow

__all__ = ["Picture", "PictureArray", "describe_picture"]

FORMATS = ("PNG", "JPEG", "BMP", "DIB", "GIF", "WEBP")
"""Formats that Pillow may read; others, such as EPS, would start further programs."""

ANIMATED = ("GIF", "PNG", "WEBP")
"""Formats whose frames are one image over time. Those of MPO are previews and depth maps beside a JPEG picture."""

DTYPES: Mapping[str, type[np.generic]] = FrozenMapping({"1": np.bool_, "I;16": np.uint16, "I": np.int32, "F": np.float32})
"""Dtypes by Pillow's name of the kind of pixels; that of all others is uint8."""

REFUSED: Mapping[str, str] = FrozenMapping(
    {"CMYK": "inks (CMYK)", "YCbCr": "brightness and two colours (YCbCr)", "LAB": "colours of CIE Lab", "HSV": "hue and saturation (HSV)"}
)
"""Kinds of pixels that only a colour profile turns into red, green and blue."""

ORIENTATION = 0x0112
"""The EXIF tag that tells how the camera was held."""

PNG_BITS = slice(24, 26)
"""Bytes of a PNG file that hold the number of bits of a colour, and the type of colours."""


@attrs.frozen(kw_only=True)
class Picture:
    """What is known of a picture before its pixels are decoded."""

    kind: str
    """Pillow's name of the kind of pixels that it is read as: a key of `CHANNELS_OF_PICTURES` or `DTYPES`, or ``L``."""

    frames: int
    """Number of frames of an animation; 1 for all others."""

    height: int
    width: int
    deep: bool
    """Whether it has 16 bits for each of several channels, which Pillow reduces to 8."""

    pixel_size: FrozenMapping[AxisId, PixelSize]

    @property
    def channel_names(self) -> tuple[str, ...] | None:
        """Names of its channels, if it has an axis of channels."""
        return CHANNELS_OF_PICTURES.get(self.kind)

    @property
    def axes(self) -> tuple[AxisId, ...]:
        """Time for animations, y, x, and channel for pictures with colours or transparency."""
        return (*(("time",) if self.frames > 1 else ()), "y", "x", *(("channel",) if self.channel_names else ()))

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes along the axes."""
        channels = () if self.channel_names is None else (len(self.channel_names),)
        return (*((self.frames,) if self.frames > 1 else ()), self.height, self.width, *channels)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Bool, uint8, uint16, int32 or float32."""
        return np.dtype(np.uint16 if self.deep else DTYPES.get(self.kind, np.uint8))

    @property
    def chunks(self) -> tuple[int, ...]:
        """A frame, which is decoded at once."""
        return (1, *self.shape[1:]) if self.frames > 1 else self.shape


def describe_picture(location: str) -> Picture:
    """Read what is known of a picture at a path or URL, without decoding its pixels; of grey animations, all frames are decoded once.

    Raises:
        SourceError: Its colours are not red, green and blue, or it has more pixels than Pillow decodes.

    """
    with _opened(location) as (picture, deep):
        if picture.mode in REFUSED:
            raise SourceError(f"{location} holds {REFUSED[picture.mode]}: expected grey or red, green and blue; save it as RGB before")
        frames = getattr(picture, "n_frames", 1) if picture.format in ANIMATED else 1
        kind = _kind(picture, frames)
        width, height = picture.size
        sizes = dict(zip(("x", "y"), _lengths(picture), strict=True))
        if _orientation(picture) >= 5:  # x and y are exchanged
            width, height, sizes = height, width, {"x": sizes["y"], "y": sizes["x"]}
    known = {axis: (size, "inch") for axis, size in sizes.items() if size}
    return Picture(kind=kind, frames=frames, height=height, width=width, deep=deep, pixel_size=FrozenMapping(known))


class PictureArray:
    """A picture as an array; keeps the frame that was read last.

    Args:
        location: Path or URL.
        picture: What is known of it.

    """

    def __init__(self, location: str, picture: Picture) -> None:
        self._location = location
        self._picture = picture
        self._kept: tuple[int, NDArray[Any]] | None = None
        self.shape, self.dtype = picture.shape, picture.dtype

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        if self._picture.frames == 1:
            return next(self._frames(range(1)))[index]
        out = np.empty([s.stop - s.start for s in index], self.dtype)
        for n, frame in enumerate(self._frames(range(index[0].start, index[0].stop))):
            out[n] = frame[index[1:]]
        return out

    def _frames(self, wanted: range) -> Iterator[NDArray[Any]]:
        """Yield frames; those of an animation are decoded one after the other."""
        if self._kept is not None and list(wanted) == [self._kept[0]]:
            yield self._kept[1]
            return
        with _opened(self._location) as (picture, _):
            for number in wanted:
                self._kept = number, self._decoded(picture, number)
                yield self._kept[1]

    def _decoded(self, picture: Pillow.Image, number: int) -> NDArray[Any]:
        if self._picture.deep:
            return _upright(_deep_pixels(self._location), _orientation(picture))
        if self._picture.frames > 1:
            picture.seek(number)
        orientation = _orientation(picture)  # before pixels are loaded, since some formats forget it then
        kind = self._picture.kind
        pixels = np.asarray(picture if kind in DTYPES else picture.convert(kind))
        return _upright(pixels, orientation).astype(self.dtype, copy=False)


@contextmanager
def _opened(location: str) -> Iterator[tuple[Pillow.Image, bool]]:
    """Open a file with Pillow, and find out whether it has 16 bits for each of several channels."""
    from PIL import Image as Pillow
    from PIL import WebPImagePlugin  # noqa: F401  (which preinit leaves out)

    Pillow.preinit()
    local = local_path(location)
    files, path = file_system(location)
    with files.open(path, "rb") if local is None else open(local, "rb") as file, warnings.catch_warnings():  # noqa: PTH123  (a path or URL)
        warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
        bits, colours = (file.read(26) + bytes(26))[PNG_BITS]
        file.seek(0)
        try:
            picture = Pillow.open(file, formats=FORMATS)
        except Pillow.UnidentifiedImageError:
            raise SourceError(f"{location} is empty or damaged, or no PNG, JPEG, BMP, GIF or WebP file") from None
        except Pillow.DecompressionBombError as error:
            most = 2 * (Pillow.MAX_IMAGE_PIXELS or 0)
            raise SourceError(
                f"{location} has more pixels than a picture may have, which is decoded all at once: "
                f"expected at most {most:,}; convert it to TIFF or OME-Zarr"
            ) from error
        if picture.format == "GIF":
            file.seek(0)
            if not is_complete_gif(file):
                raise SourceError(f"{location} is damaged: the end of the file is missing")
            file.seek(0)
            picture = Pillow.open(file, formats=FORMATS)
        if picture.format == "PNG":  # while it decodes, Pillow does not compare the checksums of pixels
            try:
                picture.verify()
            except Exception as error:  # SyntaxError, among others
                raise SourceError(f"{location} is damaged: its checksums differ ({in_brief(error)})") from error
            file.seek(0)
            picture = Pillow.open(file, formats=FORMATS)
        with picture:
            yield picture, picture.format == "PNG" and bits == 16 and colours != 0


def _kind(picture: Pillow.Image, frames: int) -> str:
    """Return the kind of pixels that a picture is read as: palettes become colours, or grey where all of them are."""
    mode = picture.mode
    if mode.startswith("I;16") or (picture.format == "PNG" and mode == "I"):
        return "I;16"
    if mode in ("P", "PA"):
        transparent = mode == "PA" or ("transparency" in picture.info and picture.format != "GIF")
        grey = _is_grey(np.array(picture.getpalette("RGB") or [], np.uint8))
        mode = ("LA" if transparent else "L") if grey else ("RGBA" if transparent else "RGB")
    if picture.format == "GIF":
        # Frames after the first have palettes of their own, and Pillow makes colours of them.
        numbers = range(1, frames) if mode == "L" else ()
        return "L" if mode == "L" and all(_is_grey(_frame(picture, number)) for number in numbers) else "RGB"
    return {"La": "LA", "RGBa": "RGBA", "RGBX": "RGB"}.get(mode, str(mode))


def _frame(picture: Pillow.Image, number: int) -> NDArray[Any]:
    picture.seek(number)
    return np.asarray(picture.convert("RGB"))


def _is_grey(colours: NDArray[Any]) -> bool:
    """Return whether red, green and blue are equal everywhere."""
    rgb = colours.reshape(-1, 3)
    return bool((rgb == rgb[:, :1]).all())


def _lengths(picture: Pillow.Image) -> tuple[float, float]:
    """Return the width and height of a pixel in inches; 0 where they are not known, or those of a screen."""
    try:
        across, down = (float(one) for one in picture.info.get("dpi", (0, 0)))
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0, 0.0
    return tuple(1 / one if one > 1 and is_measured(one) else 0.0 for one in (across, down))  # type: ignore[return-value]


def _orientation(picture: Pillow.Image) -> int:
    """Return how a picture is turned to be upright, 1 to 8 as EXIF counts; 1 where it does not tell.

    Raises:
        Exception: The pixels of a PNG file, which may hold EXIF data behind them, are damaged.

    """
    if picture.format == "PNG":
        picture.load()  # as getexif does, whose errors are about EXIF data only then
    try:
        found = picture.getexif().get(ORIENTATION, 1)
    except Exception:  # of EXIF data that are damaged
        return 1
    return found if found in range(1, 9) else 1


def _upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return pixels (y, x, ...) as viewers show them."""
    turned = np.swapaxes(pixels, 0, 1) if orientation >= 5 else pixels
    flips = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1), 5: (1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}[orientation]
    return turned[:: flips[0], :: flips[1]]


def _deep_pixels(location: str) -> NDArray[Any]:
    """Return the pixels of a PNG file with 16 bits for each of several channels."""
    if importlib.util.find_spec("imagecodecs") is None:
        raise MissingRequirementError(f"{location} has 16 bits for each colour, which needs imagecodecs: pip install imagecodecs")
    from imagecodecs import png_decode

    files, path = file_system(location)
    with files.open(path, "rb") as file:
        return np.asarray(png_decode(file.read()))
