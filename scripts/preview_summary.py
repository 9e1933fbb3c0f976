"""Summarize `pulumi preview` for reviewers: Markdown for a pull request, JSON, or text."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

# With `python scripts/preview_summary.py` the search path has scripts/, but not the project.
sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from scripts.preview.acknowledge import DEFAULT_LABEL, acknowledgement  # noqa: E402
from scripts.preview.errors import PreviewInputError  # noqa: E402
from scripts.preview.loss import losses  # noqa: E402
from scripts.preview.model import Preview  # noqa: E402
from scripts.preview.parse import parse  # noqa: E402
from scripts.preview.plain import plain  # noqa: E402
from scripts.preview.render import LIMIT, markdown  # noqa: E402
from scripts.preview.report import report  # noqa: E402
from scripts.preview.sentences import Loss, text  # noqa: E402

FAILED = 1
UNREADABLE = 2
DATA_LOSS = 3


class Format(StrEnum):
    """The format of the summary."""

    MARKDOWN = "markdown"
    JSON = "json"
    TEXT = "text"


_HELP = f"""Summarize a preview for reviewers, lost patient data first.

Reads what `pulumi preview --json` printed (the document, or the stream of events) and writes
Markdown for a comment on a pull request, JSON for programs, or text: the losses alone. Secrets
never appear in it.

[bold]Examples[/bold]

  pulumi preview --json -s dev > preview.json

  preview_summary.py preview.json

  preview_summary.py preview.json --fail-on-data-loss --labels "$LABELS"

  pulumi preview --json | preview_summary.py - --format json

[bold]Exit codes[/bold]

  0  it succeeded, and no data would be lost, or the loss is acknowledged

  {FAILED}  the preview itself failed; the summary says why

  {UNREADABLE}  the options or the input can't be used

  {DATA_LOSS}  data would be lost without acknowledgement (with --fail-on-data-loss)
"""


Source = Annotated[str, typer.Argument(metavar="FILE", help="The preview; - is standard input")]
Output = Annotated[Path | None, typer.Option(help="Where to write it; standard output by default")]
Fail = Annotated[
    bool,
    typer.Option(
        "--fail-on-data-loss", help=f"Exit {DATA_LOSS} if data would be lost unacknowledged."
    ),
]
Acknowledge = Annotated[
    bool, typer.Option("--acknowledge", help="Accept the loss: do not fail because of it")
]
Labels = Annotated[
    str,
    typer.Option(
        envvar="PREVIEW_LABELS",
        help="Labels of the pull request: a JSON list, or names separated by commas",
    ),
]
Label = Annotated[
    str,
    typer.Option(envvar="PREVIEW_ACKNOWLEDGE_LABEL", help="The label that acknowledges a loss"),
]
Stack = Annotated[str, typer.Option(help="The stack's name, for previews that fail before it")]
PreviewCode = Annotated[
    int, typer.Option(help="Exit code of `pulumi preview`: its JSON does not have all failures")
]
Hide = Annotated[
    bool, typer.Option("--hide-values", help="Show no values, for public repositories")
]
Limit = Annotated[int, typer.Option(min=2000, help="Maximum length of the Markdown, in characters")]


def main(
    source: Source = "-",
    format_: Annotated[
        Format, typer.Option("--format", help="Format of the summary")
    ] = Format.MARKDOWN,
    output: Output = None,
    fail_on_data_loss: Fail = False,
    acknowledge: Acknowledge = False,
    labels: Labels = "",
    acknowledge_label: Label = DEFAULT_LABEL,
    stack: Stack = "",
    preview_exit_code: PreviewCode = 0,
    hide_values: Hide = False,
    limit: Limit = LIMIT,
) -> None:
    """Run the command line."""
    try:
        preview = _preview(source, stack, preview_exit_code)
        acknowledged = acknowledgement(flag=acknowledge, labels=labels, label=acknowledge_label)
    except PreviewInputError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(UNREADABLE) from None
    code = preview_exit_code
    if format_ is Format.JSON:
        written = report(preview, acknowledged, hide=hide_values, exit_code=code)
    elif format_ is Format.TEXT:
        written = plain(preview, hide=hide_values, exit_code=code)
    else:
        written = markdown(preview, acknowledged, hide=hide_values, limit=limit, exit_code=code)
    _write(written, output)
    if preview.failed or code:
        if format_ is not Format.TEXT:  # its text has the words
            typer.echo("error: the preview failed: see the summary", err=True)
        raise typer.Exit(FAILED)
    lost = losses(preview, hide=hide_values)
    if lost and fail_on_data_loss and not acknowledged:
        _refuse(lost, acknowledge_label)


def _refuse(lost: list[Loss], label: str) -> NoReturn:
    for loss in lost:
        typer.echo(f"error: {text(loss.sentence)}", err=True)
    typer.echo(
        f"error: data would be lost: acknowledge it with the label {label!r} or --acknowledge, "
        "or revert the change",
        err=True,
    )
    raise typer.Exit(DATA_LOSS)


def _preview(source: str, stack: str, exit_code: int) -> Preview:
    given = _read(source)
    if not given.strip() and exit_code:
        # It failed before it wrote anything: the summary and the comment say so.
        return Preview(stack, failed=True)
    return parse(given, stack=stack)


def _read(source: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise PreviewInputError(f"{source} can't be read: {error.strerror}") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PreviewInputError("the preview is not UTF-8 text: was it compressed?") from None


def _write(written: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(written.encode())
        sys.stdout.flush()
        return
    try:
        output.write_text(written, encoding="utf-8")
    except OSError as error:
        typer.echo(f"error: {output} can't be written: {error.strerror}", err=True)
        raise typer.Exit(UNREADABLE) from None


app = typer.Typer(add_completion=False, rich_markup_mode="rich")
app.command(help=_HELP)(main)

if __name__ == "__main__":
    app()
