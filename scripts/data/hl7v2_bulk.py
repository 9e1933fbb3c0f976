"""Import and export of HL7v2 messages by Cloud Storage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.data import hl7v2_store
from scripts.lib.cli import Output, command_line
from scripts.lib.follow_operation import OperationLabels, finish
from scripts.lib.google import clients, operations
from scripts.lib.google.errors import translate_errors
from scripts.lib.google.start_operation import OperationStart
from scripts.lib.options import Choice, Following
from scripts.lib.wording import plural


@dataclass(frozen=True)
class Work:
    """An import or an export.

    Attributes:
        script: the name of the script
        label: for the progress bar
        method: a word of the method's name
        body: of the request
        location: the `gs://` URI
    """

    script: str
    label: str
    method: str
    body: Mapping[str, Any]
    location: str


def import_work(uri: str) -> Work:
    """Return the import of the files of a URI, which may have wildcards."""
    body = {"gcsSource": {"uri": uri}}
    return Work("import_hl7v2.py", "Importing", "Import", body, uri)


def export_work(uri: str, restriction: str, start: str, end: str) -> Work:
    """Return the export into a folder; empty texts leave a restriction out."""
    given = {"filter": restriction, "startTime": start, "endTime": end}
    body: dict[str, Any] = {"gcsDestination": {"uriPrefix": uri}}
    body |= {name: value for name, value in given.items() if value}
    return Work("export_hl7v2.py", "Exporting", "Export", body, uri)


def run(work: Work, choice: Choice, following: Following, output: Output) -> None:
    """Start an operation, or follow one that runs already.

    Raises:
        ScriptError: the service refuses, or some messages failed
    """
    store = hl7v2_store.resolve(choice, output)
    client = clients.healthcare()
    if following.resume:
        operations.check_name(following.resume)
        name = following.resume
    else:
        name = _start(client, store, work, output.report)
        output.report(f"{work.label}: {work.location}, {store}")
    resume = command_line(work.script, [work.location, *choice.flags, "--resume", name])
    doing = f"{work.label.lower()} messages of {store}"
    operation = finish(client, name, OperationLabels(work.label, doing, resume), following, output)
    if not following.no_wait:
        output.result(f"{plural(operation.success, 'message')}, none failed.")
    output.json(operation.to_json() | {"store": store, "location": work.location, "failures": []})


def _start(client: Any, store: str, work: Work, report: Callable[[str], None]) -> str:
    stores = client.projects().locations().datasets().hl7V2Stores()
    call = stores.import_ if work.method == "Import" else stores.export
    send = call(name=store, body=dict(work.body)).execute
    with translate_errors(f"{work.label.lower()} {work.location}"):
        # Both may run twice: an import overwrites messages, an export objects, by the same ones.
        return OperationStart(client, store, work.method, send, report=report).begin().name
