"""Blobs as a broken link or an enemy would hand them over: fields set to odd values, bytes changed, ends cut."""

import random
import struct
import zlib

from firmware_bridge.oplist.table import HEADER, RECORD, header_struct, record_struct

_ODD = (0, 1, 2, 3, 7, 127, 128, 254, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1)


def damaged(blob: bytes, chance: random.Random) -> bytes:
    """Return a blob with one to three faults; its checksum is right again mostly, so that checks go deep."""
    body = bytearray(blob)
    for _ in range(chance.randint(1, 3)):
        kind = chance.random()
        if kind < 0.6:
            _field(body, chance)
        elif kind < 0.9:
            body[chance.randrange(len(body))] = chance.randrange(256)
        else:
            del body[chance.randrange(len(body)) :]
            body += b"\0" * max(0, 8 - len(body))
    if chance.random() < 0.8:
        if len(body) >= header_struct.size and chance.random() < 0.7:
            struct.pack_into("<I", body, 12, len(body))
        struct.pack_into("<I", body, 4, zlib.crc32(body[8:]))
    return bytes(body)


def _field(body: bytearray, chance: random.Random) -> None:
    table, place = HEADER, 0
    if chance.random() < 0.85 and len(body) > header_struct.size + record_struct.size:
        table = RECORD
        ops = max(1, min(struct.unpack_from("<H", body, 10)[0], (len(body) - header_struct.size) // record_struct.size))
        place = header_struct.size + chance.randrange(ops) * record_struct.size
    index = chance.randrange(len(table))
    code = table[index][1]
    place += struct.calcsize("<" + "".join(item[1] for item in table[:index]))
    width = struct.calcsize(code)
    if place + width <= len(body):
        old = int.from_bytes(body[place : place + width], "little")
        new = chance.choice(_ODD) if chance.random() < 0.5 else old + chance.choice((-2, -1, 1, 2))
        body[place : place + width] = (new % (1 << (8 * width))).to_bytes(width, "little")
