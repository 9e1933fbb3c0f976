"""The systems that the adapters send to: an archive by DIMSE, a record system by MLLP.

They keep the names of what they received, and nothing else.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from hl7.mllp import start_hl7_server
from hl7.mllp.streams import HL7StreamReader, HL7StreamWriter
from pydicom.uid import AllTransferSyntaxes
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.dimse_primitives import C_STORE

from scripts.lib.errors import ScriptError

Address = tuple[str, int]


@contextmanager
def archive(title: str, address: Address) -> Iterator[set[str]]:
    """Run a storage service class provider; yield the SOP Instance UIDs that it receives.

    Raises:
        ScriptError: the port is in use
    """
    received: set[str] = set()

    def keep(event: evt.Event) -> int:
        request = event.request
        assert isinstance(request, C_STORE)
        received.add(str(request.AffectedSOPInstanceUID))
        return 0x0000

    entity = AE(title)
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(str(context.abstract_syntax), AllTransferSyntaxes)
    try:
        server = entity.start_server(address, block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    except OSError as error:
        raise _in_use("The archive", address, error) from error
    assert server is not None
    try:
        yield received
    finally:
        server.shutdown()


@contextmanager
def record_system(address: Address) -> Iterator[set[str]]:
    """Run a server of MLLP; yield the control ids of the messages that it receives.

    Raises:
        ScriptError: the port is in use
    """
    received: set[str] = set()
    loop = asyncio.new_event_loop()

    async def serve(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                message = await reader.readmessage()
                received.add(str(message.segment("MSH")[10]))
                writer.writemessage(message.create_ack())
                await writer.drain()
        writer.close()

    host, port = address
    starting = start_hl7_server(serve, host=host, port=port, encoding="utf-8")
    try:
        server = loop.run_until_complete(starting)
    except OSError as error:
        loop.close()
        raise _in_use("The record system", address, error) from error
    thread = threading.Thread(target=loop.run_forever, name="record system", daemon=True)
    thread.start()
    try:
        yield received
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(_end_connections(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end_connections() -> None:
    open_connections = asyncio.all_tasks() - {asyncio.current_task()}
    for task in open_connections:
        task.cancel()
    await asyncio.gather(*open_connections, return_exceptions=True)


def _in_use(who: str, address: Address, error: OSError) -> ScriptError:
    host, port = address
    return ScriptError(
        f"{who} can't listen at {host}:{port}: {error.strerror}.",
        "End the other program, or change the port in the stack file and deploy again.",
    )
