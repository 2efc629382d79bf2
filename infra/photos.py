"""Photos people upload: read with suspicion, drawn afresh, small, and without their metadata.

Only pixels survive.  Where a picture was taken, what else the file also was, and any trick against
the next program that opens it are left behind.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageCms
from PIL.Image import Resampling, Transpose

from domain.errors import DomainError

MAX_UPLOAD_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_SIDE = 512
CONTENT_TYPE = "image/webp"

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")
_QUALITY = 82
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))

# One at a time: while it is scaled down a picture at the limit takes 400 MB, a WebP 650 MB.
_studio = ThreadPoolExecutor(max_workers=1, thread_name_prefix="photo")


class NotAnImage(DomainError):
    """The file is no picture, is damaged, or is of a kind we do not read."""

    code = "NOT_AN_IMAGE"

    def __init__(self) -> None:
        super().__init__(
            "This file is not a picture we can read: send a PNG, JPEG, WebP, GIF or AVIF."
        )


class ImageTooLarge(DomainError):
    """The file or the picture in it is beyond what we take."""

    code = "IMAGE_TOO_LARGE"


@dataclass(frozen=True, slots=True)
class EncodedPhoto:
    """A WebP of at most `MAX_SIDE` pixels a side, with nothing in it but pixels."""

    content: bytes
    width: int
    height: int


async def reencode(upload: bytes) -> EncodedPhoto:
    """Return the picture in an upload, upright, scaled down and drawn afresh.

    What the file is called or says it is does not count, only what it is.  Of an animation the
    first frame is taken; a picture is never enlarged or cropped.

    Raises:
        NotAnImage: if it is not a whole picture of a kind we read.
        ImageTooLarge: beyond `MAX_UPLOAD_BYTES` or `MAX_PIXELS`, whichever is noticed first;
            the pixels are not unpacked to find out.
    """
    return await asyncio.get_running_loop().run_in_executor(_studio, draw_afresh, upload)


def draw_afresh(upload: bytes) -> EncodedPhoto:
    """Do what `reencode` promises, in the calling thread."""
    if len(upload) > MAX_UPLOAD_BYTES:
        raise ImageTooLarge(f"The file is larger than {MAX_UPLOAD_BYTES // 1024**2} MiB.")
    with _open(upload) as image:
        if image.width * image.height > MAX_PIXELS:
            raise _too_many_pixels()
        return _encode(_pixels(image))


def _too_many_pixels() -> ImageTooLarge:
    return ImageTooLarge(f"The picture has more than {MAX_PIXELS // 10**6} megapixels.")


def _open(upload: bytes) -> Image.Image:
    """Read the header only: size and kind, no pixels yet."""
    try:
        return Image.open(BytesIO(upload), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except Exception:  # noqa: BLE001 - decoders raise whatever they like on a damaged file
        raise NotAnImage from None


def _pixels(image: Image.Image) -> Image.Image:
    """Return the first frame in sRGB, upright, within `MAX_SIDE`."""
    try:
        turn = _UPRIGHT.get(_orientation(image))
        image.draft("RGB", (2 * MAX_SIDE, 2 * MAX_SIDE))  # a JPEG can be decoded at half size
        image.load()
        plain = _direct_colour(image)
        plain.thumbnail((MAX_SIDE, MAX_SIDE), Resampling.LANCZOS, reducing_gap=3.0)
        plain = _in_srgb(plain, image.info.get("icc_profile"))
        return plain if turn is None else plain.transpose(turn)
    except Exception:  # noqa: BLE001 - as above
        raise NotAnImage from None


def _orientation(image: Image.Image) -> int:
    """Return how the camera was held, as Exif numbers it; 1 is upright."""
    try:
        found = image.getexif().get(_ORIENTATION_TAG)
    except Exception:  # noqa: BLE001 - good pictures often have damaged metadata
        return 1
    return found if isinstance(found, int) else 1


def _direct_colour(image: Image.Image) -> Image.Image:
    """Return the picture in L, RGB, RGBA or CMYK, with transparency in its own channel."""
    if image.mode.startswith("I"):
        # Sixteen bits of grey; convert() would cut off at 255 instead of scaling.
        return image.point(lambda grey: grey / 256).convert("L")
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _in_srgb(image: Image.Image, profile: object) -> Image.Image:
    """Return the colours as a screen without the picture's profile will show them."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha else image
    drawn = _converted(colours, profile) if isinstance(profile, bytes) and profile else None
    drawn = drawn or colours.convert("RGB")
    if alpha:
        drawn.putalpha(alpha)
    return drawn


def _converted(image: Image.Image, profile: bytes) -> Image.Image | None:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None  # a profile that does not fit the picture is no reason to refuse the picture


def _encode(image: Image.Image) -> EncodedPhoto:
    content = BytesIO()
    image.save(content, "WEBP", quality=_QUALITY, method=4, exif=b"", xmp=b"", icc_profile=b"")
    return EncodedPhoto(content.getvalue(), image.width, image.height)
