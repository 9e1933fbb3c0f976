"""Store and search instances with Apache Beam's connector; print a line of JSON for each result.

Usage: pipeline.py EMULATOR STORE FILES MESSAGE, where FILES is a pattern of objects and MESSAGE the
data of a notification of the store.
"""

import json
import sys
from typing import Any

import apache_beam as beam
from apache_beam.io import fileio
from apache_beam.io.gcp.healthcare import dicomclient, dicomio
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from google.auth.credentials import AnonymousCredentials

ANONYMOUS = AnonymousCredentials()  # type: ignore[no-untyped-call]
SEARCHES = [
    *(("instances", {"limit": limit}) for limit in ("2", "5", "100")),
    ("series", {}),
    ("studies", {}),
    ("studies", {"PatientID": "nobody"}),
]


class Client(dicomclient.DicomApiHttpClient):  # type: ignore[misc]
    """Beam's own client at the emulator's address, which is an attribute of its class."""

    healthcare_base_url = f"{sys.argv[1]}/v1"


def run(step: str, start: Any, *transforms: Any) -> None:
    """Run a pipeline, and print what its last transform returned."""
    # The default runner would download a program first.
    options = PipelineOptions()
    options.view_as(GoogleCloudOptions).no_auth = True
    with beam.Pipeline(runner=FnApiRunner(), options=options) as pipeline:
        results = pipeline | start
        for number, transform in enumerate(transforms):
            results |= f"{number}" >> transform

        def show(result: dict[str, Any]) -> None:
            if isinstance(result.get("input"), fileio.ReadableFile):
                result["input"] = result["input"].metadata.path
            sys.stdout.write(json.dumps({"step": step, **result}) + "\n")

        results | beam.Map(show)


if __name__ == "__main__":
    _, _, store, files, message = sys.argv
    _, project, _, region, _, dataset, _, name = store.split("/")
    there = {"project_id": project, "region": region, "dataset_id": dataset, "dicom_store_id": name}
    search = dicomio.DicomSearch(client=Client(), credential=ANONYMOUS)
    upload = dicomio.UploadToDicomStore(there, "fileio", client=Client(), credential=ANONYMOUS)
    run("upload", beam.Create([files]), fileio.MatchAll(), fileio.ReadMatches(), upload)
    queries = [{**there, "search_type": what, "params": params} for what, params in SEARCHES]
    run("search", beam.Create(queries), search)
    run(
        "message",
        beam.Create([message]),
        dicomio.FormatToQido(),
        beam.Map(lambda one: one["result"]),
        search,
    )
