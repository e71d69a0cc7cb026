"""Everything in a recording that is not a sample and not a raw byte, as JSON messages that any tool can show.

Rule of this room: an event becomes one flat JSON object under its own topic and comes back equal. The topic is for
people; what a channel is stands in its metadata (`kind`, `board`), so that a role may contain anything.
"""

import json
from dataclasses import fields
from typing import Any

from firmware_bridge.events import (
    ClockReading,
    Connected,
    Damage,
    Disconnected,
    Event,
    Gap,
    Log,
    Mark,
    Prediction,
    RateChanged,
    Rebooted,
    Reply,
    Stall,
    Status,
)
from firmware_bridge.streams import BoardInfo

__all__ = ["SCHEMAS", "event_from", "event_text", "kind_of", "topic_of"]

_TYPES: dict[str, type[Event]] = {
    cls.__name__: cls
    for cls in (
        ClockReading, Connected, Damage, Disconnected, Gap, Log, Mark, Prediction, RateChanged, Rebooted, Reply, Stall,
        Status,
    )
}  # fmt: skip

_TEXT, _WHOLE, _FLOAT = {"type": "string"}, {"type": "integer"}, {"type": "number"}
_COMMON = {"type": _TEXT, "board": _TEXT, "t_ns": _WHOLE}


def _schema(title: str, **properties: Any) -> bytes:
    return json.dumps({"title": title, "type": "object", "properties": properties}).encode()


SCHEMAS: dict[str, tuple[str, bytes]] = {
    "events": ("hil.Event", _schema("hil.Event", **_COMMON, stream=_TEXT, boot=_WHOLE, first=_WHOLE, count=_WHOLE,
                                    cause=_TEXT, level=_TEXT, text=_TEXT, reason=_TEXT)),
    "marks": ("hil.Mark", _schema("hil.Mark", **_COMMON, text=_TEXT, kind=_TEXT, author=_TEXT, note=_TEXT)),
    "predictions": ("hil.Prediction", _schema(
        "hil.Prediction", **_COMMON, model=_TEXT, stream=_TEXT, boot=_WHOLE, sample=_WHOLE, label=_TEXT,
        confidence=_FLOAT, scores={"type": "array", "items": _FLOAT})),
    "clock": ("hil.ClockReading", _schema("hil.ClockReading", **_COMMON, sent_ns=_WHOLE, tick=_WHOLE,
                                          received_ns=_WHOLE)),
    "ledger": ("hil.Ledger", _schema("hil.Ledger", board=_TEXT, seq=_WHOLE, books={"type": "object"})),
    "link": ("hil.Link", _schema("hil.Link", board=_TEXT, kind=_TEXT, text=_TEXT)),
}  # fmt: skip
"""Name and JSON schema of every kind of JSON channel."""


def kind_of(event: Event) -> str:
    """Return the kind of channel that an event belongs to."""
    if isinstance(event, Mark):
        return "marks"
    if isinstance(event, Prediction):
        return "predictions"
    return "clock" if isinstance(event, ClockReading) else "events"


def topic_of(kind: str, board: str, model: str = "") -> str:
    """Return the topic of a channel."""
    if kind in ("events", "marks"):
        return f"/{kind}"
    return f"/predictions/{model}" if kind == "predictions" else f"/{board}/{kind}"


def event_text(event: Event, noted: bool = False) -> bytes:
    """Return an event as JSON; `noted` (it does not follow from the board's bytes) is written down too."""
    plain: dict[str, Any] = {"type": type(event).__name__}
    for item in fields(event):
        value = getattr(event, item.name)
        if isinstance(value, BoardInfo):
            value = value.as_dict()
        plain[item.name] = value.hex() if isinstance(value, bytes) else value
    if noted:
        plain["noted"] = True
    return json.dumps(plain, separators=(",", ":")).encode()


def event_from(data: bytes | memoryview) -> Event | None:
    """Return the event in a JSON text, or None where its type is of a newer version."""
    plain = json.loads(bytes(data))
    cls = _TYPES.get(plain.pop("type", ""))
    if cls is None:
        return None
    known = {item.name: plain[item.name] for item in fields(cls) if item.name in plain}
    if isinstance(known.get("info"), dict):
        known["info"] = BoardInfo.from_dict(known["info"])
    if isinstance(known.get("data"), str):
        known["data"] = bytes.fromhex(known["data"])
    if isinstance(known.get("scores"), list):
        known["scores"] = tuple(known["scores"])
    return cls(**known)
