"""Runs of pipelines, each with a folder on Cloud Storage that has what resumes it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from google.api_core.exceptions import NotFound

from scripts.lib.errors import ScriptError, UsageError
from scripts.lib.google import clients, retry
from scripts.lib.google.errors import translate_errors
from scripts.lib.options import ROOT

TEMPLATES = ROOT / "pipelines/templates"
NAMES = ("ingest", "features", "cohort")
RECORD, REPORT = "launch.json", "report.json"

Json = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """How a pipeline is launched.

    Attributes:
        uri: of the template's file on Cloud Storage; empty for that of the stack, or for lack of
            one, for the metadata in this repository
        image: of the pipeline; empty for `LOCATION-docker.pkg.dev/PROJECT/pipelines/...`
        account: address of the worker service account; empty for the project's default one
        options: of Beam, `--NAME=VALUE`
        environment: more fields of the runtime environment
    """

    uri: str = ""
    image: str = ""
    account: str = ""
    options: tuple[str, ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)


def with_stack(pipeline: str, template: Template, workers: Mapping[str, Any]) -> Template:
    """Return a template with what the stack has for it.

    The stack's template has the environment of its jobs; another image gets it from the outputs.

    Args:
        pipeline: its name
        template: as the command line names it
        workers: the output `pipelines` of the stack; empty without one
    """
    if template.uri:
        return template
    environment: Json = {**template.environment}
    if not template.image and pipeline in workers.get("templates", {}):
        return replace(template, uri=workers["templates"][pipeline])
    if workers.get("subnetwork"):
        environment = {
            "subnetwork": workers["subnetwork"],
            "ipConfiguration": "WORKER_IP_PRIVATE",
            "maxWorkers": int(workers["maxWorkers"]),
            "tempLocation": f"gs://{workers['bucket']}/temp/",
            "stagingLocation": f"gs://{workers['bucket']}/staging/",
            **environment,
        }
    account = template.account or workers.get("serviceAccount", "")
    return replace(template, account=account, environment=environment)


def parameters_of(pipeline: str, pairs: Iterable[str]) -> dict[str, str]:
    """Return the parameters in `NAME=VALUE` arguments.

    Raises:
        UsageError: one is unknown, or has no value
    """
    known = known_parameters(pipeline)
    given = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in known:
            raise UsageError(
                f"{pair!r} is not a valid parameter of {pipeline}.",
                f"The form is NAME=VALUE, where NAME is one of\n{described(known)}",
            )
        given[name] = value
    return given


def known_parameters(pipeline: str) -> dict[str, Json]:
    """Return the metadata of a pipeline's parameters, by their names.

    Raises:
        UsageError: there is no such pipeline
    """
    if pipeline not in NAMES:
        raise UsageError(
            f"There is no pipeline {pipeline!r}.", f"The form is one of {', '.join(NAMES)}."
        )
    return {one["name"]: one for one in metadata(pipeline)["parameters"]}


def described(parameters: Mapping[str, Json]) -> str:
    """Return a line for each parameter; those that may be left out are in brackets."""
    names = {
        name: f"[{name}]" if one.get("isOptional") else name for name, one in parameters.items()
    }
    width = max(map(len, names.values()))
    return "\n".join(f"  {names[one]:{width}}  {parameters[one]['helpText']}" for one in parameters)


def check_complete(pipeline: str, given: Mapping[str, str]) -> None:
    """Refuse the lack of a parameter.

    Raises:
        UsageError: one is missing
    """
    for one in metadata(pipeline)["parameters"]:
        if one["name"] not in given and not one.get("isOptional"):
            raise UsageError(
                f"{pipeline} needs the parameter {one['name']}.",
                f"The form is {one['name']}=VALUE. {one['helpText']}.",
            )


def metadata(pipeline: str) -> Json:
    """Return the metadata of a pipeline's template."""
    found: Json = json.loads((TEMPLATES / f"{pipeline}.json").read_text("utf-8"))
    return found


def launch_parameter(
    pipeline: str, given: Mapping[str, str], template: Template, project: str, location: str
) -> Json:
    """Return the LaunchFlexTemplateParameter of a run.

    Its name depends on the folder, so that Dataflow refuses a second job in it at the same time.
    """
    digest = hashlib.sha256(given["output"].rstrip("/").encode()).hexdigest()[:10]
    environment: Json = {**template.environment}
    if template.account:
        environment["serviceAccountEmail"] = template.account
    if template.options:
        environment["additionalPipelineOptions"] = [*template.options]
    repository = f"{location}-docker.pkg.dev/{project}/pipelines"
    image = template.image or f"{repository}/{pipeline}-pipeline:latest"
    source: Json = {"containerSpecGcsPath": template.uri}
    if not template.uri:
        spec = {"image": image, "metadata": metadata(pipeline), "sdkInfo": {"language": "PYTHON"}}
        source = {"containerSpec": spec}
        environment.setdefault("sdkContainerImage", image)
    return {
        "jobName": f"{pipeline}-{digest}",
        **source,
        "parameters": dict(given),
        "environment": environment,
    }


class Folder:
    """The folder of a run.

    Args:
        uri: `gs://BUCKET/FOLDER`
        project: that is billed for the calls

    Raises:
        UsageError: it is not such a URI
    """

    def __init__(self, uri: str, project: str) -> None:
        bucket, _, prefix = uri.removeprefix("gs://").strip("/").partition("/")
        if not uri.startswith("gs://") or not prefix:
            raise UsageError(
                f"{uri!r} is not a valid folder of a run.", "The form is gs://BUCKET/FOLDER."
            )
        self.uri = f"gs://{bucket}/{prefix}/"
        self._prefix = f"{prefix}/"
        self._bucket = clients.cloud_storage(project).bucket(bucket)

    def read(self, name: str) -> Json | None:
        """Return a JSON object in the folder; None if there is none.

        Raises:
            ScriptError: Cloud Storage refuses or can't be reached
        """
        blob = self._bucket.blob(self._prefix + name)
        with translate_errors(f"reading {self.uri}{name}"):
            try:
                content = retry.call(lambda: blob.download_as_bytes(retry=retry.ONCE))
            except NotFound:
                return None
        found: Json = json.loads(content)
        return found

    def record(self) -> Json:
        """Return what the launch of the run wrote.

        Raises:
            ScriptError: there is none
        """
        found = self.read(RECORD)
        if found is None:
            raise ScriptError(
                f"{self.uri} has no {RECORD}: no run was launched with it.",
                "Check the URI. It is the output of the run that is to be resumed.",
            )
        return found

    def write_record(self, record: Json) -> None:
        """Write what resumes the run.

        Raises:
            ScriptError: Cloud Storage refuses or can't be reached
        """
        blob = self._bucket.blob(self._prefix + RECORD)
        content = json.dumps(record, indent=2)
        with translate_errors(f"writing {self.uri}{RECORD}"):
            retry.call(
                lambda: blob.upload_from_string(
                    content, content_type="application/json", retry=retry.ONCE
                )
            )
