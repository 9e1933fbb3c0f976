"""Copy the viewer into a folder, as the image of the gateway does: `python -m viewer FOLDER`."""

import shutil
import sys

from viewer.fetch import ViewerError, fetch

_USAGE = 2


def main() -> int:
    """Fetch the viewer and copy its files; return the exit code."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m viewer FOLDER\n")
        return _USAGE
    try:
        shutil.copytree(fetch(_report), sys.argv[1])
    except (ViewerError, FileExistsError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _report(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
