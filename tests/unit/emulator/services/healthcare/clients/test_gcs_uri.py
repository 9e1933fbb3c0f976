"""The wildcard rules of imports, as a table."""

import pytest

from emulator.core.errors import ApiError
from emulator.services.healthcare.clients import gcs_uri

NAMES = ["a.dcm", "ab.dcm", "d/a.dcm", "d/e/b.dcm", "d/e/b.txt", "d/e/", "d/[x].dcm", "d/x.dcm"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a.dcm", ["a.dcm"]),
        ("*.dcm", ["a.dcm", "ab.dcm"]),
        ("?.dcm", ["a.dcm"]),
        ("a?.dcm", ["ab.dcm"]),
        ("d/*", ["d/a.dcm", "d/[x].dcm", "d/x.dcm"]),
        ("d/?/*.dcm", ["d/e/b.dcm"]),
        ("*/a.dcm", ["d/a.dcm"]),
        ("**", ["a.dcm", "ab.dcm", "d/a.dcm", "d/e/b.dcm", "d/e/b.txt", "d/[x].dcm", "d/x.dcm"]),
        ("d/**", ["d/a.dcm", "d/e/b.dcm", "d/e/b.txt", "d/[x].dcm", "d/x.dcm"]),
        ("d/**.dcm", ["d/a.dcm", "d/e/b.dcm", "d/[x].dcm", "d/x.dcm"]),
        ("d/[x].dcm", ["d/[x].dcm"]),
        ("absent*", []),
    ],
)
def test_what_a_pattern_means(pattern: str, expected: list[str]) -> None:
    source = gcs_uri.parse(f"gs://some-bucket/{pattern}")
    assert [name for name in NAMES if source.matches(name)] == expected
    assert all(name.startswith(source.prefix) for name in expected)


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "begin with gs://"),
        ("s3://bucket/a", "begin with gs://"),
        ("gs://", "not the name of a bucket"),
        ("gs://b", "not the name of a bucket"),
        ("gs://bucket", "names no object"),
        ("gs://bucket/", "names no object"),
        ("gs://buck*t/a.dcm", "wildcards are not allowed in the bucket"),
        ("gs://b?cket/a.dcm", "wildcards are not allowed in the bucket"),
        ("gs://UPPER/a.dcm", "not the name of a bucket"),
        ("gs://bucket/**/a.dcm", "only at the end or before an extension"),
        ("gs://bucket/a**b.dcm", "only at the end or before an extension"),
        ("gs://bucket/***", "only at the end or before an extension"),
        ("gs://bucket/**/**", "only at the end or before an extension"),
        ("gs://bucket/**.d*", "only at the end or before an extension"),
        ("gs://bucket/*/**", "together with other wildcards"),
        ("gs://bucket/a?/**.dcm", "together with other wildcards"),
    ],
)
def test_other_forms_are_refused_with_the_reason(uri: str, reason: str) -> None:
    with pytest.raises(ApiError) as caught:
        gcs_uri.parse(uri)
    assert caught.value.code == 400
    assert reason in caught.value.message
    assert repr(uri) in caught.value.message
