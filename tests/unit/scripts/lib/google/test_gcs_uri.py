import pytest

from scripts.common import uris
from scripts.common.errors import ExitCode, UsageError


@pytest.mark.parametrize(
    "uri",
    [
        uris.LAB_SOURCE,
        "gs://bucket/file.dcm",
        "gs://bucket/*",
        "gs://bucket/a/*/b?.dcm",
        "gs://bucket/**",
        "gs://bucket/folder/**",
        "gs://bucket/folder/**.dcm",
        "gs://my.bucket_1-x/Ünïcode [1].dcm",
    ],
)
def test_forms_of_the_api_are_taken(uri: str) -> None:
    assert str(uris.parse(uri)) == uri


@pytest.mark.parametrize(
    ("uri", "culprit"),
    [
        ("s3://bucket/a.dcm", "not a Cloud Storage URI"),
        ("bucket/a.dcm", "not a Cloud Storage URI"),
        ("", "not a Cloud Storage URI"),
        ("gs://", "not the name of a bucket"),
        ("gs:///a.dcm", "not the name of a bucket"),
        ("gs://Bucket/a.dcm", "not the name of a bucket"),
        ("gs://b*/a.dcm", "holds a wildcard"),
        ("gs://bucket", "names a bucket but no object"),
        ("gs://bucket/", "names a bucket but no object"),
        ("gs://bucket/**/a.dcm", "neither at the end nor before an extension"),
        ("gs://bucket/a**b", "neither at the end nor before an extension"),
        ("gs://bucket/***", "neither at the end nor before an extension"),
        ("gs://bucket/*/**.dcm", "mixes ** with another wildcard"),
        ("gs://bucket/a?/**", "mixes ** with another wildcard"),
        ("gs://bucket/**.dcm/**.dcm", "mixes ** with another wildcard"),
    ],
)
def test_other_forms_name_the_rule(uri: str, culprit: str) -> None:
    with pytest.raises(UsageError) as caught:
        uris.parse(uri)
    assert culprit in caught.value.message
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.cure
