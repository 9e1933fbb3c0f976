"""`gs://` URIs of load jobs: bqemulator reads the files of fake-gcs-server's folder.

bqemulator would write exports there too, as files without the metadata of objects, which break the
listing of a bucket. So a URI is one of an object that exists: exports are refused.
"""

from pathlib import Path
from typing import Any

_SCHEME = "gs://"


def read_only() -> None:
    """Let bqemulator resolve URIs of objects that exist, and no others."""
    from bqemulator.domain.errors import InvalidQueryError
    from bqemulator.jobs import executor

    resolve = executor._resolve_uri

    def checked(uri: str, ctx: Any) -> str:
        path: str = resolve(uri, ctx)
        if uri.startswith(_SCHEME) and not exists(Path(path)):
            raise InvalidQueryError(f"Not found: URI {uri}")
        return path

    executor._resolve_uri = checked


def exists(path: Path) -> bool:
    """Whether there is a file of a path, whose name may have wildcards."""
    return path.is_file() or any(path.parent.glob(path.name))
