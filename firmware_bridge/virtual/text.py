"""A virtual board that prints text, as an Arduino sketch does: numbers a line, boot noise before them.

It answers nothing and is not numbered; `format` chooses CSV with a header, `name:value` lines or JSON lines. `noise=1`
prints a bootloader's babble (not all of it valid UTF-8) and now and then a log line among the data.
"""

from collections.abc import Callable, Mapping

import numpy as np

from firmware_bridge.virtual.board import NEVER, BoardClock
from firmware_bridge.virtual.noise import normal
from firmware_bridge.virtual.parameters import Parameter, read_parameters

__all__ = ["PARAMETERS", "TextBoard", "make"]

PARAMETERS = (
    Parameter("format", "csv", "what a line looks like", choices=("csv", "teleplot", "json")),
    Parameter("seed", 0, "what everything random is made from", 0, 2**63 - 1),
    Parameter("role", "", "name of the board at the bench; the board itself ignores it"),
    Parameter("rate", 20.0, "lines a second", 0.01, 2000),
    Parameter("ppm", 0.0, "error of the board's clock", -100_000, 100_000),
    Parameter("header", 1, "whether CSV begins with a header", 0, 1),
    Parameter("noise", 1, "whether boot noise and log lines are printed", 0, 1),
    Parameter("tx_buffer", 65_536, "bytes that wait for the host before lines are lost", 256, 2**30),
)  # fmt: skip
"""What `virtual://text` takes."""

_BOOT = b"\x00\xf8boot rom 1.0\r\nrst:0x1 (POWERON_RESET),boot:0x13\r\n\x1b[0;32mI (28) boot: sensor ready\x1b[0m\r\n"
_LOG_EVERY = 200
_BOOT_MS = 250


class TextBoard:
    """Prints a line a sample.

    Args:
        line: (number, ms since boot, readings `(4,)`) -> one line without its end.
        header: The first line; empty: none.
        rate_hz: Lines a second.
        seed: Of the readings.
        noise: Whether to print boot noise and log lines.
        ppm: Error of the clock.
        tx_buffer: Bytes that wait for the host; what does not fit is lost, as on a real serial port.
    """

    def __init__(
        self, line: Callable[[int, int, list[float]], str], header: str, rate_hz: float, seed: int = 0,
        noise: bool = True, ppm: float = 0.0, tx_buffer: int = 65_536,
    ) -> None:  # fmt: skip
        self._line, self._header, self._seed = line, header, seed
        self._rate_mhz = round(rate_hz * 1000)
        self._noise, self._ppm, self._room = noise, ppm, tx_buffer
        self._clock: BoardClock | None = None
        self._next = 0
        self._out = bytearray()

    def receive(self, data: bytes, now_ns: int) -> None:
        """Take no notice of what the host says."""
        self._advance(now_ns)

    def poll(self, now_ns: int) -> bytes:
        """Return what has been printed up to `now_ns`."""
        self._advance(now_ns)
        printed = bytes(self._out)
        self._out.clear()
        return printed

    def next_due_ns(self) -> int:
        """Return when the next line is printed."""
        if self._clock is None or self._out:
            return 0
        return min(NEVER, self._clock.when_ns(self._tick(self._next)))

    def _tick(self, number: int) -> int:
        return _BOOT_MS * 1000 + number * 10**9 // self._rate_mhz

    def _advance(self, now_ns: int) -> None:
        if self._clock is None:
            self._clock = BoardClock(now_ns, 0, self._ppm)
            self._print((_BOOT if self._noise else b"") + (self._header + "\r\n").encode() * bool(self._header))
        now = self._clock.tick(now_ns)
        while self._tick(self._next) <= now:
            if len(self._out) > self._room - 256:  # nobody reads: pass over the rest at once
                self._next = max(self._next + 1, (now - _BOOT_MS * 1000) * self._rate_mhz // 10**9 + 1)
                return
            self._print_line(self._next)
            self._next += 1

    def _print_line(self, number: int) -> None:
        ms = self._tick(number) // 1000
        grain = normal(self._seed, "text", number, 1, 4)[0]
        t = ms / 1000
        readings = [
            round(float(value), 3)
            for value in (
                0.3 * np.sin(1.3 * t) + 0.01 * grain[0], 0.2 * np.cos(0.7 * t) + 0.01 * grain[1], 1 + 0.01 * grain[2],
                24.5 + 0.5 * np.sin(0.02 * t) + 0.05 * grain[3],
            )
        ]  # fmt: skip
        if self._noise and number % _LOG_EVERY == _LOG_EVERY - 1:
            self._print(b"\x1b[0;33mW (%d) sensor: FIFO half full\x1b[0m\r\n" % ms)
        self._print(self._line(number, ms, readings).encode() + b"\r\n")

    def _print(self, text: bytes) -> None:
        self._out += text


def _csv(number: int, ms: int, r: list[float]) -> str:
    return f"{ms},{r[0]:.3f},{r[1]:.3f},{r[2]:.3f},{r[3]:.2f}"


def _teleplot(number: int, ms: int, r: list[float]) -> str:
    return (
        f">ax:{ms}:{r[0]:.3f}§g\r\n>ay:{ms}:{r[1]:.3f}§g\r\n>az:{ms}:{r[2]:.3f}§g\r\n>temperature:{ms}:{r[3]:.2f}§degC"
    )


def _json(number: int, ms: int, r: list[float]) -> str:
    return f'{{"millis":{ms},"accel":[{r[0]:.3f},{r[1]:.3f},{r[2]:.3f}],"temperature":{r[3]:.2f}}}'


_LINES = {"csv": _csv, "teleplot": _teleplot, "json": _json}


def make(given: Mapping[str, str]) -> TextBoard:
    """Return the board of `virtual://text?...`."""
    values = read_parameters("text", given, PARAMETERS)
    header = "millis [ms],ax [g],ay [g],az [g],temperature [degC]"
    return TextBoard(
        _LINES[values["format"]], header if values["format"] == "csv" and values["header"] else "", values["rate"],
        values["seed"], bool(values["noise"]), values["ppm"], values["tx_buffer"],
    )  # fmt: skip
