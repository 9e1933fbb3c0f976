"""Beam's options and runs: the direct runner by default, other engines by `--runner`."""

import logging
import os
import sys
import threading
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    SetupOptions,
    StandardOptions,
    WorkerOptions,
)

from pipelines.common import engines
from pipelines.common.engines import DATAFLOW, DIRECT, EngineError
from pipelines.supervisor import WORKER_LOST
from workloads.common import logs
from workloads.common.logs import Log

_USAGE = 2
_TRANSFORMS = ("beam_control_read", "run_worker")
"""Threads of the direct runner that end with an exception when a worker is lost (observed)."""
EPILOG = """
Other options are Beam's: --runner direct, dataflow, flink or spark, --direct_num_workers,
--project, --region, --temp_location, --flink_master, --spark_master_url, --environment_type ...
Exit codes: 0 success, also with dead letters; 1 failure; 2 usage error.
"""


def parser(name: str, description: str) -> ArgumentParser:
    """Return the parser of the options of a pipeline's own."""
    created = ArgumentParser(
        f"python -m pipelines {name}",
        description=description,
        epilog=EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    created.add_argument(
        "--output",
        required=True,
        metavar="GS_URI",
        help="folder of this run: its ledger, dead letters and report; the same folder resumes it",
    )
    created.add_argument(
        "--requests_per_second",
        type=float,
        default=0.0,
        metavar="NUMBER",
        help="requests to the store, of each worker process; 0 slows down only when it is refused",
    )
    return created


def options_of(arguments: Sequence[str]) -> PipelineOptions:
    """Return Beam's options; the direct runner gets a process for each core.

    Raises:
        SystemExit: an engine lacks something here; exit code 2
    """
    options = PipelineOptions([*arguments])
    standard = options.view_as(StandardOptions)
    standard.runner = engines.name_of(standard.runner)
    try:
        engines.check(standard.runner, options.get_all_options())
    except EngineError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(_USAGE) from None
    if standard.runner == DIRECT:
        direct = options.view_as(DirectOptions)
        if not any(word.startswith("--direct_running_mode") for word in arguments):
            direct.direct_running_mode = "multi_processing"
        workers = any(word.startswith("--direct_num_workers") for word in arguments)
        if not workers and direct.direct_running_mode != "in_memory":
            direct.direct_num_workers = os.cpu_count() or 1
    images, setup = options.view_as(WorkerOptions), options.view_as(SetupOptions)
    if images.sdk_container_image and setup.sdk_location == "default":
        setup.sdk_location = "container"  # the image has Beam: nothing is staged
    return options


def run(
    options: PipelineOptions, build: Callable[[beam.Pipeline], object], known: Namespace
) -> beam.runners.runner.PipelineResult:
    """Run a pipeline; wait for its end, but not on Dataflow, as templates must not wait.

    Args:
        options: of Beam
        build: adds the transforms to the pipeline
        known: options of the pipeline's own, for the log
    """
    logs.configure()
    log = Log("pipeline")
    if is_direct(options):
        _end_with_lost_workers()
    if ends_here(options):
        logging.getLogger().setLevel(logging.ERROR)
    log.info("started", output=known.output)
    pipeline = beam.Pipeline(options=options)
    build(pipeline)
    result = pipeline.run()
    if ends_here(options):
        result.wait_until_finish()
        log.info("finished", output=known.output, state=str(result.state))
    return result


def is_direct(options: PipelineOptions) -> bool:
    """Whether the pipeline runs on the direct runner."""
    return str(options.view_as(StandardOptions).runner) == DIRECT


def ends_here(options: PipelineOptions) -> bool:
    """Whether the pipeline has ended when this process ends, as on all engines but Dataflow."""
    return str(options.view_as(StandardOptions).runner) != DATAFLOW


def _end_with_lost_workers() -> None:
    """End this process when a worker dies: the direct runner would wait for it forever.

    The supervisor kills the other workers and runs the pipeline again.
    """

    def ended(failure: threading.ExceptHookArgs) -> None:
        name = failure.thread.name if failure.thread else ""
        if name.startswith(_TRANSFORMS):
            Log("pipeline").error("a worker was lost", thread=name)
            sys.stderr.flush()
            os._exit(WORKER_LOST)
        threading.__excepthook__(failure)

    threading.excepthook = ended
