"""The deployed hospital: its outputs, and the addresses that its stack file names."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.lib.cli import Output
from scripts.lib.errors import ScriptError
from scripts.stacks import from_template

STACK = "local-hospital"
_TEMPLATE = Path(__file__).with_name(f"Pulumi.{STACK}.yaml")

Address = tuple[str, int]


@dataclass(frozen=True)
class Hospital:
    """The deployed adapters and their peers.

    Attributes:
        outputs: of the stack
        settings: of the stack file, without their namespace
    """

    outputs: Mapping[str, Any]
    settings: Mapping[str, Any]

    @property
    def store(self) -> str:
        """The full name of the DICOM store."""
        return str(self.outputs["dicomStores"][self._dimse["dicomStore"]])

    @property
    def hl7v2_store(self) -> str:
        """The full name of the HL7v2 store."""
        return str(self.outputs["hl7v2Stores"][self._mllp["hl7v2Store"]])

    @property
    def title(self) -> str:
        """The AE title of the DIMSE adapter."""
        return str(self._dimse["aet"])

    @property
    def dimse_address(self) -> Address:
        """Where the DIMSE adapter listens."""
        return _address(self.outputs["dimseAdapters"][self._dimse["name"]])

    @property
    def mllp_address(self) -> Address:
        """Where the MLLP adapter listens."""
        return _address(self.outputs["mllpAdapters"][self._mllp["name"]])

    @property
    def archive(self) -> tuple[str, Address]:
        """The AE title of the archive, and where it listens."""
        title = str(self._dimse["outgoing"]["peer"])
        [entry] = [one for one in self._dimse["aets"] if one["name"] == title]
        return title, (str(entry["host"]), int(entry["port"]))

    @property
    def record_system(self) -> Address:
        """Where the record system listens."""
        host, _, port = str(self._mllp["outgoing"]["peer"]).rpartition(":")
        return host, int(port)

    @property
    def _dimse(self) -> Mapping[str, Any]:
        return dict(self.settings["dimseAdapters"][0])

    @property
    def _mllp(self) -> Mapping[str, Any]:
        return dict(self.settings["mllpAdapters"][0])


def _address(output: Mapping[str, Any]) -> Address:
    return str(output["address"]), int(output["port"])


def deploy_hospital(
    name: str, program: Path, output: Output, *, is_deployed: bool = False
) -> Hospital:
    """Deploy the stack; its stack file is copied if there is none.

    Args:
        name: of the stack
        program: folder of the program
        output: where to report
        is_deployed: whether the stack is up already

    Raises:
        ScriptError: Pulumi failed, or the stack file has no adapter with an outgoing side
    """
    found = from_template.up(_TEMPLATE, name, program, output, deployed=is_deployed)
    for key in ("dimseAdapters", "mllpAdapters"):
        if not found.settings.get(key) or "outgoing" not in found.settings[key][0]:
            raise ScriptError(
                f"{found.file} has no {key} whose first one has an outgoing side.",
                f"Take {_TEMPLATE.name} of examples/hospital as a model.",
            )
    return Hospital(found.outputs, found.settings)
