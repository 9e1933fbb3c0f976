"""Engines of pipelines: names, and what is missing for them."""

import pytest

from pipelines.common import engines
from pipelines.common.engines import DATAFLOW, DIRECT, FLINK, SPARK, EngineError


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (None, DIRECT),
        ("direct", DIRECT),
        ("DirectRunner", DIRECT),
        ("dataflow", DATAFLOW),
        ("Flink", FLINK),
        ("SparkRunner", SPARK),
        ("PrismRunner", "PrismRunner"),
    ],
)
def test_names(given: str | None, name: str) -> None:
    assert engines.name_of(given) == name


def check(runner: str, java: bool = True, **options: object) -> None:
    found = "/usr/bin/java" if java else None
    here = {"/jars/server.jar"}
    engines.check(runner, options, lambda _: found, lambda path: path if path in here else None)


@pytest.mark.parametrize("runner", [FLINK, SPARK])
def test_a_job_server_needs_java(runner: str) -> None:
    check(runner)
    check(runner, java=False, job_endpoint="localhost:8099")
    with pytest.raises(EngineError, match=f"{runner} starts a job server.*no java on PATH"):
        check(runner, java=False)


def test_a_jar_has_to_exist() -> None:
    check(FLINK, flink_job_server_jar="/jars/server.jar")
    check(FLINK, flink_job_server_jar="https://example.org/server.jar")
    with pytest.raises(EngineError, match="--spark_job_server_jar: there is no file /jars/other"):
        check(SPARK, spark_job_server_jar="/jars/other.jar")


def test_other_engines_need_nothing() -> None:
    check(DIRECT, java=False)
    check(DATAFLOW, java=False)
