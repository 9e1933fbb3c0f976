"""Sending of HL7v2 messages from files to an HL7v2 store."""

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from googleapiclient.errors import HttpError

from scripts.data import hl7v2_store
from scripts.lib.cli import Output
from scripts.lib.errors import ExitCode, ScriptError, UsageError
from scripts.lib.google import clients, retry
from scripts.lib.google.errors import translate_errors
from scripts.lib.options import Choice
from scripts.lib.wording import plural

_DETAIL = "IngestMessageErrorDetail"
_BAD_REQUEST = 400


def run(sources: Sequence[Path], choice: Choice, output: Output) -> None:
    """Send the messages of files, one after the other.

    Raises:
        ScriptError: there is no such store, the service fails, or it refuses some messages
    """
    files = [*_files(sources)]
    if not files:
        raise UsageError("There are no files to send.")
    store = hl7v2_store.resolve(choice, output)
    messages = clients.healthcare().projects().locations().datasets().hl7V2Stores().messages()
    failures = []
    for file in files:
        reason = _send(messages, store, file)
        if reason:
            failures.append({"source": str(file), "error": reason})
            output.report(f"{file} was refused: {reason}")
    summary = {"store": store, "success": len(files) - len(failures), "failure": len(failures)}
    if failures:
        raise ScriptError(
            f"{store} refused {len(failures)} of {plural(len(files), 'message')}.",
            "Correct them, and run the same command again: it sends no message twice.",
            ExitCode.PARTLY_FAILED,
            {**summary, "failures": failures},
        )
    output.result(f"{store} has acknowledged {plural(len(files), 'message')}.")
    output.json({**summary, "failures": []})


def _files(sources: Sequence[Path]) -> Iterator[Path]:
    for source in sources:
        if source.is_dir():
            yield from (each for each in sorted(source.iterdir()) if each.is_file())
        else:
            yield source


def _send(messages: Any, store: str, file: Path) -> str:
    """Send the message of a file; return why it was refused, or nothing."""
    data = base64.b64encode(file.read_bytes()).decode()
    request = messages.ingest(parent=store, body={"message": {"data": data}})
    with translate_errors(f"sending {file} to {store}"):
        try:
            # The same bytes are the same message, so this call may safely be sent twice.
            retry.call(request.execute)
        except HttpError as error:
            reason = _refusal(error)
            if not reason:
                raise
            return reason
    return ""


def _refusal(error: HttpError) -> str:
    """Return the text of an error that came with a NACK; empty for another error."""
    if error.status_code != _BAD_REQUEST:
        return ""
    try:
        body = json.loads(error.content)["error"]
    except (ValueError, KeyError, TypeError):
        return ""
    details = body.get("details", [])
    is_nack = any(str(each.get("@type", "")).endswith(_DETAIL) for each in details)
    return str(body.get("message", "")) if is_nack else ""
