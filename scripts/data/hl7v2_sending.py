"""Sending of HL7v2 messages from files to an HL7v2 store."""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from googleapiclient.errors import HttpError

from scripts.data import mllp, stores
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
    files = _found(sources)
    store = stores.resolve(stores.HL7V2, choice, output)
    messages = clients.healthcare().projects().locations().datasets().hl7V2Stores().messages()
    _send_all(files, store, lambda file: _send(messages, store, file), output)


def run_mllp(sources: Sequence[Path], address: str, choice: Choice, output: Output) -> None:
    """Send the messages of files to a server of MLLP, on one connection.

    Raises:
        ScriptError: the server can't be reached, does not answer, or refuses some messages
    """
    if choice != Choice(None, None, None, None, None):
        raise UsageError("--mllp sends to a server, so it does not go with the names of a store.")
    with mllp.Connection(address) as connection:
        _send_all(_found(sources), address, connection.send, output)


def _send_all(
    files: Sequence[Path], target: str, send: Callable[[Path], str], output: Output
) -> None:
    """Send files; `send` returns why the target refused one, or nothing."""
    failures = []
    for file in files:
        reason = send(file)
        if reason:
            failures.append({"source": str(file), "error": reason})
            output.report(f"{file} was refused: {reason}")
    summary = {"store": target, "success": len(files) - len(failures), "failure": len(failures)}
    if failures:
        raise ScriptError(
            f"{target} refused {len(failures)} of {plural(len(files), 'message')}.",
            "Correct them, and run the same command again: it sends no message twice.",
            ExitCode.PARTLY_FAILED,
            {**summary, "failures": failures},
        )
    output.result(f"{target} has acknowledged {plural(len(files), 'message')}.")
    output.json({**summary, "failures": []})


def _found(sources: Sequence[Path]) -> list[Path]:
    files = [*_files(sources)]
    if not files:
        raise UsageError("There are no files to send.")
    return files


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
