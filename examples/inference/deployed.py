"""The deployed stack: its store, its table and its view, by its outputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.lib.cli import Output
from scripts.lib.errors import ScriptError
from scripts.lib.google.bigquery import Table
from scripts.lib.pulumi_stack import PulumiStack
from scripts.stacks import deploy, from_template

STACK = "local-inference"
VIEW = "findings_vs_measured"
_TEMPLATE = Path(__file__).with_name(f"Pulumi.{STACK}.yaml")


@dataclass(frozen=True)
class Deployed:
    """The deployed stack.

    Attributes:
        stack: to deploy again
        outputs: of the stack
        is_new: whether the deployment created something
    """

    stack: PulumiStack
    outputs: Mapping[str, Any]
    is_new: bool

    @property
    def project(self) -> str:
        """The id of the project."""
        return str(self.outputs["projectId"])

    @property
    def location(self) -> str:
        """Where the data is."""
        return str(self.outputs["region"])

    @property
    def store(self) -> str:
        """The full name of the first DICOM store."""
        return str(self.outputs["dicomStores"][self.outputs["firstDicomStores"]["healthcare"]])

    @property
    def table(self) -> Table:
        """The table that its metadata is exported to."""
        return Table.from_uri(str(self.outputs["tableUri"]))

    @property
    def view(self) -> Table:
        """The view of findings and measurements over that table."""
        table = self.table
        return Table(table.project, table.dataset, f"{table.table}_{VIEW}")


def deploy_stack(
    name: str, program: Path, output: Output, *, is_deployed: bool = False
) -> Deployed:
    """Deploy the stack; its stack file is copied if there is none.

    Args:
        name: of the stack
        program: folder of the program
        output: where to report
        is_deployed: whether the stack is up already

    Raises:
        ScriptError: Pulumi failed, or the stack has no inference service
    """
    found = from_template.up(_TEMPLATE, name, program, output, deployed=is_deployed)
    if not found.outputs.get("inferenceServices"):
        raise ScriptError(
            f"{found.file} has no inferenceServices.",
            f"Take {_TEMPLATE.name} of examples/inference as a model.",
        )
    return Deployed(found.stack, found.outputs, found.is_new)


def up_again(deployed: Deployed, output: Output) -> None:
    """Deploy the stack again, as it is.

    Raises:
        ScriptError: Pulumi failed
    """
    deploy.up(deployed.stack, output.raw, color=output.out.is_terminal)
