"""Objects of Cloud Storage, by google-cloud-storage, which reads `STORAGE_EMULATOR_HOST`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.api_core.exceptions import (
    GoogleAPICallError,
    NotFound,
    RetryError,
)
from google.cloud import storage
from requests import RequestException

from workloads.common import google

_URI = re.compile(r"gs://(?P<bucket>[a-z0-9][a-z0-9._-]+)(?:/(?P<name>.*))?")
_CONNECTIONS = 4
_FIELDS = "items(name,generation,size),prefixes,nextPageToken"


class UriError(ValueError):
    """A `gs://` URI that is not valid, in a sentence for people."""


class ReadError(Exception):
    """An object that can't be read, with the reason.

    Args:
        reason: for people
        is_missing: whether there is no such object
    """

    def __init__(self, reason: str, *, is_missing: bool = False) -> None:
        super().__init__(reason)
        self.is_missing = is_missing


@dataclass(frozen=True)
class File:
    """An object as it was listed.

    Attributes:
        bucket: its name
        name: of the object
        generation: changes with each write of the object
        size: bytes
    """

    bucket: str
    name: str
    generation: int
    size: int

    @classmethod
    def of(cls, key: str, size: int) -> "File":
        """Return the file of a key, of some bytes."""
        uri, _, generation = key.rpartition("#")
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        return cls(bucket, name, int(generation), size)

    @property
    def key(self) -> str:
        """One content of one object: `gs://BUCKET/NAME#GENERATION`, as gcloud writes it."""
        return f"gs://{self.bucket}/{self.name}#{self.generation}"


def split(uri: str) -> tuple[str, str]:
    """Return the bucket and the name in a `gs://` URI.

    Raises:
        UriError: not such a URI
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise UriError(f"{uri!r} is not a valid Cloud Storage URI: write gs://BUCKET/FOLDER.")
    return match["bucket"], match["name"] or ""


def folder(uri: str) -> str:
    """Return a `gs://` URI with one slash at its end.

    Raises:
        UriError: not such a URI
    """
    split(uri)
    return uri.rstrip("/") + "/"


class Objects:
    """The objects of Cloud Storage, as the credentials of the environment reach them.

    Args:
        project: that pays for requests, if any
    """

    def __init__(self, project: str | None = None) -> None:
        # The library's own session would read the whole environment again for each call.
        session = google.session(_CONNECTIONS)
        credentials: Any = session.credentials
        # The library wants some project, though none of these calls needs one.
        self._client = storage.Client(
            project=project or "none", credentials=credentials, _http=session
        )

    def files(self, uri: str) -> Iterator[File]:
        """Yield all objects whose names begin with those of a URI, but for markers of folders."""
        bucket, prefix = split(uri)
        for blob in self._client.list_blobs(bucket, prefix=prefix, fields=_FIELDS):
            if not blob.name.endswith("/"):
                yield File(bucket, blob.name, blob.generation, blob.size)

    def level(self, uri: str) -> tuple[list[File], list[str]]:
        """Return the objects of one level below a URI, and the URIs of the folders below it."""
        bucket, prefix = split(uri)
        found = self._client.list_blobs(bucket, prefix=prefix, delimiter="/", fields=_FIELDS)
        files = [
            File(bucket, blob.name, blob.generation, blob.size)
            for blob in found
            if not blob.name.endswith("/")
        ]
        return files, [f"gs://{bucket}/{name}" for name in sorted(found.prefixes)]

    def read(self, uri: str, generation: int | None = None) -> bytes:
        """Return the content of an object.

        Raises:
            ReadError: it does not exist any more, or Cloud Storage fails for minutes
        """
        bucket, name = split(uri)
        blob = self._client.bucket(bucket).blob(name, generation=generation)
        try:
            content: bytes = blob.download_as_bytes()
        except NotFound as error:
            raise ReadError(
                "the object was changed or deleted since it was listed", is_missing=True
            ) from error
        except (GoogleAPICallError, RetryError, RequestException) as error:
            raise ReadError(f"Cloud Storage failed ({type(error).__name__})") from error
        return content

    def write(self, uri: str, content: bytes, media_type: str) -> None:
        """Write an object in the place of any other of its name."""
        bucket, name = split(uri)
        blob = self._client.bucket(bucket).blob(name)
        # Safe to retry, whatever the library thinks: the same content takes the same place.
        blob.upload_from_string(content, content_type=media_type, retry=storage.retry.DEFAULT_RETRY)
