"""The engines that run pipelines: their names here, and what each needs on this machine.

Documented: https://beam.apache.org/documentation/runners/flink/ and
https://beam.apache.org/documentation/runners/spark/.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

DIRECT, DATAFLOW, FLINK, SPARK = "FnApiRunner", "DataflowRunner", "FlinkRunner", "SparkRunner"
"""Beam's names. The direct runner has the name that does not try Prism first, which would download
itself."""
_NAMES = {
    "direct": DIRECT, "directrunner": DIRECT, "fnapirunner": DIRECT,
    "dataflow": DATAFLOW, "dataflowrunner": DATAFLOW,
    "flink": FLINK, "flinkrunner": FLINK,
    "spark": SPARK, "sparkrunner": SPARK,
}  # fmt: skip
_JAR = {FLINK: "flink_job_server_jar", SPARK: "spark_job_server_jar"}

Find = Callable[[str], str | None]


class EngineError(Exception):
    """An engine that can't run here, in a sentence for people."""


def name_of(runner: str | None) -> str:
    """Return Beam's name of an engine: the direct runner by default, others as they are."""
    return _NAMES.get((runner or DIRECT).lower(), runner or DIRECT)


def check(
    runner: str, options: dict[str, object], find: Find = shutil.which, is_file: Find | None = None
) -> None:
    """Check what the job server of Flink or Spark needs here, before anything runs.

    Args:
        runner: by Beam's name
        options: of Beam
        find: returns the path of a program; None if there is none
        is_file: returns the path of a file; None if there is none

    Raises:
        EngineError: Java or the job server's jar is missing
    """
    if runner not in _JAR or options.get("job_endpoint"):
        return
    submits = "flink_submit_uber_jar" if runner == FLINK else "spark_submit_uber_jar"
    if not options.get(submits) and find("java") is None:
        raise EngineError(
            f"{runner} starts a job server, which needs Java, and there is no java on PATH: install"
            " a JRE, or name a job server that runs by --job_endpoint=HOST:PORT."
        )
    jar = str(options.get(_JAR[runner]) or "")
    if jar and not urlsplit(jar).scheme and (is_file or _is_file)(jar) is None:
        raise EngineError(
            f"--{_JAR[runner]}: there is no file {jar}. Without the option Beam downloads the jar"
            " of its own version from Maven Central."
        )


def _is_file(path: str) -> str | None:
    return path if Path(path).is_file() else None
