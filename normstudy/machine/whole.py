"""Files that are whole at any moment: written aside, and moved into place in one step."""

import os
from contextlib import suppress
from pathlib import Path


def write(file: Path, content: bytes) -> None:
    """Put a file into its place, or its new content; its folder is made where it is missing.

    Raises:
        OSError: it cannot be written. What was there stays.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        aside.write_bytes(content)
        aside.replace(file)
    except OSError:
        with suppress(OSError):
            aside.unlink()
        raise
