"""What the fuzzer of the board begins with: every command of a host, models and windows too, in its own form."""

from pathlib import Path

from firmware_bridge.wire.encode import encode
from firmware_bridge.wire.messages import Kind, Message, pack

_LINE_16, _LINE_32, _COMMANDS, _MODEL = range(4)
"""How the fuzzer takes an input, by its first byte (see `fuzz/fuzz_board.c`)."""

COMMANDS = {
    "identify": Message(Kind.IDENTIFY),
    "start": Message(Kind.START, {"nonce": 7, "streams": 0, "injected": 0}),
    "start-injected": Message(Kind.START, {"nonce": 8, "streams": 1, "injected": 1}),
    "stop": Message(Kind.STOP),
    "rate": Message(Kind.SET_RATE, {"stream": 0, "rate_mhz": 400_000}),
    "ping": Message(Kind.PING, {"token": 9}),
    "status": Message(Kind.GET_STATUS),
    "inject": Message(Kind.INJECT, {"stream": 0, "n": 2, "first": 0}, bytes(range(24))),
    "begin": Message(Kind.MODEL_BEGIN, {"size": 40, "crc32": 0}),
    "chunk": Message(Kind.MODEL_CHUNK, {"offset": 0}, b"HILN" + bytes(36)),
    "end": Message(Kind.MODEL_END, {"crc32": 0}),
    "window": Message(Kind.INFER, {"window": 1, "stream": 0, "n": 20}, bytes(60)),
    "judge": Message(Kind.STREAM_INFER, {"stream": 0, "on": 1, "hop": 3}),
    "judge-no-more": Message(Kind.STREAM_INFER, {"stream": 0, "on": 0, "hop": 0}),
    "tap": Message(Kind.TAP, {"layer": 1}),
    "reset": Message(Kind.RESET),
}


def piece(message: Message, wait: int = 9) -> bytes:
    """Return a command as the fuzzer cuts it out: length, time that passes after it, kind, flags, payload."""
    body = bytes([message.kind, message.flags]) + pack(message)
    return bytes([len(body) - 2, wait]) + body


def write_seeds(folder: Path) -> int:
    """Write them as files; return how many."""
    commands = [piece(message) for message in COMMANDS.values()]
    judged = b"".join(piece(COMMANDS[name], 255) for name in ("start", "tap", "judge", "status", "stop"))
    seeds = [
        *(bytes([_LINE_16]) + encode(message, 1, 16) for message in COMMANDS.values()),
        *(bytes([_LINE_32]) + encode(message, 1, 32) for message in COMMANDS.values()),
        *(bytes([_COMMANDS, 0]) + one for one in commands),
        *(bytes([_MODEL, streaming]) + one for one in [*commands, judged] for streaming in (0, 0x80)),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(seeds):
        (folder / f"seed-{index:03d}").write_bytes(seed)
    return len(seeds)
