"""Paths of Cloud Storage (https://cloud.google.com/storage/docs/json_api/v1)."""

from collections.abc import Iterator
from functools import partial

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Route

from emulator.core import rest
from emulator.core.route_tree import LazyRoute
from emulator.services.storage import errors, responses
from emulator.services.storage.methods import NO_BUCKETS
from emulator.services.storage.service import Storage

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_FORWARDED = (
    "/storage/v1/{path:path}",
    "/b/{path:path}",
    "/upload/storage/v1/{path:path}",
    "/resumable/upload/storage/v1/{path:path}",
    "/download/storage/v1/{path:path}",
    "/batch/storage/v1",
    # Objects at the paths of the XML API, as some client libraries and signed URLs read them.
    "/{bucket:bucket_name}/{object:path}",
)


class _BucketName(Convertor[str]):
    """A bucket at the beginning of a path; a version of an API and a service's name are none."""

    regex = rf"(?!v\d|(?:{'|'.join(NO_BUCKETS)})/)[a-z0-9][a-z0-9._-]{{1,220}}[a-z0-9]"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("bucket_name", _BucketName())


def routes(storage: Storage) -> Iterator[Route]:
    """Yield every route; calls that are not about buckets themselves go to the backend."""
    for root in ("/storage/v1", ""):  # without it: see `discovery.whole_path`
        yield from _buckets(storage, root)
    for path in _FORWARDED:
        yield Route(path, partial(responses.forward, storage), methods=_METHODS)


def _buckets(storage: Storage, root: str) -> Iterator[Route]:
    bucket = f"{root}/b/{{bucket}}"
    for verb, path, handler in (
        ("GET", f"{root}/b", responses.list_buckets),
        ("POST", f"{root}/b", responses.insert_bucket),
        ("GET", bucket, responses.get_bucket),
        ("PATCH", bucket, responses.patch_bucket),
        ("PUT", bucket, responses.put_bucket),
        ("DELETE", bucket, responses.delete_bucket),
        ("GET", f"{bucket}/storageLayout", responses.get_layout),
        ("GET", f"{bucket}/managedFolders", responses.list_managed_folders),
        ("GET", f"{bucket}/iam", responses.get_policy),
        ("PUT", f"{bucket}/iam", responses.set_policy),
        ("GET", f"{bucket}/iam/testPermissions", responses.test_permissions),
    ):
        endpoint = rest.endpoint(storage, handler, render_error=errors.to_storage_error)
        yield LazyRoute(path, endpoint, verb)
