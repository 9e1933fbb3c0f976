"""Paths of Cloud Storage (https://cloud.google.com/storage/docs/json_api/v1)."""

from collections.abc import Iterator

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Route

from emulator.storage import responses
from emulator.storage.responses import served

_BUCKETS = "/storage/v1/b"
_BUCKET = f"{_BUCKETS}/{{bucket}}"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_FORWARDED = (
    "/storage/v1/{path:path}",
    "/upload/storage/v1/{path:path}",
    "/resumable/upload/storage/v1/{path:path}",
    "/download/storage/v1/{path:path}",
    "/batch/storage/v1",
)
_NO_BUCKETS = ("batch", "bigquery", "discovery", "download", "resumable", "storage", "upload")


class _BucketName(Convertor[str]):
    """A bucket at the beginning of a path; a version of an API and a service's name are none."""

    regex = rf"(?!v\d|(?:{'|'.join(_NO_BUCKETS)})/)[a-z0-9][a-z0-9._-]{{1,220}}[a-z0-9]"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("bucket_name", _BucketName())


def routes() -> Iterator[Route]:
    """Every route; what is not about buckets themselves is passed on."""
    yield Route(_BUCKETS, served(responses.list_buckets), methods=["GET"])
    yield Route(_BUCKETS, served(responses.insert_bucket), methods=["POST"])
    yield Route(_BUCKET, served(responses.get_bucket), methods=["GET"])
    yield Route(_BUCKET, served(responses.patch_bucket), methods=["PATCH"])
    yield Route(_BUCKET, served(responses.put_bucket), methods=["PUT"])
    yield Route(_BUCKET, served(responses.delete_bucket), methods=["DELETE"])
    yield Route(f"{_BUCKET}/storageLayout", served(responses.get_layout), methods=["GET"])
    folders = f"{_BUCKET}/managedFolders"
    yield Route(folders, served(responses.list_managed_folders), methods=["GET"])
    yield Route(f"{_BUCKET}/iam", served(responses.get_policy), methods=["GET"])
    yield Route(f"{_BUCKET}/iam", served(responses.set_policy), methods=["PUT"])
    permissions = f"{_BUCKET}/iam/testPermissions"
    yield Route(permissions, served(responses.test_permissions), methods=["GET"])
    for path in _FORWARDED:
        yield Route(path, responses.forward, methods=_METHODS)


def objects() -> Iterator[Route]:
    """Objects at the paths of the XML API, as some client libraries and signed URLs read them.

    They look like much else: no other route may come behind them.
    """
    yield Route("/{bucket:bucket_name}/{object:path}", responses.forward, methods=_METHODS)
