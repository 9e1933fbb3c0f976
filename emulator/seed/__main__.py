"""Worker process of `bucket`: `python -m emulator.seed STORAGE_FOLDER`, with names on stdin."""

import sys
from pathlib import Path

from emulator.seed import bucket, records


def main() -> None:
    """Add each named image to the bucket, and print its name when it is in place."""
    wanted = set(sys.stdin.read().split())
    for record in records.load():
        if record.image in wanted:
            bucket.add_object(Path(sys.argv[1]), record)
            # Fails if the parent process has ended: then the worker ends as well.
            sys.stdout.write(f"{record.image}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
