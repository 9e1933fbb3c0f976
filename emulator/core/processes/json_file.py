"""JSON files that another process may read at any time."""

import json
import threading
from pathlib import Path


def write_json(path: Path, content: object) -> None:
    """Write a JSON file completely or not at all."""
    draft = path.with_suffix(f".{threading.get_ident()}.draft")
    draft.write_text(json.dumps(content))
    draft.replace(path)
