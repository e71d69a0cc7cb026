"""`python -m hil.librarian`: one librarian as a process, until stdin ends or somebody says `quit`."""

from hil.door.leash import attend
from hil.librarian.librarian import Librarian

if __name__ == "__main__":
    raise SystemExit(attend(Librarian))
