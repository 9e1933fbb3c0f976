"""A client of MLLP, by the library `hl7`: sends the bytes of files, and reads acknowledgements."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Any

import hl7
from hl7.mllp import InvalidBlockError, open_hl7_connection

from scripts.lib.errors import ScriptError, UsageError

ACK_SECONDS = 60.0
_CONNECT_SECONDS = 10.0
_HINT = "Check the address, and that a server of MLLP listens there, without TLS."


class Connection:
    """A connection to a server of MLLP.

    Args:
        address: `HOST:PORT`

    Raises:
        UsageError: the address is not valid
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
            raise UsageError(f"{address!r} is not a valid address: write HOST:PORT.")
        self._address, self._host, self._port = address, host.strip("[]"), int(port)
        self._runner = asyncio.Runner()
        self._reader: Any = None
        self._writer: Any = None

    def __enter__(self) -> "Connection":
        """Open the connection.

        Raises:
            ScriptError: there is no server
        """
        opening = open_hl7_connection(self._host, self._port)
        try:
            self._reader, self._writer = self._run(opening, _CONNECT_SECONDS)
        except OSError as error:
            self._runner.close()
            reason = "time-out" if isinstance(error, TimeoutError) else error.strerror
            # For a name with several addresses there is no code, but a text with all of them.
            raise self._failure(reason or str(error)) from error
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._writer.close()
        self._runner.close()

    def send(self, file: Path) -> str:
        """Send a message; return why it was refused, or nothing.

        Raises:
            ScriptError: there is no acknowledgement
        """
        try:
            # Bytes, not text, which the library would encode.
            self._writer.writeblock(file.read_bytes())
            answer = self._run(self._reader.readblock(), ACK_SECONDS)
        except TimeoutError as error:
            raise self._failure(f"no acknowledgement of {file} in {ACK_SECONDS:.0f} s") from error
        except (EOFError, ConnectionError) as error:
            raise self._failure(f"the connection was closed at {file}") from error
        except (InvalidBlockError, ValueError) as error:
            raise self._failure(f"the answer to {file} is not MLLP") from error
        return self._refusal(answer, file)

    def _refusal(self, answer: bytes, file: Path) -> str:
        try:
            segment = hl7.parse(answer.decode("latin-1")).segment("MSA")
        except (KeyError, IndexError, hl7.HL7Exception) as error:
            raise self._failure(f"the answer to {file} has no MSA segment") from error
        code, text = (str(segment[n]) if n < len(segment) else "" for n in (1, 3))
        return "" if code in ("AA", "CA") else text or code

    def _run(self, work: Any, seconds: float) -> Any:
        async def timed() -> Any:
            return await asyncio.wait_for(work, seconds)

        return self._runner.run(timed())

    def _failure(self, reason: str) -> ScriptError:
        return ScriptError(f"Sending to {self._address} failed: {reason}.", _HINT)
