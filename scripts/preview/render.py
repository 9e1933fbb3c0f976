"""A preview as Markdown for a pull request."""

import dataclasses
from collections.abc import Iterable, Sequence

from scripts.lib.property_values import Special, Value, format_path, leaves, show
from scripts.lib.wording import plural
from scripts.preview.acknowledge import Acknowledgement
from scripts.preview.escape import code, comment
from scripts.preview.loss import LOSES_DATA, left_behind, losses, lowered_guards
from scripts.preview.model import Action, Change, Preview, Problem, PropertyChange, State
from scripts.preview.names import logical_name, name, type_name
from scripts.preview.page import Page
from scripts.preview.sentences import Loss, Name, Sentence

# GitHub refuses a comment of more than 65,536 characters; the rest is for additions.
LIMIT = 65_000
_ORDER = {
    Action.REPLACE: ("to replace", "🔁"),
    Action.DELETE: ("to delete", "🗑️"),
    Action.UPDATE: ("to update", "✏️"),
    Action.CREATE: ("to create", "✨"),
    Action.ADOPT: ("to adopt", "🤝"),
    Action.PROTECT: ("to protect or unprotect", "🛡️"),
    Action.FORGET: ("to forget", "👋"),
}
# Longer lists are folded.
_OPEN_ROWS = 12
_CREATED_PROPERTIES = 6


def marker(stack: str) -> str:
    """Return the hidden line that identifies the comment of a stack."""
    return f"<!-- gcp-healthcare-dicom:preview:{comment(stack) or 'unknown'} -->"


def markdown(
    preview: Preview,
    acknowledged: Acknowledgement,
    *,
    hide: bool = False,
    limit: int = LIMIT,
    exit_code: int = 0,
) -> str:
    """Return the preview as Markdown for reviewers, losses first.

    Args:
        preview: the preview
        acknowledged: whether the loss of data was acknowledged
        hide: write no values and no names of the cloud, only the program's names
        limit: maximum length of the text, in characters
        exit_code: of `pulumi preview`
    """
    if exit_code:
        preview = dataclasses.replace(preview, failed=True)
    page = Page(limit)
    lost = losses(preview, hide=hide)
    page.add(f"{marker(preview.stack)}\n## {_title(preview)}")
    _losses(page, lost, acknowledged)
    _problems(page, preview, exit_code, hide=hide)
    _counts(page, preview)
    guards = lowered_guards(preview, hide=hide)
    page.add_list(
        "**Guards against deletion that would go:**\n",
        [f"- {_sentence(sentence)}" for sentence in guards],
        "- ... and {} more",
        "guards that would go",
    )
    staying = left_behind(preview)
    page.add_list(
        "**Replaced, but the old one stays in the cloud, out of Pulumi's sight:**\n",
        [f"- {_resource(change.state, hide=hide)}" for change in staying],
        "- ... and {} more",
        "resources that stay in the cloud",
    )
    for action in _ORDER:
        _section(page, action, preview.by(action), hide=hide)
    _notes(page, "Warnings", preview.warnings, hide=hide)
    return page.text(_footer(preview, hide=hide))


def _title(preview: Preview) -> str:
    stack = f" of {code(preview.stack)}" if preview.stack else ""
    if preview.failed:
        return f"Preview{stack}: failed"
    counts = [f"{count} {word}" for a, (word, _) in _ORDER.items() if (count := len(preview.by(a)))]
    return f"Preview{stack}: {', '.join(counts) or 'no changes'}"


def _losses(page: Page, lost: Sequence[Loss], acknowledged: Acknowledgement) -> None:
    if not lost:
        return
    if acknowledged:
        state = f"Acknowledged by {'label' if acknowledged.by == 'label' else 'the flag'}"
        end = f"> {state}{f' {code(acknowledged.label)}' if acknowledged.by == 'label' else ''}."
    else:
        end = (
            f"> If that is wanted, a maintainer adds the label {code(acknowledged.label)}. "
            "If not, change the pull request: what is deleted here can't be brought back."
        )
    page.add_list(
        f"> [!CAUTION]\n> **{LOSES_DATA}.**\n>",
        [f"> - {_sentence(loss.sentence)}" for loss in lost],
        "> - **... and {} more losses**",
        "losses of data",
        f">\n{end}",
    )


def _problems(page: Page, preview: Preview, exit_code: int, *, hide: bool) -> None:
    if preview.failed or exit_code:
        errors = [_problem(problem, hide=hide) for problem in preview.errors]
        code_text = f" with exit code {exit_code}" if exit_code else ""
        reason = "" if errors else " It gave no reason here: see the log of the job."
        head = f"**The preview failed{code_text}: what follows may be incomplete.**{reason}"
        page.add_list(
            f"> [!WARNING]\n> {head}" + ("\n>" if errors else ""),
            [f"> - {error}" for error in errors] or [">"],
            "> - ... and {} more errors",
            "errors",
        )
    if preview.violations:
        rows = [f"- {_problem(problem, hide=hide)}" for problem in preview.violations]
        page.add_list("**Policies:**\n", rows, "- ... and {} more", "policy violations")


