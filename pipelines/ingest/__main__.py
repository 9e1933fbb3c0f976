"""The command line of the ingest, in the environment of the pipelines."""

import json
import sys
from importlib.resources import files
from pathlib import Path

from pipelines.common import running
from pipelines.common.objects import Objects, UriError, folder, split
from pipelines.ingest import pipeline
from pipelines.ingest.ingestion import DEAD_LETTERS
from pipelines.ingest.rules import Rules, RulesError, parse
from workloads.common.dicomweb import STORE

_DESCRIPTION = """Store the DICOM files below a prefix of Cloud Storage in a DICOM store.

Rules fix or reject files. Each file is stored once, however often this runs."""


def main(arguments: list[str]) -> int:
    """Run an ingest; return the exit code."""
    parser = running.parser(pipeline.NAME, _DESCRIPTION)
    add = parser.add_argument
    add("--source", required=True, metavar="GS_URI", help="prefix of the files")
    add("--store", required=True, help="projects/P/locations/L/datasets/D/dicomStores/S")
    add("--rules", default="", metavar="FILE", help="YAML, here or gs://; default_rules.yaml shows")
    add("--suffix", default="", help="take only names with this end, such as .dcm")
    add("--levels", type=int, default=1, help="levels of folders to list side by side (default 1)")
    add("--patience", type=float, default=300.0, help="seconds to retry a file (default 300)")
    add(
        "--again",
        default="failed",
        help=f"resume: comma-separated dead letters to try again, of {', '.join(_dead())}",
    )
    known, rest = parser.parse_known_args(arguments)
    if not STORE.fullmatch(known.store):
        parser.error(f"--store {known.store!r} is not the full name of a DICOM store")
    if unknown := sorted({*filter(None, known.again.split(","))} - DEAD_LETTERS):
        parser.error(f"--again {unknown[0]!r} is none of {', '.join(_dead())}")
    try:
        split(known.source)
        settings = pipeline.Settings(
            known.source,
            known.store,
            folder(known.output),
            _rules(known.rules),
            known.suffix,
            known.levels,
            known.requests_per_second,
            known.patience,
            frozenset(filter(None, known.again.split(","))),
        )
    except (RulesError, UriError, OSError) as error:
        parser.error(str(error))
    options = running.options_of(rest)
    running.run(options, lambda begun: pipeline.build(begun, settings), known)
    if not running.ends_here(options):
        return 0
    report = json.loads(Objects().read(f"{settings.output}report.json"))
    sys.stdout.write(json.dumps(report) + "\n")
    return 0


def _dead() -> list[str]:
    return sorted(DEAD_LETTERS)


def _rules(uri: str) -> Rules:
    if not uri:
        return parse(files("pipelines.ingest").joinpath("default_rules.yaml").read_text())
    return parse(Objects().read(uri).decode() if uri.startswith("gs://") else Path(uri).read_text())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
