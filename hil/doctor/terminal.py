"""What the terminal can show: place characters, colours, braille, how large it is, how far away.

Rule of this room: pure, from an environment and a few facts; the terminal itself is asked nothing.
"""

from collections.abc import Iterator, Mapping

from hil.doctor.finding import OK, UNKNOWN, WARNING, Finding

__all__ = ["judge"]


def judge(environment: Mapping[str, str], is_terminal: bool, size: tuple[int, int], encoding: str) -> Iterator[Finding]:
    """Yield what the screen can do here.

    Args:
        environment: Variables.
        is_terminal: Whether somebody sees what is printed on stderr.
        size: Columns and rows.
        encoding: How characters are sent.
    """
    if not is_terminal:
        yield Finding(UNKNOWN, "terminal", "screen", "there is none here", "in a pipe use `hil ui --plain`")
        return
    name = environment.get("TERM", "")
    if name in ("", "dumb"):
        yield Finding(WARNING, "terminal", "screen", f"TERM is {name or 'not set'}, so that nothing can be placed",
                      "run `export TERM=xterm-256color` if the terminal is an ordinary one")  # fmt: skip
    else:
        yield Finding(OK, "terminal", "screen", f"{name} can place characters")
    if not encoding.lower().replace("-", "").startswith("utf8"):
        known = encoding or "nobody knows what"
        yield Finding(WARNING, "terminal", "characters", f"they are sent as {known}: no plots in braille",
                      "run `export LANG=C.UTF-8`, and set the terminal to UTF-8")  # fmt: skip
    else:
        yield Finding(OK, "terminal", "characters", "UTF-8, so that plots have eight dots a character")
    columns, rows = size
    if columns < 80 or rows < 24:
        yield Finding(WARNING, "terminal", "size", f"{columns}x{rows} is less than the screen is made for",
                      "make it 80x24 or larger")  # fmt: skip
    else:
        yield Finding(OK, "terminal", "size", f"{columns}x{rows}")
    yield _colours(environment, name)
    if environment.get("SSH_CONNECTION"):
        yield Finding(OK, "terminal", "distance", "it is at the other end of ssh",
                      "on a slow line use `hil ui --fps 2`; copying needs a terminal that takes OSC 52")  # fmt: skip
    if environment.get("TMUX") and "256color" not in name and "tmux" not in name:
        yield Finding(WARNING, "terminal", "tmux", f"TERM is {name} inside tmux",
                      "write `set -g default-terminal tmux-256color` into ~/.tmux.conf")  # fmt: skip


def _colours(environment: Mapping[str, str], name: str) -> Finding:
    if environment.get("NO_COLOR"):
        return Finding(OK, "terminal", "colours", "NO_COLOR is set: none are used, and words say everything")
    if environment.get("COLORTERM", "") in ("truecolor", "24bit"):
        return Finding(OK, "terminal", "colours", "16 million")
    if "256" in name:
        return Finding(OK, "terminal", "colours", "256: shades of a heat map are coarser")
    return Finding(WARNING, "terminal", "colours", "16 or fewer", "if it can more: `export COLORTERM=truecolor`")
