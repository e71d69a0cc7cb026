"""Makes the pictures of pages in the README: `python -m hil.report.picture PAGE.html OUT.png [--dark] [--size WxH]`.

Needs a Chromium on the search path; nothing else of the project does. The page is shown as a person sees it, and the
picture is reduced to 64 colours, which a page of text and lines does not mind.
"""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

from firmware_bridge.errors import MissingPart

__all__ = ["shoot"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync", "--hide-scrollbars")  # fmt: skip


def shoot(page: Path, output: Path, size: tuple[int, int] = (1200, 1100), dark: bool = False) -> None:
    """Write the top of a page as a PNG.

    Args:
        page: HTML file.
        output: PNG file; written anew.
        size: Pixels.
        dark: Whether in dark mode.

    Raises:
        MissingPart: There is no Chromium.
    """
    browser = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if browser is None:
        raise MissingPart("a picture of a page needs Chromium, which is not installed", str(page), "install chromium")
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        address = f"{page.resolve().as_uri()}?{'dark' if dark else 'light'}"
        options = (f"--user-data-dir={folder}/profile", f"--window-size={size[0]},{size[1]}", f"--screenshot={shot}")
        subprocess.run([browser, *_QUIET, *options, address], check=True, capture_output=True, timeout=120)
        with Image.open(shot) as picture:
            picture.convert("RGB").quantize(64).save(output, optimize=True)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m hil.report.picture", description=shoot.__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--size", default="1200x1100")
    given = parser.parse_args()
    width, _, height = given.size.partition("x")
    shoot(given.page, given.output, (int(width), int(height)), given.dark)


if __name__ == "__main__":
    main()
