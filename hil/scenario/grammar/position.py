"""Where every key of a TOML text stands: the line that `tomllib` does not tell.

Rule of this room: the text is known to be valid TOML, so that a small scanner suffices: headers, keys, and values that
are skipped whole. A path is a tuple of keys and of places in arrays of tables, from 0; a path inside an inline table or
an array leads to the line of its longest known beginning.
"""

from collections.abc import Sequence

__all__ = ["Path", "Positions"]

Path = tuple[str | int, ...]

_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


class Positions:
    """The line of every key.

    Args:
        text: Valid TOML.
    """

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._lines: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}
        """How many tables an array of tables has so far."""
        self._scan()

    def line(self, path: Sequence[str | int]) -> int:
        """Return the line of a key, counted from 1; of the nearest table around it where it is not there itself."""
        wanted = tuple(path)
        while wanted and wanted not in self._lines:
            wanted = wanted[:-1]
        return self._lines.get(wanted, 1)

    def has(self, path: Sequence[str | int]) -> bool:
        """Return whether a key stands in the text by itself (not inside an inline value)."""
        return tuple(path) in self._lines

    def _scan(self) -> None:
        table: Path = ()
        while True:
            self._blank(newlines=True)
            if self._at >= len(self._text):
                return
            line = self._text.count("\n", 0, self._at) + 1
            if self._text.startswith("[[", self._at):
                self._at += 2
                key = self._resolved(self._key("]"))
                number = self._tables.get(key, 0)
                self._tables[key] = number + 1
                table = (*key, number)
                self._note(key, line)
                self._note(table, line)
                self._at += 2
            elif self._text[self._at] == "[":
                self._at += 1
                table = self._resolved(self._key("]"))
                self._note(table, line)
                self._at += 1
            else:
                key = table + self._key("=")
                self._at += 1
                for end in range(len(table) + 1, len(key) + 1):
                    self._note(key[:end], line)
                self._value()

    def _note(self, path: Path, line: int) -> None:
        for end in range(1, len(path)):
            self._lines.setdefault(path[:end], line)
        self._lines.setdefault(path, line)

    def _resolved(self, key: Path) -> Path:
        """Put the place of the last table behind every array of tables that a header passes through."""
        found: Path = ()
        for at, part in enumerate(key):
            found = (*found, part)
            if at < len(key) - 1 and found in self._tables:
                found = (*found, self._tables[found] - 1)
        return found

    def _key(self, until: str) -> Path:
        parts: list[str | int] = []
        while True:
            self._blank()
            character = self._text[self._at : self._at + 1]
            if character in ("", until):
                return tuple(parts)
            if character == ".":
                self._at += 1
            elif character in "\"'":
                parts.append(self._string())
            else:
                start = self._at
                while self._at < len(self._text) and self._text[self._at] not in " \t.=]\n":
                    self._at += 1
                parts.append(self._text[start : self._at])
                if self._at == start:  # nothing of a key: not valid TOML
                    self._at += 1

    def _value(self) -> None:
        """Go behind a value: to the end of its line, outside of brackets."""
        depth = 0
        while self._at < len(self._text):
            character = self._text[self._at]
            if character in "\"'":
                self._string()
                continue
            if character == "#":
                self._comment()
                continue
            if character in "[{":
                depth += 1
            elif character in "]}":
                depth -= 1
            elif character == "\n" and depth <= 0:
                return
            self._at += 1

    def _string(self) -> str:
        quote = self._text[self._at]
        fence = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._at += len(fence)
        said: list[str] = []
        while self._at < len(self._text):
            if self._text.startswith(fence, self._at):
                self._at += len(fence)
                while len(fence) == 3 and self._text[self._at : self._at + 1] == quote:  # quotes before the fence
                    self._at += 1
                break
            character = self._text[self._at]
            if character == "\\" and quote == '"':
                said.append(_ESCAPES.get(self._text[self._at + 1 : self._at + 2], ""))
                self._at += 2
                continue
            said.append(character)
            self._at += 1
        return "".join(said)

    def _blank(self, newlines: bool = False) -> None:
        while self._at < len(self._text):
            character = self._text[self._at]
            if character == "#" and newlines:
                self._comment()
            elif character in " \t" or (newlines and character in "\r\n"):
                self._at += 1
            else:
                return

    def _comment(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end
