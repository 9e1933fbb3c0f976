"""Write the copy of the provider's schema.

`python -m engine.standin.provider_schema.generate DUMP --provider VERSION [--add TOKEN ...]` reads
a dump of the real provider's schemas and writes this folder's JSON files again: the resource types
that are there, and those of `--add`.

The dump is a folder with one JSON file a Pulumi module. Each is a list of resources as a program
finds them that walks `schema.Provider` of the google-beta provider beside the names of pulumi-gcp:
`token`, `kind`, `importer`, `timeouts` (`create`: `20m0s`) and `fields`, by Terraform name. A field
has the keys of `Field`, its Pulumi name as `pulumi`, and the `fields` of its objects.
"""

import argparse
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.standin import VERSION
from engine.standin.provider_schema import FOLDER, Field, module_of, tokens
from engine.standin.provider_schema.undumped import UNDUMPED
from engine.standin.provider_schema.undumped_balancing import UNDUMPED_OF_BALANCERS

_KEYS = [key for key in Field.__dataclass_fields__ if key != "terraform"]
_FUNCTIONAL_TYPE = {"terraform": "functional_type", "type": "String", "optional": True}
_SANDBOX_LAUNCHER = {"terraform": "sandbox_launcher", "type": "Bool", "optional": True}
_WORKLOAD_IDENTITY = {
    "": {
        "terraform": "workload_identity_config",
        "type": "List",
        "elem": "object",
        "optional": True,
        "maxItems": 1,
    },
    ".identity": {"terraform": "identity", "type": "String", "optional": True},
    ".identityCertificateEnabled": {
        "terraform": "identity_certificate_enabled",
        "type": "Bool",
        "optional": True,
    },
    ".identityType": {"terraform": "identity_type", "type": "String", "optional": True},
}
_AMENDMENTS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    # Version 8 of the provider, which pulumi-gcp 10 stands on, fills it no longer (documented).
    ("gcp:bigquery/dataset:Dataset", "defaultCollation"): {"computed": False},
    # The plug-in's SDK has these as version 8 of the provider does.
    ("gcp:secretmanager/secret:Secret", "secretType"): {
        "terraform": "secret_type",
        "type": "String",
        "optional": True,
        "forceNew": True,
    },
    ("gcp:secretmanager/secretVersion:SecretVersion", "secretDataWoVersion"): {
        "type": "String",
        "default": False,
    },
    ("gcp:compute/regionBackendService:RegionBackendService", "serviceLbPolicy"): {
        "terraform": "service_lb_policy",
        "type": "String",
        "optional": True,
    },
    ("gcp:compute/instanceTemplate:InstanceTemplate", "networkInterfaces.enableVpcScopedDns"): {
        "terraform": "enable_vpc_scoped_dns",
        "type": "Bool",
        "optional": True,
        "forceNew": True,
    },
    ("gcp:compute/instanceTemplate:InstanceTemplate", "networkInterfaces.serviceClassId"): {
        "terraform": "service_class_id",
        "type": "String",
        "optional": True,
        "forceNew": True,
    },
    ("gcp:cloudrunv2/service:Service", "functionalType"): _FUNCTIONAL_TYPE,
    ("gcp:cloudrunv2/service:Service", "sshEnabled"): {
        "terraform": "ssh_enabled",
        "type": "Bool",
        "optional": True,
    },
    ("gcp:cloudrunv2/job:Job", "functionalType"): _FUNCTIONAL_TYPE,
    ("gcp:cloudrunv2/job:Job", "template.template.containers.sandboxLauncher"): _SANDBOX_LAUNCHER,
    ("gcp:cloudrunv2/workerPool:WorkerPool", "template.containers.sandboxLauncher"): (
        _SANDBOX_LAUNCHER
    ),
    ("gcp:cloudrunv2/job:Job", "template.delayExecution"): {
        "terraform": "delay_execution",
        "type": "Bool",
        "optional": True,
    },
    **{
        (token, f"{template}.workloadIdentityConfig{path}"): field
        for token, template in (
            ("gcp:cloudrunv2/service:Service", "template"),
            ("gcp:cloudrunv2/job:Job", "template.template"),
        )
        for path, field in _WORKLOAD_IDENTITY.items()
    },
    ("gcp:cloudrunv2/workerPool:WorkerPool", "customAudiences"): {},
    **{
        (
            "gcp:cloudrunv2/workerPool:WorkerPool",
            f"template.containers.{probe}.httpGet.httpHeaders.port",
        ): {}
        for probe in ("livenessProbe", "startupProbe")
    },
}
"""What differs between the version of the dump and that of the plug-in; False takes a key away, and
nothing at all the field."""


