"""Flex templates: their specification, and the command line of a launch.

Documented (https://cloud.google.com/dataflow/docs/guides/templates/using-flex-templates and
https://cloud.google.com/dataflow/docs/reference/rest/v1b3/projects.locations.flexTemplates/launch).
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from emulator.core.discovery import api
from emulator.core.errors import ApiError, invalid_argument

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,1022}[a-z0-9])?")
_URI = re.compile(r"gs://(?P<bucket>[^/]+)/(?P<name>.+)")
_INVALID = "type.googleapis.com/google.dataflow.v1beta3.InvalidTemplateParameters"

Json = dict[str, Any]
Read = Callable[[str, str], bytes]
"""Takes a bucket and the name of an object, and returns the object; raises ApiError."""


def specification(launch: Mapping[str, Any], read: Read) -> Json:
    """Return the ContainerSpec of a launch.

    Args:
        launch: LaunchFlexTemplateParameter
        read: reads the file that it names

    Raises:
        ApiError: 400 for a specification that is missing or not valid
    """
    if not _NAME.fullmatch(launch.get("jobName", "")):
        raise invalid_argument(
            f"The workflow could not be created. Causes: Invalid job name ({launch.get('jobName')})"
            "; the name must consist of only the characters [-a-z0-9], starting with a letter and"
            " ending with a letter or number"
        )
    if "containerSpec" in launch:
        return _checked(launch["containerSpec"], "container_spec")
    path = launch.get("containerSpecGcsPath", "")
    match = _URI.fullmatch(path)
    if match is None:
        raise invalid_argument(f"container_spec_gcs_path {path!r} is not the URI of an object")
    try:
        given = json.loads(read(match["bucket"], match["name"]))
    except ApiError as error:
        raise invalid_argument(f"Unable to open template file: {path}.") from error
    except ValueError as error:
        raise invalid_argument(f"{path} holds no JSON of a container spec") from error
    return _checked(given, path)


def check_parameters(spec: Mapping[str, Any], given: Mapping[str, str]) -> None:
    """Refuse parameters that the template does not have, or refuses, and the lack of some.

    Raises:
        ApiError: 400
    """
    metadata = spec.get("metadata")
    if not metadata:
        return
    violations = [*_violations(metadata.get("parameters", []), given)]
    if violations:
        lines = "".join(f"\n{name}: {what}" for name, what in violations)
        raise ApiError(
            400,
            "INVALID_ARGUMENT",
            f"The template parameters are invalid. Details: {lines}",
            [
                {
                    "@type": _INVALID,
                    "parameterViolations": [
                        {"parameter": name, "description": what} for name, what in violations
                    ],
                }
            ],
        )


def _violations(known: Iterable[Json], given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the name of each wrong parameter, and what is wrong with it.

    Observed in https://github.com/hashicorp/terraform-provider-google/issues/11008 and
    https://github.com/GoogleCloudPlatform/DataflowTemplates/pull/1106: the form of the error, and
    the words for an unknown parameter and for one that does not match. Those for a missing one
    were not observed.
    """
    by_name = {one["name"]: one for one in known}
    for name in sorted(given.keys() - by_name.keys()):
        yield name, "Unrecognized parameter"
    for name, one in by_name.items():
        if name not in given:
            if not one.get("isOptional"):
                yield name, "Missing required parameter"
            continue
        for regex in one.get("regexes", []):
            if not re.fullmatch(regex, given[name]):
                yield name, f"Parameter didn't match regex '{regex}'"


def environment(spec: Mapping[str, Any], launch: Mapping[str, Any]) -> Json:
    """Return the FlexTemplateRuntimeEnvironment: that of the template, changed by the launch."""
    return {**spec.get("defaultEnvironment", {}), **launch.get("environment", {})}


def arguments(parameters: Mapping[str, str], options: Iterable[str]) -> list[str]:
    """Return the command line of the pipeline.

    Args:
        parameters: of the template
        options: additional ones of Beam, such as `--direct_num_workers=2` or `a=b`
    """
    given = [f"--{name}={value}" for name, value in parameters.items() if value != ""]
    return [*given, *(one if one.startswith("--") else f"--{one}" for one in options)]


def _checked(given: Any, where: str) -> Json:
    api("dataflow", "v1b3").check("ContainerSpec", given, where)
    if not given.get("image"):
        raise invalid_argument(f"{where}: image is required")
    spec: Json = given
    return spec
