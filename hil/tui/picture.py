"""A picture of the screen for documents: runs the demo or a recording without a terminal and keeps an SVG.

`python -m hil.tui.picture OUT.svg` is how the picture in the README is made. The file needs nothing from the network:
references to web fonts are taken out, and any monospaced font will do.
"""

import argparse
import asyncio
import re
import sys
from pathlib import Path

from hil.tui.app import HilApp
from hil.tui.feed import Client

__all__ = ["main", "picture"]


def picture(client: Client, size: tuple[int, int], seconds: float, keys: tuple[str, ...] = (), title: str = "") -> str:
    """Run the screen for some seconds and return what it then shows, as an SVG document.

    Args:
        client: The engine.
        size: Columns and rows.
        seconds: How long the bench runs before the picture is taken.
        keys: Keys that are pressed before.
        title: What stands above the picture.
    """

    async def run() -> str:
        app = HilApp(client, fps=5.0, owns=False)
        async with app.run_test(size=size) as pilot:
            await asyncio.sleep(seconds / 2)
            await pilot.press("escape", *keys)
            await asyncio.sleep(seconds / 2)
            svg = app.export_screenshot(title=title)
            app.live.feed.stop()
            return svg

    return re.sub(r"\s*@font-face\s*\{[^}]*\}", "", asyncio.run(run())).replace("Fira Code, monospace", "monospace")


def main(arguments: list[str] | None = None) -> int:
    """Take the picture that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m hil.tui.picture", description=__doc__)
    parser.add_argument("out", type=Path, help="SVG file to write")
    parser.add_argument("--file", help="a recording to replay instead of the demo")
    parser.add_argument("--size", default="150x42", help="columns x rows")
    parser.add_argument("--seconds", type=float, default=14.0, help="how long the bench runs before")
    parser.add_argument("--keys", default="", help="keys to press, separated by commas")
    told = parser.parse_args(arguments)
    from hil.attach import spawn_engine
    from hil.config import EngineConfig, ReplayConfig
    from hil.demo import demo_config

    config = EngineConfig(replay=ReplayConfig(path=told.file)) if told.file else demo_config(seed=7)
    columns, _, rows = told.size.partition("x")
    keys = tuple(filter(None, told.keys.split(",")))
    with spawn_engine(config) as client:
        svg = picture(client, (int(columns), int(rows)), told.seconds, keys, "hil ui" if told.file else "hil demo")
    told.out.write_text(svg, encoding="utf-8")
    print(f"{told.out}: {len(svg) / 1000:.0f} kB", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
