"""Removal of what a journal names, in the reverse order of creation."""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

import requests

import emulator
from conformance import project_policy
from conformance.cloud_project import CloudProject
from conformance.journal import Journal, left_over
from scripts.lib.errors import ScriptError
from scripts.lib.google import clients

EMULATOR = "emulator"
"""The resource type of a local emulator; its name is its state folder. It is removed as a whole."""

Report = Callable[[str], None]


def open_cloud_project(project: str, location: str, root: str | None = None) -> CloudProject:
    """Return a project on Google Cloud, by the application default credentials, or at an address.

    Raises:
        ScriptError: there are no credentials for Google Cloud
    """
    if root is not None:
        session = requests.Session()
        session.trust_env = False
        return CloudProject("the local Google Cloud", project, location, session, root, 30.0)
    return CloudProject("Google Cloud", project, location, clients.session())


def remove_all(journal: Journal, report: Report) -> list[str]:
    """Remove what a journal names; keep the entries of what could not be removed.

    Returns:
        An error for each resource that may be left.
    """
    errors, left = [], []
    for entry in journal.entries():
        try:
            if entry.resource_type == EMULATOR:
                _stop(Path(entry.name))
                continue
            cloud = open_cloud_project(entry.project, "", entry.root)
            _REMOVERS[entry.resource_type](cloud, entry.name)
        except (ScriptError, emulator.EmulatorError, requests.RequestException) as error:
            left.append(entry)
            errors.append(f"{entry.resource_type} {entry.name}: {error}")
        else:
            report(f"removed {entry.resource_type} {entry.name}")
    journal.replace(left)
    return errors


def remove_left_over(report: Report) -> list[str]:
    """Remove what runs that were killed have left; return the errors."""
    return [error for journal in left_over() for error in remove_all(journal, report)]


def _stop(state: Path) -> None:
    """Stop an emulator that a run has started, and delete its state."""
    import shutil

    emulator.stop(state)
    shutil.rmtree(state.parent, ignore_errors=True)


def _delete(cloud: CloudProject, service: str, path: str, **params: str) -> None:
    reply = cloud.send(service, "DELETE", path, params=params)
    if not reply.is_ok and reply.status != 404:
        text = reply.content[:300].decode("utf-8", "replace")
        raise ScriptError(f"DELETE {path} was refused with status {reply.status}: {text}")


def _remove_dataset(cloud: CloudProject, name: str) -> None:
    try:
        _delete(cloud, "healthcare", f"v1/{name}")
    except ScriptError:
        # Google Cloud also answers 403 for a dataset that does not exist.
        parent = name.rpartition("/")[0]
        listed = cloud.require("healthcare", "GET", f"v1/{parent}", params={"pageSize": "1000"})
        if name in {one["name"] for one in listed.get("datasets", [])}:
            raise


def _remove_bucket(cloud: CloudProject, name: str) -> None:
    while True:
        page = cloud.send("storage", "GET", f"storage/v1/b/{name}/o")
        objects = page.json().get("items", []) if page.is_ok else []
        if not objects:
            break
        for one in objects:
            _delete(cloud, "storage", f"storage/v1/b/{name}/o/{quote(one['name'], safe='')}")
    _delete(cloud, "storage", f"storage/v1/b/{name}")


def _remove_bigquery_dataset(cloud: CloudProject, name: str) -> None:
    path = f"bigquery/v2/projects/{cloud.project}/datasets/{name}"
    _delete(cloud, "bigquery", path, deleteContents="true")


def _remove_secret(cloud: CloudProject, name: str) -> None:
    _delete(cloud, "secretmanager", f"v1/{name}")


def _remove_pubsub(cloud: CloudProject, name: str) -> None:
    _delete(cloud, "pubsub", f"v1/{name}")


_REMOVERS: Mapping[str, Callable[[CloudProject, str], None]] = {
    "audit-config": project_policy.remove_audit_config,
    "bigquery-dataset": _remove_bigquery_dataset,
    "bucket": _remove_bucket,
    "dataset": _remove_dataset,
    "job-user": project_policy.remove_job_user,
    "secret": _remove_secret,
    "subscription": _remove_pubsub,
    "topic": _remove_pubsub,
}
"""The kind of an entry -> the function that removes it; it succeeds where nothing is left."""
