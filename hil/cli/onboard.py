"""`hil replay FILE --on PORT`: a recording played into a board, and what came back."""

from pathlib import Path

import typer

from firmware_bridge.errors import UsageError
from hil.cli.common import print_json, talk, worked
from hil.cli.live import speed_of

__all__ = ["replay_on"]


def replay_on(
    file: Path, on: str, *, speed: str, begin: str | None, end: str | None, board: str | None, output: Path | None,
    json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Push the readings of a recording into a board, and print what came back.

    Raises:
        UsageError: The speed is no rate, or the board cannot take the readings.
    """
    import hil
    from firmware_bridge.roles import parse_spec
    from hil.capture import interruptible
    from hil.replay.replay import mark_time
    from hil.stimulus.play import play
    from hil.stimulus.readings import read_readings

    factor = speed_of(speed)
    if factor is None:
        raise UsageError("a board samples at a rate, and `max` is none", "--speed", "give 0.1 to 1000")
    with hil.open(file) as recording:
        from_s, to_s = (None if place is None else mark_time(recording, place) for place in (begin, end))
    given = read_readings(file, board, from_s, to_s)
    seconds = max(len(one.raw) / (one.rate_hz * factor) for one in given)
    talk(f"{file}: {seconds:.1f} s of readings are pushed into {on}", quiet)
    with interruptible() as ended, worked("s", seconds) as told:
        played = play(
            given, parse_spec(on), speed=factor, output=output, source=str(file), stop=ended.is_set, progress=told
        )  # fmt: skip
    if json:
        print_json({"schema": 1, **played.as_dict()})
    else:
        print("\n".join([*played.match.lines(), *played.remarks]))
        if played.recording is not None:
            print(played.recording)
    if not played.match.whole:
        raise typer.Exit(3 if played.match.why else 1)
