"""URIs of Cloud Storage."""

import pytest

from pipelines.common.objects import File, UriError, folder, split


def test_a_uri_has_a_bucket_and_a_name() -> None:
    assert split("gs://bucket/a/b.dcm") == ("bucket", "a/b.dcm")
    assert split("gs://bucket") == ("bucket", "")


def test_a_folder_ends_with_one_slash() -> None:
    assert folder("gs://bucket/run//") == folder("gs://bucket/run") == "gs://bucket/run/"


@pytest.mark.parametrize("uri", ["s3://bucket/a", "gs://", "/a", "gs:///a"])
def test_other_uris_are_refused(uri: str) -> None:
    with pytest.raises(UriError, match="is not a valid Cloud Storage URI"):
        split(uri)


def test_a_key_names_one_content() -> None:
    assert File("b", "a.dcm", 7, 10).key == "gs://b/a.dcm#7"


def test_a_key_leads_back_to_its_file() -> None:
    for name in ("a.dcm", "in/folder 1/a#2.dcm"):
        file = File("b", name, 7, 10)
        assert File.of(file.key, 10) == file
