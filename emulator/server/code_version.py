"""The version of the emulator's code, to find a running server that an upgrade left behind."""

import hashlib
from pathlib import Path

import emulator


def code_version() -> str:
    """Return a hash of the package's Python files, the same wherever they are installed."""
    root = Path(emulator.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]
