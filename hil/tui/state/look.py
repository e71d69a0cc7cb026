"""How the plots of the live page are arranged: which kind in which pane, scales, split, cursor; and the steps between.

Rule of this room: pure. A pane is named by its board, stream and unit. What a person chose here is what is remembered
for a bench (see `remembered`); the cursor is not, it belongs to the moment.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from hil.tui.charts.chart import Panel
from hil.tui.charts.shading import Shading
from hil.tui.state.valuerange import Span
from hil.views.figure import ATTITUDE, HISTOGRAM, KINDS, MOST_FIGURES, SPECTROGRAM, SPECTRUM, XY, Ask
from hil.views.stream import StreamView

__all__ = ["FEW", "READINGS", "SPLITS", "Look", "asks", "choices", "kinds_of"]

READINGS = "readings"
"""The kind of a plot that shows what was measured."""

SPLITS = (0, 1, 2, 3, 4)
"""Plots in a row; 0: as many as suit the screen."""

FEW = 6
"""With more boards than this the screen begins with an overview of them."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a person chose.

    Attributes:
        kinds: Kind of a plot by its pane's key, where it is not its readings.
        picks: Which channel, or which pair of channels, by the pane's key; 0 where it is not there.
        split: Plots in a row, one of `SPLITS`.
        shared: Whether plots of one unit share a scale.
        overview: Whether the boards stand alone with a line of readings each; None: where there are more than `FEW`.
        cursor_s: Where the cursor is, seconds before the right edge; None: there is none.
        shadings: How frames and spectrograms are coloured, by the pane's key, where not as at first.
        hidden: Names of the channels that a plot leaves out, by the pane's key.
        spans: The range of the value axis by the pane's key, where a person chose one.
    """

    kinds: Mapping[str, str] = field(default_factory=dict)
    picks: Mapping[str, int] = field(default_factory=dict)
    split: int = 0
    shared: bool = False
    overview: bool | None = None
    cursor_s: float | None = None
    shadings: Mapping[str, Shading] = field(default_factory=dict)
    hidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spans: Mapping[str, Span] = field(default_factory=dict)

    def seen(self, panel: Panel, stream: StreamView) -> Panel:
        """Return a panel without the channels that are hidden; never without all."""
        hidden = self.hidden.get(panel.key, ())
        kept = tuple(channel for channel in panel.channels if stream.channels[channel] not in hidden)
        return panel if not kept or kept == panel.channels else replace(panel, channels=kept)

    def without(self, panel: Panel, stream: StreamView, names: Iterable[str]) -> "Look":
        """Hide these channels of a pane and no others; none where that would hide all."""
        there = [stream.channels[channel] for channel in panel.channels]
        gone = tuple(name for name in there if name in set(names))
        rest = {key: value for key, value in self.hidden.items() if key != panel.key}
        return replace(self, hidden={**rest, panel.key: gone} if 0 < len(gone) < len(there) else rest)

    def toggled(self, panel: Panel, stream: StreamView, name: str) -> "Look":
        """Hide a channel, or show it again; the last one that is seen stays."""
        hidden = set(self.hidden.get(panel.key, ())) ^ {name}
        return self if len(hidden) >= len(panel.channels) else self.without(panel, stream, hidden)

    def alone(self, panel: Panel, stream: StreamView) -> "Look":
        """Show the first channel alone, then the next one, after the last one all."""
        seen = self.seen(panel, stream).channels
        at = panel.channels.index(seen[0]) + 1 if len(seen) == 1 else 0
        kept = panel.channels[at : at + 1] if len(panel.channels) > 1 else ()
        names = [stream.channels[channel] for channel in panel.channels if kept and channel not in kept]
        return self.without(panel, stream, names)

    def kind(self, panel: Panel) -> str:
        """Return what a pane shows."""
        return READINGS if panel.is_image else self.kinds.get(panel.key, READINGS)

    def turn(self, panel: Panel, stream: StreamView, by: int) -> "Look":
        """Show the next kind in a pane."""
        there = kinds_of(panel, stream)
        kind = self.kind(panel)
        at = there.index(kind) if kind in there else 0
        rest = {key: value for key, value in self.kinds.items() if key != panel.key}
        fresh = there[(at + by) % len(there)]
        return replace(self, kinds=rest if fresh == READINGS else {**rest, panel.key: fresh})

    def pick(self, panel: Panel, stream: StreamView) -> "Look":
        """Take the next channel, or pair of channels, in a pane."""
        count = len(choices(self.seen(panel, stream), stream, self.kind(panel)))
        return replace(self, picks={**self.picks, panel.key: (self.picks.get(panel.key, 0) + 1) % max(1, count)})

    def shading(self, panel: Panel) -> Shading:
        """Return how a pane is coloured."""
        return self.shadings.get(panel.key, Shading())

    def shaded(self, panel: Panel, shading: Shading) -> "Look":
        """Colour a pane in another way."""
        rest = {key: value for key, value in self.shadings.items() if key != panel.key}
        return replace(self, shadings=rest if shading == Shading() else {**rest, panel.key: shading})

    def ranged(self, panels: Iterable[Panel], span: Span | None) -> "Look":
        """Give panes this range of their value axis; None: what their readings need."""
        keys = [panel.key for panel in panels]
        rest = {key: value for key, value in self.spans.items() if key not in keys}
        return replace(self, spans=rest if span is None else {**rest, **dict.fromkeys(keys, span)})

    def wider(self) -> "Look":
        """Put one more plot in a row, or as many as suit the screen again."""
        return replace(self, split=SPLITS[(SPLITS.index(self.split) + 1) % len(SPLITS)] if self.split in SPLITS else 0)


def kinds_of(panel: Panel, stream: StreamView) -> tuple[str, ...]:
    """Return what a pane can show, readings first."""
    if panel.is_image:
        return (READINGS,)
    lone = len(stream.channels) < 2
    # Six axes of two units may be those of an accelerometer and a gyroscope; whether they are the engine says.
    turns = len(stream.channels) >= 6 and len(set(stream.units)) >= 2
    left_out = {XY} if lone else set()
    return (READINGS, *(kind for kind in KINDS if kind not in left_out and (turns or kind != ATTITUDE)))


def choices(panel: Panel, stream: StreamView, kind: str) -> list[tuple[int, ...]]:
    """Return the channels among which a kind lets one choose."""
    if kind == SPECTROGRAM:
        return [(channel,) for channel in panel.channels]
    if kind == XY:
        others = [at for at in range(len(stream.channels)) if at not in panel.channels]
        return [*itertools.combinations(panel.channels, 2), *itertools.product(panel.channels, others)]
    return [panel.channels]


def asks(look: Look, panels: Iterable[Panel], streams: Iterable[StreamView]) -> tuple[Ask, ...]:
    """Return what the engine is to compute for the panes in sight, at most `MOST_FIGURES`."""
    known = {(stream.board, stream.name): stream for stream in streams}
    wanted = []
    for panel in panels:
        stream = known.get((panel.board, panel.stream))
        if (kind := look.kind(panel)) in (SPECTRUM, SPECTROGRAM, HISTOGRAM, XY, ATTITUDE) and stream is not None:
            there = choices(look.seen(panel, stream), stream, kind)
            channels = there[look.picks.get(panel.key, 0) % len(there)] if there else ()
            wanted.append(Ask(panel.board, panel.stream, kind, channels))
    return tuple(dict.fromkeys(wanted))[:MOST_FIGURES]
