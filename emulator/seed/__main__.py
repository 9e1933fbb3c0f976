"""Worker of `bucket`: `python -m emulator.seed STORAGE_FOLDER`, image names on standard input."""

import sys
from pathlib import Path

from emulator.seed import bucket, records


def main() -> None:
    """Make each image that is named, and name it when it is in place."""
    wanted = set(sys.stdin.read().split())
    for record in records.load():
        if record.image in wanted:
            bucket.place(Path(sys.argv[1]), record)
            # Fails when the starter has died: then the worker ends as well.
            sys.stdout.write(f"{record.image}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
