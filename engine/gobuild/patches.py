"""A copy of Pulumi's module without what a stack on Google Cloud never runs.

Dropped are the AWS SDK (s3:// backends, awskms:// secrets, `pulumi logs` of AWS resources) and the
experimental command `pulumi api`, whose OpenAPI library takes a quarter of the build. Each of them
fails with an error that says what to do. A second module is copied, which judges passwords for
`pulumi config set`: its word lists are loaded when a value is judged, not whenever Pulumi starts.
A file that is not as expected stops the build. Go refuses `-overlay` for files of its module cache,
so the build uses copies.
"""

import hashlib
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError

REPLACEMENTS = Path(__file__).parent / "replacements"
"""The Go files of our own, laid out as the module `pkg/v3` is."""

TAGS = "disable_grpc_modules"
"""Drops xDS, which only the gRPC client of Cloud Storage uses; Pulumi uses the HTTP client."""

STRENGTH = "github.com/ccojocar/zxcvbn-go"
"""The module that judges passwords; Pulumi also uses an older copy of it, which it then drops."""

ABSENT = (
    "github.com/aws/",
    "github.com/pb33f/libopenapi",
    "github.com/envoyproxy/",
    "github.com/nbutton23/zxcvbn-go",
)
"""How the names of the packages begin that the build must not compile."""


@dataclass(frozen=True)
class Edit:
    """A change in a file of the module.

    Attributes:
        file: Its path in the module.
        pattern: The regular expression of the text to replace.
        new: The text to put there.
        count: How often the pattern must match.
    """

    file: str
    pattern: str
    new: str = ""
    count: int = 1


EDITS = (
    Edit("backend/diy/backend.go", r'\t_ "gocloud\.dev/blob/s3blob".*\n'),
    Edit("backend/diy/bucket.go", r'\tawss3 "github\.com/aws/.*"\n'),
    Edit("backend/diy/bucket.go", r"\bawss3\.CopyObjectInput\b", "s3CopyObjectInput", 2),
    Edit("secrets/cloud/manager.go", r'\t_ "gocloud\.dev/secrets/awskms".*\n'),
    Edit("cmd/pulumi/config/config.go", r'"github\.com/nbutton23/zxcvbn-go"', f'"{STRENGTH}"'),
)
_LOAD = "func loadFrequencyList() {\n"
STRENGTH_EDITS = (
    Edit("frequency/frequency.go", r"func init\(\) \{", "func Load() {"),
    # `Omnimatch` calls this function when nothing is loaded yet.
    Edit("matching/matching.go", r"func init\(\) \{\n\tloadFrequencyList\(\)\n\}\n"),
    Edit("matching/matching.go", re.escape(_LOAD), f"{_LOAD}\tfrequency.Load()\n"),
)
REPLACED = ("operations/operations_aws.go", "cmd/pulumi/cloud/api.go")
ADDED = ("backend/diy/s3_absent.go", "secrets/cloud/awskms_absent.go")
REDUCED = "cmd/pulumi/cloud"
"""The package of `pulumi api`, of which other commands use the files `KEPT`."""
KEPT = ("envelope.go", "resolve.go")


def digest() -> str:
    """Return a digest of all that the patched module and the build's options depend on."""
    files = "".join((REPLACEMENTS / name).read_text() for name in (*REPLACED, *ADDED))
    text = repr((EDITS, STRENGTH_EDITS, REPLACED, ADDED, REDUCED, KEPT, TAGS)) + files
    return hashlib.sha256(text.encode()).hexdigest()


def copy(module: Path, target: Path) -> None:
    """Copy the module `pkg/v3`, without its tests, and patch the copy.

    Args:
        module: Its folder in Go's module cache.
        target: The folder to create.

    Raises:
        EngineError: A file of the module is not as expected.
    """
    _copy_edited(module, target, EDITS)
    for name in REPLACED:
        if not (target / name).is_file():
            raise _unexpected(name, "it does not exist")
    for name in ADDED:
        if (target / name).exists():
            raise _unexpected(name, "it exists already")
    _reduce(target)
    for name in (*REPLACED, *ADDED):
        shutil.copyfile(REPLACEMENTS / name, target / name)


def copy_strength(module: Path, target: Path) -> None:
    """Copy the module `STRENGTH`, without its tests, and patch the copy.

    Args:
        module: Its folder in Go's module cache.
        target: The folder to create.

    Raises:
        EngineError: A file of the module is not as expected.
    """
    _copy_edited(module, target, STRENGTH_EDITS)


def check(packages: Iterable[str]) -> None:
    """Refuse a build that compiles what the patches and the tags are there to drop.

    Raises:
        EngineError: One of the packages is to be absent.
    """
    for package in packages:
        if package.startswith(ABSENT):
            raise EngineError(f"the patches of the build do not drop the Go package {package}")


def _copy_edited(module: Path, target: Path, edits: Iterable[Edit]) -> None:
    _copy_sources(module, target)
    for edit in edits:
        _apply(edit, target)


def _copy_sources(module: Path, target: Path) -> None:
    """Copy without the modes: the files and folders of the module cache are read-only."""
    target.mkdir()
    for path in module.iterdir():
        if path.is_dir():
            if path.name != "testdata":
                _copy_sources(path, target / path.name)
        elif not path.name.endswith("_test.go"):
            shutil.copyfile(path, target / path.name)


def _apply(edit: Edit, target: Path) -> None:
    try:
        text = (target / edit.file).read_text()
    except FileNotFoundError:
        raise _unexpected(edit.file, "it does not exist") from None
    text, found = re.subn(edit.pattern, edit.new, text)
    if found != edit.count:
        raise _unexpected(edit.file, f"{edit.pattern!r} matches {found} times, not {edit.count}")
    (target / edit.file).write_text(text)


def _reduce(target: Path) -> None:
    """Remove the files of `pulumi api`."""
    for name in KEPT:
        if not (target / REDUCED / name).is_file():
            raise _unexpected(f"{REDUCED}/{name}", "it does not exist")
    for path in (target / REDUCED).glob("*.go"):
        if path.name not in KEPT:
            path.unlink()


def _unexpected(name: str, why: str) -> EngineError:
    return EngineError(f"the patches of the build do not fit {name} of the module: {why}")
