"""The works at which the emulator is killed, each done again and again until that happens."""

import io
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

import pydicom

from tests.soak.crashing import (
    GONE,
    LOCATION,
    PROJECT,
    ROLES,
    Changes,
    Key,
    KilledEmulator,
    fresh,
    image,
)
from tests.support import hl7v2_messages

DATASET = f"{LOCATION}/datasets/site"
BUCKET = "crash-bucket"
TABLES = f"bq://{PROJECT}.exports"
TOPIC = f"projects/{PROJECT}/topics/changes"
SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/changes"
IMAGES = 24
BASIC = {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}}
_DICOM = "application/dicom"


@dataclass(frozen=True)
class Site:
    """The initial state of the works.

    Attributes:
        filled: a store, with the same instances as the bucket.
        sources: path of each instance below `dicomWeb/` -> its file.
    """

    filled: str
    sources: dict[str, bytes]


def prepare_project(victim: KilledEmulator) -> None:
    """Make a dataset, a bucket, tables and a topic, which the service agent may use."""
    victim.operate("POST", f"/v1/{LOCATION}/datasets?datasetId=site", {}, {})
    number = victim.json("GET", f"/v1/projects/{PROJECT}")["projectNumber"]
    agent = f"serviceAccount:service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
    bindings = [{"role": role, "members": [agent]} for role in ROLES]
    policy = {"policy": {"bindings": bindings}}
    victim.json("POST", f"/v1/projects/{PROJECT}:setIamPolicy", policy)
    victim.json("POST", f"/storage/v1/b?project={PROJECT}", {"name": BUCKET})
    reference = {"datasetReference": {"projectId": PROJECT, "datasetId": "exports"}}
    victim.json("POST", f"/bigquery/v2/projects/{PROJECT}/datasets", reference)
    victim.json("PUT", f"/v1/{TOPIC}", {})
    victim.json("PUT", f"/v1/{SUBSCRIPTION}", {"topic": TOPIC})


def prepare(victim: KilledEmulator) -> Site:
    """Make a dataset, a store with instances, and a bucket with the same ones."""
    prepare_project(victim)
    filled = new_store(victim)
    sources = dict(image(f"1.2.{n % 3}") for n in range(IMAGES))
    for path, content in sources.items():
        _store(victim, filled, path, content)
        upload = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=in/{fresh('i')}.dcm"
        victim.call("POST", upload, content=content, headers={"Content-Type": _DICOM})
    return Site(filled, sources)


def instance(store: str, path: str) -> Key:
    """How to look for an instance's file."""
    return "instance", f"/v1/{store}/dicomWeb/{path}"


def new_store(victim: KilledEmulator, dataset: str = DATASET) -> str:
    """Make a DICOM store that notifies the topic; gives its full name."""
    store = fresh("store")
    name = f"{dataset}/dicomStores/{store}"
    path = f"/v1/{dataset}/dicomStores?dicomStoreId={store}"
    body = {"notificationConfigs": [{"pubsubTopic": TOPIC}]}
    victim.change("POST", path, body, {("there", f"/v1/{name}"): True})
    return name


def _store(victim: KilledEmulator, store: str, path: str, content: bytes) -> Key:
    key = instance(store, path)
    with victim.promises.change({key: content}):
        headers = {"Content-Type": _DICOM}
        victim.call("POST", f"/v1/{store}/dicomWeb/studies", content=content, headers=headers)
    return key


def stow(victim: KilledEmulator, site: Site) -> None:
    """Store several instances in one request."""
    images = dict(image(fresh("1.3.")) for _ in range(4))
    parts = b"".join(
        b"--b\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n"
        for content in images.values()
    )
    with victim.promises.change({instance(site.filled, p): c for p, c in images.items()}):
        victim.call(
            "POST",
            f"/v1/{site.filled}/dicomWeb/studies",
            content=parts + b"--b--\r\n",
            headers={"Content-Type": f'multipart/related; type="{_DICOM}"; boundary=b'},
        )
    for path in images:  # the store stays as it was for the works that read it
        victim.change("DELETE", instance(site.filled, path)[1], None, _gone(site.filled, [path]))


def _gone(store: str, paths: list[str]) -> Changes:
    return {instance(store, path): GONE for path in paths}


