"""Pictures with EXIF as cameras write it, and every tag of it read back without the code under test."""

from __future__ import annotations

import struct

from tests.support.metadata.picture_files import jpeg_segments, small_picture, webp_chunks

COMMENT, MAKER_NOTE, GPS = 0x9286, 0x927C, 0x8825


def saved(path, kind, exif=b"", mode="RGB", **how):
    if exif:
        how["exif"] = exif
    small_picture(mode).save(path, kind, **how)
    return path


def camera_block(order, comment=None, thumbnail=b"\xff\xd8thumb\xff\xd9"):
    """EXIF as a camera writes it: dates, a maker note with an offset of its own, GPS, a thumbnail behind everything."""

    def directory(entries, at, following=0):
        """Entries (tag, type, count, value bytes) with their values right behind; returns the bytes."""
        table, heap = struct.pack(order + "H", len(entries)), b""
        free = at + 2 + 12 * len(entries) + 4
        for tag, kind, count, value in sorted(entries):
            if len(value) <= 4:
                field = value.ljust(4, b"\0")
            else:
                field = struct.pack(order + "I", free + len(heap))
                heap += value + b"\0" * (len(value) % 2)
            table += struct.pack(order + "HHI", tag, kind, count) + field
        return table + struct.pack(order + "I", following) + heap

    long = lambda value: struct.pack(order + "I", value)  # noqa: E731
    inner_entries = [
        (0x9003, 2, 20, b"2024:05:06 07:08:09\0"),
        (MAKER_NOTE, 7, 16, b"NOTE" + long(0x1234) + b"12345678"),
        (0xA002, 4, 1, long(24)),
    ]
    if comment is not None:
        inner_entries.append((COMMENT, 7, len(comment), comment))
    main_entries = lambda inner, gps: [  # noqa: E731
        (0x010F, 2, 6, b"Canon\0"),
        (0x8769, 4, 1, long(inner)),
        (GPS, 4, 1, long(gps)),
    ]
    inner_at = 8 + len(directory(main_entries(0, 0), 8))
    inner = directory(inner_entries, inner_at)
    gps_at = inner_at + len(inner)
    gps = directory([(1, 2, 2, b"N\0"), (2, 5, 3, struct.pack(order + "6I", 52, 1, 30, 1, 1, 1))], gps_at)
    second_at = gps_at + len(gps)
    second = lambda at: directory([(0x0201, 4, 1, long(at)), (0x0202, 4, 1, long(len(thumbnail)))], second_at)  # noqa: E731
    thumbnail_at = second_at + len(second(0))
    head = (b"MM\0*" if order == ">" else b"II*\0") + long(8)
    block = head + directory(main_entries(inner_at, gps_at), 8, second_at) + inner + gps
    return b"Exif\0\0" + block + second(thumbnail_at) + thumbnail


def tags(path):
    """Type and bytes of every tag of every directory, the thumbnail too; the user comment and pointers left out."""
    data = parts(path)[1][6:]
    order = ">" if data[:2] == b"MM" else "<"
    found = {}

    def read(name, at):
        count = struct.unpack_from(order + "H", data, at)[0]
        for each in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, length, value = struct.unpack_from(order + "HHII", data, each)
            size = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}[kind] * length
            if tag in (0x8769, GPS):
                read(f"{name}/{tag}", value)
            elif tag != COMMENT:
                start = each + 8 if size <= 4 else value
                found[name, tag] = kind, data[start : start + size]
        following = struct.unpack_from(order + "I", data, at + 2 + 12 * count)[0]
        if following:
            read(f"{name}+", following)

    read("main", struct.unpack_from(order + "I", data, 4)[0])
    if ("main+", 0x0201) in found:
        start, length = (struct.unpack(order + "I", found["main+", tag][1])[0] for tag in (0x0201, 0x0202))
        found["thumbnail"] = data[start : start + length]
    return found


def parts(path):
    """Everything that is not EXIF, and the EXIF with its prefix."""
    data = path.read_bytes()
    if data[:2] == b"\xff\xd8":
        segments, scan = jpeg_segments(data)
        others = [each for each in segments if not each[1].startswith(b"Exif\0\0")]
        exif = b"".join(body for _, body in segments if body.startswith(b"Exif\0\0"))
        return (others, scan), exif
    chunks = webp_chunks(data)
    exif = b"".join(body for name, body in chunks if name == b"EXIF")
    return [each for each in chunks if each[0] not in (b"EXIF", b"VP8X")], b"Exif\0\0" + exif.removeprefix(
        b"Exif\0\0"
    )


def exif_block(comment, endian=">", tags=None):
    """An EXIF block with a UserComment, and ASCII tags in IFD0, byte for byte."""
    entries = []
    tags = {tag: text.encode() + b"\0" for tag, text in (tags or {}).items()}
    count = len(tags) + (comment is not None)
    free = 8 + 2 + 12 * count + 4
    heap = b""
    for tag, data in sorted(tags.items()):
        entries.append(struct.pack(endian + "HHII", tag, 2, len(data), free + len(heap)))
        heap += data
    if comment is not None:
        entries.append(struct.pack(endian + "HHII", 0x8769, 4, 1, free + len(heap)))
        inner = free + len(heap)
        heap += struct.pack(endian + "HHHIII", 1, 0x9286, 7, len(comment), inner + 18, 0) + comment
    head = b"MM\0*" if endian == ">" else b"II*\0"
    body = (
        head + struct.pack(endian + "IH", 8, count) + b"".join(entries) + struct.pack(endian + "I", 0) + heap
    )
    return b"Exif\0\0" + body
