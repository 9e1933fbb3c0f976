import pytest

from scripts.lib.errors import ExitCode, UsageError
from scripts.lib.google import gcs_uri


@pytest.mark.parametrize(
    "uri",
    [
        gcs_uri.LAB_SOURCE,
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
    assert str(gcs_uri.parse(uri)) == uri


@pytest.mark.parametrize(
    ("uri", "culprit"),
    [
        ("s3://bucket/a.dcm", "not a valid Cloud Storage URI"),
        ("bucket/a.dcm", "not a valid Cloud Storage URI"),
        ("", "not a valid Cloud Storage URI"),
        ("gs://", "not a valid bucket name"),
        ("gs:///a.dcm", "not a valid bucket name"),
        ("gs://Bucket/a.dcm", "not a valid bucket name"),
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
        gcs_uri.parse(uri)
    assert culprit in caught.value.message
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.hint