def _counts(page: Page, preview: Preview) -> None:
    counted = [(icon, word, len(preview.by(a))) for a, (word, icon) in _ORDER.items()]
    there = [(icon, word, count) for icon, word, count in counted if count]
    if there:
        head = " | ".join(f"{icon} {word}" for icon, word, _ in there)
        numbers = " | ".join(str(count) for _, _, count in there)
        page.add(f"| {head} |\n|{' ---: |' * len(there)}\n| {numbers} |")
    elif not preview.failed:
        page.add("Nothing to do: what is in the cloud is what this branch describes. 🎉")


def _section(page: Page, action: Action, changes: Sequence[Change], *, hide: bool) -> None:
    if not changes:
        return
    word, icon = _ORDER[action]
    rows = [row for change in changes for row in _rows(action, change, hide=hide)]
    head = {
        Action.CREATE: "| resource | properties |\n| --- | --- |",
        Action.ADOPT: "| resource | properties |\n| --- | --- |",
        Action.UPDATE: "| resource | property | old | new |\n| --- | --- | --- | --- |",
        Action.REPLACE: "| resource | forced by | old | new |\n| --- | --- | --- | --- |",
        Action.PROTECT: "| resource | protection |\n| --- | --- |",
    }.get(action, "| resource |\n| --- |")
    columns = head.splitlines()[0].count("|") - 1
    opened = " open" if len(rows) <= _OPEN_ROWS and action is not Action.CREATE else ""
    summary = f"{icon} {plural(len(changes), 'resource')} {word}"
    page.add_list(
        f"<details{opened}><summary>{summary}</summary>\n\n{head}",
        rows,
        "| ... and {} more" + " |" * columns,
        f"rows of resources {word}",
        "\n</details>",
    )


def _rows(action: Action, change: Change, *, hide: bool) -> list[str]:
    title = _resource(change.state, hide=hide)
    if action in {Action.CREATE, Action.ADOPT}:
        note = " (it was gone)" if change.was_gone else ""
        return [f"| {title}{note} | {_inputs(change.new, hide=hide)} |"]
    if action is Action.PROTECT:
        protected = change.new is not None and change.new.protect
        return [f"| {title} | {'switched on' if protected else '**switched off**'} |"]
    if action is Action.UPDATE:
        rows = [_row(title, prop, hide=hide) for prop in change.properties]
        return rows or [f"| {title} | | | |"]
    if action is Action.REPLACE:
        return _replaced(title, change, hide=hide)
    return [f"| {title} |"]


def _replaced(title: str, change: Change, *, hide: bool) -> list[str]:
    """Return the properties that force the replacement, without the others that change."""
    forced = [p for p in change.properties if p.forces_replacement]
    if not forced:
        forced = [p for p in change.properties if str(p.path[0]) in change.forced_by]
    if forced:
        return [_row(title, prop, hide=hide) for prop in forced]
    reasons = ", ".join(map(code, change.forced_by)) or "*what it depends on*"
    return [f"| {title} | {reasons} | | |"]


def _row(title: str, prop: PropertyChange, *, hide: bool) -> str:
    old, new = (_value(prop.path, value, hide=hide) for value in (prop.old, prop.new))
    return f"| {title} | {code(format_path(prop.path))} | {old} | {new} |"


def _value(path: tuple[str | int, ...], value: Value, *, hide: bool) -> str:
    shown = show(path, value, hide=hide)
    return f"*{shown.value}*" if isinstance(shown, Special) else code(shown)


def _inputs(state: State | None, *, hide: bool) -> str:
    if state is None:
        return ""
    found = [
        f"{code(format_path(path))} {_value(path, value, hide=hide)}"
        for path, value in leaves(dict(state.inputs))
        if path and value not in (None, {}, [])
    ]
    rest = len(found) - _CREATED_PROPERTIES
    return ", ".join(found[:_CREATED_PROPERTIES]) + (f" and {rest} more" if rest > 0 else "")


def _notes(page: Page, title: str, problems: Iterable[Problem], *, hide: bool) -> None:
    rows = [f"- {_problem(problem, hide=hide)}" for problem in problems]
    if rows:
        page.add_list(
            f"<details><summary>{title} ({len(rows)})</summary>\n",
            rows,
            "- ... and {} more",
            title.lower(),
            "\n</details>",
        )


def _problem(problem: Problem, *, hide: bool) -> str:
    prefix = f"at {code(logical_name(problem.urn))}: " if problem.urn else ""
    return f"{prefix}{'(text not shown)' if hide else code(problem.text)}"


def _resource(state: State, *, hide: bool) -> str:
    # The type comes from the preview too; an unknown one is printed as it is.
    return f"{_type(state)} {code(name(state, hide=hide))}"


def _type(state: State) -> str:
    words = type_name(state)
    return words if words.replace(" ", "").isalnum() else code(words)


def _sentence(sentence: Sentence) -> str:
    return "".join(code(part) if isinstance(part, Name) else part for part in sentence)


def _footer(preview: Preview, *, hide: bool) -> str:
    same = plural(len(preview.unchanged), "resource") if preview.unchanged else ""
    unchanged = f"{same} would stay as they are. " if same else ""
    hidden = "Values are hidden on request. " if hide else ""
    return f"<sub>{unchanged}{hidden}Secrets and longer texts are never shown.</sub>"
