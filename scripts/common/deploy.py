"""The program, deployed by Pulumi's Automation API; output as Pulumi writes it."""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

from pulumi import automation
from pulumi.automation.errors import CommandError, ConcurrentUpdateError, StackNotFoundError

from scripts.common.errors import ScriptError
from scripts.common.stack import ROOT
from scripts.common.unfinished import settle

Report = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Deployment:
    """What an `up` did.

    Attributes:
        resources: how many resources the stack has, counted as Pulumi's own summary does:
            the stack itself and components too, providers not.
        changes: how many of them were created, updated, left the same, ...
        outputs: the stack's outputs, plain values.
    """

    resources: int
    changes: dict[str, int]
    outputs: dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """One resource of a stack's state."""

    type: str
    urn: str
    id: str

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Resource":
        """Read an entry of `deployment.resources` of an exported stack."""
        return cls(
            type=body["type"],
            urn=body["urn"],
            id=body.get("id", ""),
        )


def _options(environment: Mapping[str, str]) -> automation.LocalWorkspaceOptions:
    return automation.LocalWorkspaceOptions(env_vars=environment)


def _failed(doing: str, stack: str, error: Exception) -> ScriptError:
    if isinstance(error, ConcurrentUpdateError):
        return ScriptError(
            f"Stack {stack!r} is locked: another update runs, or was killed.",
            f"Wait for it; if there is none, run `pulumi cancel --stack {stack}`.",
        )
    return ScriptError(
        f"{doing} stack {stack!r} failed. {_last_words(error)}".strip(),
        "Pulumi's output says which resource and why; run the same command again to go on.",
    )


def _last_words(error: Exception) -> str:
    """Pulumi's own error lines out of the captured output of a command."""
    found = re.findall(r"^\s*(?:stderr: )?(error: .+?)\s*$", str(error), re.MULTILINE)
    return " ".join(dict.fromkeys(found))


def _selected(stack: str, environment: Mapping[str, str]) -> automation.Stack:
    return automation.select_stack(stack, work_dir=str(ROOT), opts=_options(environment))


def up(stack: str, environment: Mapping[str, str], *, report: Report, color: bool) -> Deployment:
    """Deploy the program; make the stack if it is not there, settle what was left half done.

    Args:
        stack: its name.
        environment: of the place.
        report: told each line of Pulumi's output.
        color: let Pulumi colour its lines.

    Raises:
        ScriptError: Pulumi failed; its lines have been reported.
    """
    try:
        selected = automation.create_or_select_stack(
            stack, work_dir=str(ROOT), opts=_options(environment)
        )
        to_its_end(lambda: settle(stack, ROOT, environment, report))
        done = to_its_end(
            lambda: selected.up(
                diff=True,
                color="always" if color else "never",
                suppress_progress=True,
                suppress_outputs=True,
                on_output=report,
                on_error=report,
            )
        )
    except CommandError as error:
        raise _failed("Deploying", stack, error) from error
    changes = {
        str(getattr(k, "value", k)): v for k, v in (done.summary.resource_changes or {}).items()
    }
    outputs = {name: output.value for name, output in done.outputs.items()}
    return Deployment(len(countable(resources(stack, environment))), changes, outputs)


def to_its_end(act: Callable[[], T]) -> T:
    """Let Pulumi finish what it is at when Ctrl-C is pressed, then be interrupted.

    The terminal sends Ctrl-C to Pulumi too, which then stops after the step it is at and releases
    its lock. Leaving it behind half-way would leave its output, and its children, to nobody.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(act)
        interrupted = False
        while not future.done():
            try:
                wait([future])
            except KeyboardInterrupt:
                interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return future.result()


def countable(found: list[Resource]) -> list[Resource]:
    """Leave out the providers, which Pulumi's summary does not count either."""
    return [r for r in found if not r.type.startswith("pulumi:providers:")]


def resources(stack: str, environment: Mapping[str, str]) -> list[Resource]:
    """List what the stack's state holds; nothing for a stack that does not exist.

    Raises:
        ScriptError: Pulumi can't read the state.
    """
    try:
        exported = _selected(stack, environment).export_stack()
    except StackNotFoundError:
        return []
    except CommandError as error:
        raise _failed("Reading", stack, error) from error
    return [Resource.from_json(r) for r in (exported.deployment or {}).get("resources") or ()]
