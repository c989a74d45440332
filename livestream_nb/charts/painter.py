"""A specification becomes a picture; as a program, one after the other until its input ends.

The program is run by its path and imports nothing of the package, so that it is there soon.
"""

import os
import signal
import struct
import sys
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import vl_convert

PIXELS_PER_POINT = 1.5
LENGTH = struct.Struct(">I")
SMALL = '{"width": 9, "height": 9, "marks": [{"type": "text", "encode": {"enter": {}}}]}'


def painted(spec: str) -> bytes:
    """Return a Vega specification (JSON) as a PNG."""
    return repacked(vl_convert.vega_to_png(spec, scale=PIXELS_PER_POINT))


def repacked(image: bytes) -> bytes:
    """Return the same PNG, compressed well: the renderer's is several times as large."""
    chunks = list(_chunks(image))
    pixels = b"".join(data for kind, data in chunks if kind == b"IDAT")
    packed = (b"IDAT", zlib.compress(zlib.decompress(pixels)))
    before = [chunk for chunk in chunks if chunk[0] not in {b"IDAT", b"IEND"}]
    return image[:8] + b"".join(map(_chunk, [*before, packed, (b"IEND", b"")]))


def _chunks(image: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(image):
        length, kind = struct.unpack_from(">I4s", image, at)
        yield kind, image[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(chunk: tuple[bytes, bytes]) -> bytes:
    kind, data = chunk
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer each specification by its picture; both come after their length."""
    while head := asked.read(LENGTH.size):
        picture = painted(asked.read(*LENGTH.unpack(head)).decode())
        answers.write(LENGTH.pack(len(picture)) + picture)
        answers.flush()


def main() -> None:
    """Be ready for the first picture, and serve; what libraries print is no answer."""
    # An interrupt of a notebook's kernel goes to all of its processes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        vl_convert.vega_to_png(SMALL)
        serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
