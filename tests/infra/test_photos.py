import asyncio
import io
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, ImageDraw
from PIL.PngImagePlugin import PngInfo

from domain.errors import DomainError
from infra.photos import (
    MAX_SIDE,
    MAX_UPLOAD_BYTES,
    ImageTooLarge,
    NotAnImage,
    draw_afresh,
    reencode,
)

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (255, 255, 255)


def a_picture(mode="RGB", size=(80, 60)):
    """Return a picture that is red at the left, blue at the right, and green along the top."""
    image = Image.new("RGB", size, RED)
    pen = ImageDraw.Draw(image)
    pen.rectangle((size[0] // 2, 0, *size), fill=BLUE)
    pen.rectangle((0, 0, size[0], size[1] // 4), fill=GREEN)
    return image.quantize(8) if mode == "P" else image.convert(mode)


def file(image, kind, **more):
    content = io.BytesIO()
    image.save(content, kind, **more)
    return content.getvalue()


def drawn(upload):
    photo = draw_afresh(upload)
    image = Image.open(io.BytesIO(photo.content))
    assert (image.format, image.size) == ("WEBP", (photo.width, photo.height))
    image.load()
    return image


def chunks(webp):
    """Return the names of the parts a WebP file is made of."""
    names, place = [], 12
    while place < len(webp):
        names.append(webp[place : place + 4])
        length = int.from_bytes(webp[place + 4 : place + 8], "little")
        place += 8 + length + length % 2
    return names


def alike(found, expected, tolerance=12):
    return all(abs(a - b) <= tolerance for a, b in zip(found, expected, strict=True))


def looks_right(image):
    """Say whether a picture is still red at the left, blue at the right, green on top."""
    rgb, (width, height) = image.convert("RGB"), image.size
    return (
        alike(rgb.getpixel((width // 4, height * 3 // 4)), RED)
        and alike(rgb.getpixel((width * 3 // 4, height * 3 // 4)), BLUE)
        and alike(rgb.getpixel((width // 2, height // 10)), GREEN)
    )


# Kinds of picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
def test_every_common_kind_is_read(kind):
    image = drawn(file(a_picture(), kind, **({"quality": 95} if kind == "JPEG" else {})))

    assert (image.size, image.mode) == ((80, 60), "RGB")
    assert looks_right(image)


@pytest.mark.parametrize(
    ("mode", "kind"), [("P", "PNG"), ("P", "GIF"), ("RGBA", "PNG"), ("CMYK", "JPEG")]
)
def test_every_way_to_store_colours_is_read(mode, kind):
    assert looks_right(drawn(file(a_picture(mode), kind)))


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_pictures_without_colour_are_read(mode):
    grey = Image.new("L", (40, 40), 255)

    assert alike(drawn(file(grey.convert(mode), "PNG")).convert("RGB").getpixel((20, 20)), WHITE)


@pytest.mark.parametrize(("deep", "shown"), [(0, 0), (0x4000, 64), (0x8000, 128), (0xFFFF, 255)])
def test_sixteen_bits_of_grey_become_eight(deep, shown):
    image = Image.new("I;16", (40, 40), deep)

    assert alike(drawn(file(image, "PNG")).convert("RGB").getpixel((20, 20)), (shown,) * 3, 3)


def deep_png(size=(8, 8), colour=(0xFFFF, 0x8000, 0)):
    """Return a PNG with sixteen bits a channel, which Pillow itself cannot write."""

    def chunk(name, content):
        check = zlib.crc32(name + content).to_bytes(4)
        return len(content).to_bytes(4) + name + content + check

    row = b"\0" + b"".join(part.to_bytes(2) for part in colour) * size[0]
    header = b"".join(side.to_bytes(4) for side in size) + bytes([16, 2, 0, 0, 0])
    pixels = zlib.compress(row * size[1])
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def test_sixteen_bits_of_colour_become_eight():
    assert alike(drawn(deep_png()).getpixel((4, 4)), (255, 128, 0))


def test_transparency_survives():
    image = a_picture("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))

    after = drawn(file(image, "PNG"))

    assert after.mode == "RGBA"
    assert abs(after.getpixel((40, 2))[3] - image.getpixel((40, 2))[3]) <= 2
    assert abs(after.getpixel((40, 57))[3] - image.getpixel((40, 57))[3]) <= 2


def test_a_transparent_palette_colour_stays_transparent():
    image = Image.new("P", (40, 40), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(1, (20, 0, 40, 40))

    after = drawn(file(image, "GIF", transparency=0))

    assert (after.getpixel((5, 20))[3], after.getpixel((35, 20))[3]) == (0, 255)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    first, second = Image.new("RGB", (40, 40), RED), Image.new("RGB", (40, 40), BLUE)

    after = drawn(file(first, kind, save_all=True, append_images=[second], duration=50))

    assert getattr(after, "n_frames", 1) == 1
    assert alike(after.convert("RGB").getpixel((20, 20)), RED)


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_are_shown_as_their_profile_means_them(mode):
    swapped = SRGB.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    image = Image.new("RGB", (40, 40), RED)
    image = image.quantize(2) if mode == "P" else image.convert(mode)

    after = drawn(file(image, "PNG", icc_profile=swapped)).convert("RGB").getpixel((20, 20))

    assert alike(after, BLUE, 16)


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 200])
def test_a_damaged_colour_profile_does_not_cost_the_picture(profile):
    assert looks_right(drawn(file(a_picture(), "PNG", icc_profile=profile)))


# Size


@pytest.mark.parametrize(
    ("size", "after"),
    [
        ((1, 1), (1, 1)),
        ((512, 512), (512, 512)),
        ((513, 100), (512, 100)),
        ((2000, 1000), (512, 256)),
        ((1000, 2000), (256, 512)),
        ((5000, 3), (512, 1)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_is_scaled_down_whole_and_never_up(size, after, kind):
    assert drawn(file(Image.new("RGB", size, RED), kind)).size == after
    assert max(after) <= MAX_SIDE


def test_a_large_photo_is_scaled_well():
    assert looks_right(drawn(file(a_picture(size=(4000, 3000)), "JPEG", quality=90)))


def test_a_heavy_file_is_refused_unread():
    assert refusal(b"\x89PNG\r\n\x1a\n" + bytes(MAX_UPLOAD_BYTES)) == (
        ImageTooLarge,
        "IMAGE_TOO_LARGE",
        "The file is larger than 5 MiB.",
    )


TOO_MANY_PIXELS = (ImageTooLarge, "IMAGE_TOO_LARGE", "The picture has more than 40 megapixels.")


@pytest.mark.parametrize("size", [(6400, 6251), (10_000, 9_500), (30_000, 30_000)])
def test_a_small_file_with_a_huge_picture_is_refused_unpacked(size):
    width, height = (side.to_bytes(4) for side in size)
    head = b"IHDR" + width + height + bytes([1, 0, 0, 0, 0])
    check = zlib.crc32(head).to_bytes(4)
    rows = zlib.compress(bytes(1000))
    pixels = len(rows).to_bytes(4) + b"IDAT" + rows + zlib.crc32(b"IDAT" + rows).to_bytes(4)

    assert refusal(b"\x89PNG\r\n\x1a\n\0\0\0\x0d" + head + check + pixels) == TOO_MANY_PIXELS


def test_a_picture_at_the_limit_is_taken():
    assert drawn(file(Image.new("L", (8000, 5000), 200), "PNG")).size == (512, 320)


# What must not survive


def gps_exif(orientation=1):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "SecretCam"
    exif[ExifTags.Base.DateTime] = datetime(2026, 3, 2, 12, tzinfo=UTC).isoformat()
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef] = "N"
    gps[ExifTags.GPS.GPSLatitude] = (53.0, 20.0, 59.0)
    return exif


XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>SecretPlace</x:xmpmeta>"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_where_a_photo_was_taken_is_forgotten(kind):
    more = {"exif": gps_exif(), "icc_profile": SRGB}
    if kind != "PNG":
        more["xmp"] = XMP
    upload = file(a_picture(), kind, **more)
    assert Image.open(io.BytesIO(upload)).getexif().get_ifd(ExifTags.IFD.GPSInfo)

    photo = draw_afresh(upload)

    image = Image.open(io.BytesIO(photo.content))
    assert dict(image.getexif()) == {}
    assert dict(image.getexif().get_ifd(ExifTags.IFD.GPSInfo)) == {}
    assert not image.info.keys() & {"exif", "xmp", "icc_profile"}
    assert b"Secret" not in photo.content
    assert chunks(photo.content) == [b"VP8 "]


def test_notes_in_a_file_are_forgotten():
    notes = PngInfo()
    notes.add_text("Author", "Secret Ann")
    notes.add_itxt("XML:com.adobe.xmp", XMP.decode())

    for upload in (
        file(a_picture(), "PNG", pnginfo=notes),
        file(a_picture(), "JPEG", comment=b"Secret Ann"),
        file(a_picture("P"), "GIF", comment=b"Secret Ann"),
    ):
        photo = draw_afresh(upload)
        assert b"Secret" in upload or b"ecret" in upload
        assert b"Secret" not in photo.content
        assert chunks(photo.content) == [b"VP8 "]


@pytest.mark.parametrize("tail", [b"PK\x03\x04 a zip", b"<script>alert(1)</script>", b"\0" * 999])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_what_else_a_file_was_is_left_behind(kind, tail):
    photo = draw_afresh(file(a_picture(), kind) + tail)

    assert tail not in photo.content
    assert photo == draw_afresh(file(a_picture(), kind))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_turned_upright(orientation, kind):
    turned_by_the_camera = {
        1: lambda image: image,
        2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
        4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
        6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
        7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
    }
    lying = turned_by_the_camera[orientation](a_picture(size=(800, 600)))

    after = drawn(file(lying, kind, exif=gps_exif(orientation), quality=95))

    assert after.size == (512, 384)
    assert looks_right(after)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # which is the point
@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif"])
def test_damaged_metadata_does_not_cost_the_picture(exif):
    assert looks_right(drawn(file(a_picture(), "JPEG", exif=exif, quality=95)))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(orientation):
    assert looks_right(drawn(file(a_picture(), "PNG", exif=gps_exif(orientation))))


# What is refused


def refusal(upload):
    with pytest.raises(DomainError) as refused:
        draw_afresh(upload)
    return type(refused.value), refused.value.code, refused.value.message


NOT_AN_IMAGE = (
    NotAnImage,
    "NOT_AN_IMAGE",
    "This file is not a picture we can read: send a PNG, JPEG, WebP, GIF or AVIF.",
)


@pytest.mark.parametrize(
    "upload",
    [
        b"",
        b"\0",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"<script>alert(1)</script>" + file(a_picture(), "PNG"),
        file(a_picture(), "TIFF"),
        file(a_picture(), "BMP"),
        file(a_picture(), "ICO"),
        file(a_picture(), "PPM"),
        file(a_picture(), "TGA"),
        file(a_picture(), "JPEG2000"),
    ],
    ids=lambda upload: repr(upload[:8]),
)
def test_anything_but_a_common_picture_is_refused(upload):
    assert refusal(upload) == NOT_AN_IMAGE


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.8])
def test_half_a_file_is_refused(kind, kept):
    whole = file(Image.effect_noise((200, 200), 90).convert("RGB"), kind)

    assert refusal(whole[: int(len(whole) * kept)]) == NOT_AN_IMAGE


UPLOADS = [file(a_picture(size=(24, 24)), kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "AVIF")]


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(UPLOADS), st.data())
def test_a_damaged_file_gives_a_picture_or_a_refusal(upload, data):
    damaged = bytearray(upload)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(upload) - 1))] = data.draw(st.integers(0, 255))

    try:
        photo = draw_afresh(bytes(damaged))
    except (NotAnImage, ImageTooLarge):
        return
    assert max(photo.width, photo.height) <= MAX_SIDE
    assert photo.content[:4] == b"RIFF"


# Off the event loop


async def test_pictures_are_drawn_without_holding_up_the_event_loop():
    upload = file(a_picture(size=(3000, 2000)), "PNG")
    ticks = 0
    work = asyncio.gather(*(reencode(upload) for _ in range(3)))

    while not work.done():
        ticks += 1
        await asyncio.sleep(0)

    assert [(photo.width, photo.height) for photo in await work] == [(512, 341)] * 3
    assert ticks > 3
