"""Whether an emulator that runs is the one that a start asks for."""

from emulator.core.program_name import command
from emulator.server.errors import EmulatorError
from emulator.server.server_file import NAMES, Ports, ServerInfo


def check_same(
    running: ServerInfo, wanted: Ports, *, all_services_enabled: bool, enforce_iam: bool
) -> None:
    """Raise an error if a running emulator has other ports or options.

    Raises:
        EmulatorError: naming the port or the option
    """
    for name in NAMES:
        port, present = getattr(wanted, name), getattr(running.ports, name)
        if port and port != present:
            raise EmulatorError(
                f"The emulator is already running with {name} port {present}, not {port}. "
                f"Stop it first: `{command('stop')}`."
            )
    for option, asked, present in (
        ("--all-services-enabled", all_services_enabled, running.all_services_enabled),
        ("--enforce-iam", enforce_iam, running.enforce_iam),
    ):
        if asked and not present:
            raise EmulatorError(
                f"The emulator is already running without {option}. "
                f"Stop it first: `{command('stop')}`."
            )