def write(dump: Path, provider: str, added: Sequence[str] = (), folder: Path = FOLDER) -> None:
    """Write the files of all modules.

    Args:
        dump: folder of the dump
        provider: name and version of the provider, such as `google-beta 7.45.0`
        added: type tokens to add to those in the copy
        folder: where the files go

    Raises:
        KeyError: the dump lacks a type
    """
    modules: dict[str, list[str]] = {}
    for token in sorted({*tokens(), *added}):
        modules.setdefault(module_of(token), []).append(token)
    for module, wanted in modules.items():
        listed = json.loads((dump / f"{module}.json").read_text())
        entries = {entry["token"]: entry for entry in listed if entry["kind"] == "resource"}
        entries = {**UNDUMPED, **UNDUMPED_OF_BALANCERS, **entries}
        resources = {token: entry(token, entries[token]) for token in wanted}
        (folder / f"{module}.json").write_text(text(provider, resources))


def entry(token: str, dumped: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resource of the dump as an entry of the copy."""
    timeouts = {name: _minutes(value) for name, value in dumped.get("timeouts", {}).items()}
    fields = dict(_fields(dumped["fields"], ""))
    for (of, path), changes in _AMENDMENTS.items():
        if of == token:
            if not changes:
                del fields[path]
                continue
            changed = {**fields.get(path, {}), **changes}
            fields[path] = {key: value for key, value in changed.items() if value is not False}
    return {
        "timeouts": timeouts,
        "importable": bool(dumped.get("importer")),
        "fields": fields,
    }


def text(provider: str, resources: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a file as text: one line a field, so that a new version shows as what it changes."""
    lines = ["{", f'"provider": {json.dumps(provider)},', f'"plugin": "pulumi-gcp {VERSION}",']
    lines.append('"resources": {')
    for number, (token, values) in enumerate(resources.items()):
        head = {key: value for key, value in values.items() if key != "fields"}
        lines.append(f'"{token}": {json.dumps(head)[:-1]}, "fields": {{')
        fields = [f'  "{path}": {json.dumps(field)}' for path, field in values["fields"].items()]
        lines.append(",\n".join(fields))
        lines.append("}}" + ("," if number < len(resources) - 1 else ""))
    return "\n".join([*lines, "}}"]) + "\n"


def _fields(dumped: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, values in dumped.items():
        path = f"{prefix}{values['pulumi']}"
        kept = {key: values[key] for key in _KEYS if key in values}
        if "pattern" in kept:
            # A dump has it out of an error of the provider, which quotes it as Go does.
            kept["pattern"] = json.loads(f'"{kept["pattern"]}"')
        yield path, {"terraform": name, **kept}
        yield from _fields(values.get("fields", {}), f"{path}.")


def _minutes(duration: str) -> int:
    """Return a duration of Go's, such as `1h20m0s`, in minutes."""
    match = re.fullmatch(r"(?:(\d+)h)?(\d+)m0s", duration)
    if match is None:
        raise ValueError(f"{duration} is not a duration of whole minutes, such as 20m0s")
    return int(match[1] or 0) * 60 + int(match[2])


def main() -> None:
    """Write the copy that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("dump", type=Path, help="folder of the dump")
    parser.add_argument("--provider", required=True, help="such as 'google-beta 7.45.0'")
    parser.add_argument("--add", action="append", default=[], help="type token to add")
    arguments = parser.parse_args()
    write(arguments.dump, arguments.provider, arguments.add)


if __name__ == "__main__":
    main()