def import_(victim: KilledEmulator, site: Site) -> None:
    """Import the bucket's objects into a new store."""
    store = new_store(victim)
    changes = {instance(store, path): content for path, content in site.sources.items()}
    victim.operate("POST", f"/v1/{store}:import", _SOURCE, changes)


_SOURCE = {"gcsSource": {"uri": f"gs://{BUCKET}/in/*.dcm"}}


def import_again(victim: KilledEmulator, site: Site) -> int:
    """Import into the store that has the objects' instances already; gives how many went well."""
    name = victim.json("POST", f"/v1/{site.filled}:import", _SOURCE)["name"]
    return int(victim.done(name)["metadata"]["counter"]["success"])


def export_to_storage(victim: KilledEmulator, _site: Site) -> None:
    """Export a store's files into a new folder."""
    store, files = _small_store(victim)
    prefix = fresh("out")
    changes = {}
    for path, content in files.items():
        _, study, _, series, _, sop = path.split("/")
        name = quote(f"{prefix}/{study}/{series}/{sop}.dcm", safe="")
        changes[("object", f"/storage/v1/b/{BUCKET}/o/{name}?alt=media")] = content
    body = {"gcsDestination": {"uriPrefix": f"gs://{BUCKET}/{prefix}"}}
    victim.operate("POST", f"/v1/{store}:export", body, changes)


def export_to_bigquery(victim: KilledEmulator, _site: Site) -> None:
    """Export a store to a new table, then over it, then behind it."""
    store, files = _small_store(victim)
    table = fresh("table")
    key = ("rows", f"exports.{table}")
    rows = 0
    for disposition in ("WRITE_EMPTY", "WRITE_TRUNCATE", "WRITE_APPEND"):
        rows = rows + len(files) if disposition == "WRITE_APPEND" else len(files)
        destination = {"tableUri": f"{TABLES}.{table}", "writeDisposition": disposition}
        body = {"bigqueryDestination": destination}
        victim.operate("POST", f"/v1/{store}:export", body, {key: rows})


def _small_store(victim: KilledEmulator) -> tuple[str, dict[str, bytes]]:
    """A new store with a few instances of two studies."""
    store = new_store(victim)
    files = dict(image(f"1.4.{number % 2}") for number in range(5))
    for path, content in files.items():
        _store(victim, store, path, content)
    return store, files


def delete_instances(victim: KilledEmulator, _site: Site) -> None:
    """Delete instances one by one."""
    store, files = _small_store(victim)
    for path in files:
        victim.change("DELETE", f"/v1/{store}/dicomWeb/{path}", None, _gone(store, [path]))


def delete_studies(victim: KilledEmulator, _site: Site) -> None:
    """Delete one of two studies, and the other's series one by one."""
    store, files = _small_store(victim)
    study = [path for path in files if path.startswith("studies/1.4.0/")]
    victim.operate("DELETE", f"/v1/{store}/dicomWeb/studies/1.4.0", None, _gone(store, study))
    for path in files.keys() - set(study):
        series = path.partition("/instances")[0]
        victim.operate("DELETE", f"/v1/{store}/dicomWeb/{series}", None, _gone(store, [path]))


def delete_stores(victim: KilledEmulator, _site: Site) -> None:
    """Delete a store with its instances."""
    store, files = _small_store(victim)
    changes = {("there", f"/v1/{store}"): GONE, **_gone(store, [*files])}
    victim.change("DELETE", f"/v1/{store}", None, changes)


def delete_datasets(victim: KilledEmulator, _site: Site) -> None:
    """Delete a dataset with a store and its instances."""
    dataset = f"{LOCATION}/datasets/{fresh('dataset')}"
    path = f"/v1/{LOCATION}/datasets?datasetId={dataset.rpartition('/')[2]}"
    victim.operate("POST", path, {}, {("there", f"/v1/{dataset}"): True})
    store = new_store(victim, dataset)
    files = dict(image("1.5") for _ in range(4))
    for instance_path, content in files.items():
        _store(victim, store, instance_path, content)
    names = (dataset, store)
    changes = {**{("there", f"/v1/{name}"): GONE for name in names}, **_gone(store, [*files])}
    victim.change("DELETE", f"/v1/{dataset}", None, changes)


