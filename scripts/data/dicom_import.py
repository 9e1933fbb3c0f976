"""Import of DICOM files from Cloud Storage into a DICOM store."""

import time
from typing import Any

from scripts.lib import stack
from scripts.lib.cli import Output, command_line
from scripts.lib.follow_operation import OperationLabels, finish
from scripts.lib.google import clients, gcs_uri, operations
from scripts.lib.google.operations import Operation
from scripts.lib.google.start_operation import OperationStart, Report
from scripts.lib.options import Choice, Following
from scripts.lib.stack import Target
from scripts.lib.wording import plural

SCRIPT = "import_dicom.py"


def run(source: str, choice: Choice, following: Following, output: Output) -> None:
    """Import files, or follow an import that runs already.

    Raises:
        ScriptError: the service refuses, or some files failed
    """
    started_at = time.monotonic()
    target: Target | None = None
    if following.resume:
        operations.check_name(following.resume)
        stack.enter_for(choice, output.report)
        client = clients.healthcare()
        name, shown_source = following.resume, None
    else:
        shown_source = str(gcs_uri.parse(source))
        target = stack.resolve(choice, output.report)
        client = clients.healthcare()
        name = start(client, target.store, shown_source, output.report)
        output.report(f"Importing {shown_source} into {target.store}")
    described = labels(choice, target.store if target else "", name)
    operation = finish(client, name, described, following, output)
    if not following.no_wait:
        output.result(f"{plural(operation.success, 'file')} stored, none failed.")
    output.json(_summary(operation, target, shown_source, time.monotonic() - started_at))


def start(client: Any, store: str, source: str, report: Report = lambda _: None) -> str:
    """Start an import.

    Args:
        client: of the Healthcare API
        store: the DICOM store's full name
        source: a `gs://` URI with wildcards
        report: called if the answer was lost

    Returns:
        The operation's name.

    Raises:
        UsageError: the URI's form is wrong; nothing was called
        ScriptError: the service refuses: no such store, no such object, no permission
    """
    uri = str(gcs_uri.parse(source))
    stores = client.projects().locations().datasets().dicomStores()
    request = {"gcsSource": {"uri": uri}}
    send = stores.import_(name=store, body=request).execute
    # The API ignores instances that it has, so this call may safely be sent twice.
    begun = OperationStart(client, store, "Import", send, report=report)
    return begun.begin_as(f"importing {uri} into {store}").name


def labels(choice: Choice, store: str, name: str) -> OperationLabels:
    """Describe an import for progress and errors."""
    return OperationLabels(
        label="Importing",
        doing=f"importing into {store}" if store else "importing",
        resume=command_line(SCRIPT, [*choice.flags, "--resume", name]),
    )


def _summary(
    operation: Operation, target: Target | None, source: str | None, seconds: float
) -> dict[str, Any]:
    return operation.to_json() | {
        "store": target.store if target else None,
        "source": source,
        "seconds": round(seconds, 2),
        "failures": [],
    }
