"""The configuration file of a stack: `Pulumi.STACK.yaml` beside the program."""

import re
from pathlib import Path

from engine.stack_environment import is_local
from scripts.lib.errors import ScriptError, UsageError
from scripts.lib.options import ROOT

TEMPLATES = {True: "Pulumi.local.yaml", False: "Pulumi.dev.yaml"}
"""The template of a new file; the key is whether the stack is local."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_PROJECT_LINE = re.compile(r"^(  gcp:project: ).*$", re.MULTILINE)
_FIRST_LINE = re.compile(r"\A#.*\n")


def path(stack: str, folder: Path = ROOT) -> Path:
    """Return the file of a stack; a name may begin with the organization."""
    return folder / f"Pulumi.{stack.rpartition('/')[2]}.yaml"


def require(stack: str, folder: Path = ROOT) -> Path:
    """Return the file of a stack.

    Raises:
        ScriptError: there is no such file
    """
    file = path(stack, folder)
    if not file.exists():
        raise ScriptError(
            f"Stack {stack!r} has no configuration: {file.name} does not exist.",
            f"Create it with `make stack NAME={stack}`, or check the stack's name.",
        )
    return file


def create(stack: str, project: str | None = None, folder: Path = ROOT) -> Path:
    """Write the configuration file of a new stack from a template.

    Args:
        stack: its name; `local-...` runs on the local Google Cloud
        project: id of its Google Cloud project; a local stack gets one of its own by default
        folder: of the program

    Returns:
        The file.

    Raises:
        ScriptError: the name or project is not valid, or the file exists
    """
    if not _NAME.fullmatch(stack):
        raise UsageError(
            f"{stack!r} is not a valid stack name.",
            "Use 1 to 100 letters, digits, hyphens, underscores and periods.",
        )
    local = is_local(stack)
    project = project or (_local_project(stack) if local else None)
    if project is None:
        raise UsageError(
            f"Stack {stack!r} runs on Google Cloud, which needs a project.",
            "Add --project (make stack NAME=... PROJECT=...), or name the stack local-....",
        )
    if not _PROJECT.fullmatch(project):
        raise UsageError(
            f"{project!r} is not a valid project id.",
            "Use 6 to 30 lowercase letters, digits and hyphens, beginning with a letter.",
        )
    template = (folder / TEMPLATES[local]).read_text(encoding="utf-8")
    where = "the local Google Cloud" if local else "Google Cloud"
    text = _FIRST_LINE.sub(
        f"# Stack {stack} on {where}. All keys: docs/configuration.md\n", template
    )
    text = _PROJECT_LINE.sub(rf"\g<1>{project}", text, count=1)
    file = path(stack, folder)
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise ScriptError(
            f"{file.name} exists already.", "Edit it, or choose another name."
        ) from None
    return file


def _local_project(stack: str) -> str:
    """Return a project id for a local stack: two stacks in one project would collide."""
    name = re.sub(r"[^a-z0-9-]+", "-", stack.lower()).strip("-")
    return f"{name[:22].rstrip('-')}-project"