def set_policies(victim: KilledEmulator, site: Site) -> None:
    """Grant a user a role on a dataset, a store and a bucket."""
    for resource in (DATASET, site.filled):
        member = f"user:{fresh('u')}@example.com"
        binding = {"role": "roles/healthcare.datasetViewer", "members": [member]}
        body = {"policy": {"bindings": [binding]}}
        path = f"/v1/{resource}"
        victim.change("POST", f"{path}:setIamPolicy", body, {("policy", path): member})
    member = f"user:{fresh('u')}@example.com"
    binding = {"role": "roles/storage.objectViewer", "members": [member]}
    path = f"/storage/v1/b/{BUCKET}/iam"
    victim.change("PUT", path, {"bindings": [binding]}, {("bucket policy", path): member})


def deidentify(victim: KilledEmulator, site: Site) -> None:
    """De-identify a store into a new one."""
    store, files = _small_store(victim)
    destination = new_store(victim)
    body = {"destinationStore": destination, "config": BASIC}
    changes = {("instances", f"/v1/{destination}/dicomWeb/instances"): len(files)}
    victim.operate("POST", f"/v1/{store}:deidentify", body, changes)


def ingest(victim: KilledEmulator, _site: Site) -> None:
    """Ingest HL7v2 messages, and delete some of them."""
    store = fresh("messages")
    name = f"{DATASET}/hl7V2Stores/{store}"
    path = f"/v1/{DATASET}/hl7V2Stores?hl7V2StoreId={store}"
    victim.change("POST", path, {}, {("there", f"/v1/{name}"): True})
    for number in range(6):
        data = hl7v2_messages.admission(fresh("control"))
        digest = urlsafe_b64encode(sha256(data).digest()).decode()
        message = f"/v1/{name}/messages/{digest}"
        sent = hl7v2_messages.body(data)
        victim.change("POST", f"/v1/{name}/messages:ingest", sent, {("there", message): True})
        if number % 3 == 0:
            victim.change("DELETE", message, None, {("there", message): GONE})


def update(victim: KilledEmulator, _site: Site) -> None:
    """Add instances by updates, replace them, and patch them one by one and by study."""
    store = new_store(victim)
    web = f"/v1beta1/{store}/dicomWeb"
    versions: dict[Key, str] = {}
    files = dict(image(f"1.5.{number % 2}") for number in range(4))
    for path, content in [*files.items(), *files.items()]:
        version = fresh("updated ")
        key = ("versions", f"/v1/{store}/dicomWeb/{path}/metadata")
        sent = {"content": _with_version(content, version), "headers": {"Content-Type": _DICOM}}
        with victim.promises.change({key: version}):
            victim.call("PUT", f"{web}/studies", **sent)
    for path in files:
        key = ("versions", f"/v1/{store}/dicomWeb/{path}/metadata")
        versions[key] = fresh("patched ")
        patch = [{"op": "replace", "path": "/00181020/Value/0", "value": versions[key]}]
        victim.change("PATCH", f"{web}/{path}/metadata", patch, {key: versions[key]})
    for study in ("1.5.0", "1.5.1"):
        # A patch that a resumed operation applied twice would leave two more values.
        patch = [{"op": "add", "path": "/00181020/Value/-", "value": "again"}]
        changes = {
            key: f"{value}/again"
            for key, value in versions.items()
            if f"/studies/{study}/" in key[1]
        }
        victim.operate("PATCH", f"{web}/studies/{study}/metadata", patch, changes)


def _with_version(content: bytes, version: str) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(content))
    dataset.SoftwareVersions = version
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


WORKS: dict[str, Callable[[KilledEmulator, Site], None]] = {
    "STOW": stow,
    "updates and patches": update,
    "HL7v2 messages": ingest,
    "import": import_,
    "export to Cloud Storage": export_to_storage,
    "export to BigQuery": export_to_bigquery,
    "deletion of instances": delete_instances,
    "deletion of studies and series": delete_studies,
    "deletion of stores": delete_stores,
    "deletion of datasets": delete_datasets,
    "set-IAM": set_policies,
    "de-identification": deidentify,
}
