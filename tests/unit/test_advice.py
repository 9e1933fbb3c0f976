"""Every piece of advice in the code is followed by a test, or listed with the reason why not.

Advice is the hint of an error, and any other text that names a command to run. A new one fails here
until it has an entry.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("scripts", "engine", "components", "program")
_COMMAND = re.compile(
    r"`(?:make|pulumi|gcloud|python|\.venv/)[^`]*`|(?:Next|again|hand): (?:make|pulumi) "
)
_ERROR = re.compile(r"(?:Script|Usage)Error")
_HINT = re.compile(r"_?(?:\w+_)?(?:hints?|again|log_in|disabled)(?:_by_text)?", re.IGNORECASE)

E2E = "tests/e2e/test_advice.py::"
UNIT = "tests/unit/scripts/test_followed_advice.py::"
REFUSED = "tests/e2e/test_adoption.py::test_what_differs_is_refused_with_a_hint"
FORMS, NEW_STACK = f"{UNIT}test_a_form_is_accepted", f"{UNIT}test_a_new_stack"
TEARDOWN = f"{E2E}test_what_stops_a_teardown"
LATER = "The person waits, or repeats the command."
PERSON = "A person decides; no command is named."
SETUP = "The tests need the environment that this command makes."
NO_ADVICE = "A text of another purpose."
FOLLOWED = {
    "Run `make up STACK=": f"{E2E}reader",
    "`make up STACK={}` for the resources alone": f"{E2E}reader",
    "Run {}.": f"{E2E}reader",
    "`.venv/bin/python -m engine run": TEARDOWN,
    " Keys and certificates are never": PERSON,
    " A token does not say": PERSON,
    " Did you mean": f"{UNIT}test_did_you_mean",
    "Its resources: ": "A list of the names to choose from.",
    "Its datasets: ": f"{E2E}test_names_of_stores_and_datasets",
    "Check the names; ": f"{E2E}test_names_of_stores_and_datasets",
    "Check the URI.": f"{E2E}test_sources",
    "Try gs://": f"{E2E}test_sources",
    "Import first": f"{E2E}test_pictures",
    "Export the metadata first": f"{E2E}test_tables",
    "Choose another table": f"{E2E}test_tables",
    "Grant the service agent roles/bigquery": f"{E2E}test_roles_that_were_taken_away",
    "Grant the service agent roles/storage": "tests/e2e/test_least_privilege.py::"
    "test_the_advice_for_a_bucket_that_no_setting_names",
    "Enable it: `gcloud services enable": f"{E2E}test_an_api_that_was_disabled",
    "exists in Google Cloud already": f"{E2E}test_a_resource_that_exists_already",
    "Wait for it; if there is none, run": TEARDOWN,
    "If no update runs, run": TEARDOWN,
    "Set bigqueryDeleteContents": TEARDOWN,
    "Adopt it (docs/adoption.md)": TEARDOWN,
    "Protected, and left in the stack": "tests/e2e/test_teardown.py::"
    "test_a_protected_store_is_named_and_left",
    "Set forceDestroy": "No program here has a bucket of its own.",
    "Add --yes": f"{UNIT}test_yes_confirms",
    "Name the folder of the program": f"{UNIT}test_the_folder_of_a_program",
    "The form is ": FORMS,
    "Bucket names are": FORMS,
    "Write a whole number and a unit": f"{UNIT}test_durations",
    "Create it with `make stack": NEW_STACK,
    "Add --project": NEW_STACK,
    "Stack {} has resources in the project": NEW_STACK,
    "For a store outside of the stack": "tests/contract/test_hl7v2.py::"
    "test_the_scripts_export_and_import",
    "Correct them, and run the same command": "tests/contract/test_hl7v2.py::"
    "test_the_script_sends_files_and_reports_what_is_refused",
    "No resource was imported": "tests/contract/test_fhir_scripts.py::"
    "test_an_import_says_what_failed",
    "Use 1 to 100 letters": NEW_STACK,
    "Use 6 to 30 lowercase": NEW_STACK,
    "Run `pulumi config set": f"{UNIT}test_the_project_of_a_stack",
    "Add --table": "tests/unit/scripts/test_export_metadata.py::"
    "test_without_a_stack_the_table_is_due",
    "Fix the stack file, and check again": REFUSED,
    "Adopted {}. Next": "tests/e2e/test_adoption.py::test_manual_resources_are_adopted_and_stay",
    "is a project number": "Only Google Cloud knows the projects of a person.",
    "is not a notification channel": "`gcloud` lists the channels of Google Cloud alone.",
    "is not the name of a service": "`gcloud` lists the services of Google Cloud alone.",
    "Set up application default credentials": "A person signs in.",
    "Check the network": "A person looks, also at the network.",
    "Check the address, and that a server of MLLP": "A person looks, also at the server.",
    "Check the backend": "A person looks at the two lists.",
    "The export may have been started": "tests/unit/scripts/test_export_metadata.py::"
    "test_a_lost_append_is_not_sent_again",
    "The response to an earlier attempt": "tests/unit/scripts/test_export_metadata.py::"
    "test_rows_in_the_way_may_be_those_of_an_attempt_whose_answer_was_lost",
    "Restore it by hand": "tests/unit/scripts/adoption/test_survey.py::"
    "test_a_state_that_can_not_be_put_back_is_saved",
    "still refused after": "As for the roles, after ten minutes.",
    "Deploy the stack once": "For the state of an older release, as before any first deployment.",
    "Give it what `pulumi preview --json`": "tests/e2e/test_preview_summary_of_program.py::"
    "test_create_nothing_update_rename_and_removal",
    "See {}. If the store held": PERSON,
    "Write it first": "docs/adoption.md says how.",
    "Write the project's name into it": PERSON,
    "Report this as a bug": PERSON,
    "It would be deleted with another": PERSON,
    "Tear it down without --older-than": PERSON,
    "Run it again. Delete by hand": PERSON,
    "Grant the missing role": PERSON,
    "Add one under dicomStores": PERSON,
    "Set `enabled: true` for a store under fhirStores": PERSON,
    "Name one such as bigquery": PERSON,
    "Edit it, or choose": PERSON,
    "Something changed in the meantime": LATER,
    "Run it again": LATER,
    "Run this again": LATER,
    "The service has an error": LATER,
    "The quota is used up": LATER,
    "The service can't be reached": LATER,
    "Pulumi's output names": LATER,
    "Fix the cause": LATER,
    "There is no engine yet": SETUP,
    "uv, which would fetch one": SETUP,
    "the virtualenv {} of {}": SETUP,
    "this engine was built from source": SETUP,
    "the Python package `pulumi` is missing": SETUP,
    "The local Google Cloud is not installed": SETUP,
    "existed before, with contents": "tests/unit/scripts/recovery/test_recover.py::"
    "test_what_holds_data_was_there_before",
    "can't be looked up": PERSON,
    "The log: ": NO_ADVICE,
    "Follow it again: {}": "tests/unit/scripts/pipelines/test_run_pipeline.py::"
    "test_a_timeout_leaves_the_job_and_says_how_to_follow_it",
    "Leave --location out, or name the --template": PERSON,
    "{} for more at https://console": "tests/unit/scripts/pipelines/test_run_pipeline.py::"
    "test_a_quota_that_is_too_small_is_named_before_anything_is_launched",
    " A certificate of Google names": NO_ADVICE,
    "Run this without --deployed": PERSON,
    "`pulumi version` fails": NO_ADVICE,
    "Exit code of `pulumi preview`": NO_ADVICE,
    "<!-- made by": NO_ADVICE,
}
"""Beginning of a text -> the test that follows it, or why none does."""


def test_each_piece_of_advice_is_followed_or_excused() -> None:
    unknown = {
        f"{file}: {text}"
        for file in sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
        for text in advice(ast.parse(file.read_text()))
        if "standin" not in file.parts and not text.startswith(tuple(FOLLOWED))
    }
    assert unknown == set()


def test_the_list_names_texts_and_tests_that_are_there() -> None:
    texts = {
        text
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*.py")
        for text in advice(ast.parse(file.read_text()))
    }
    gone = {text for text in FOLLOWED if not any(each.startswith(text) for each in texts)}
    assert gone == set()
    tests = {test for test in FOLLOWED.values() if "::" in test}
    missing = {
        test
        for test, (file, name) in ((test, test.split("::")) for test in tests)
        if f"def {name}(" not in (ROOT / file).read_text()
    }
    assert missing == set()


def advice(tree: ast.Module) -> set[str]:
    """The texts of a module that say what to do."""
    found = {text for text in _texts(tree) if _COMMAND.search(text) and "[bold]" not in text}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            hints = node.args[1:2] if _ERROR.fullmatch(called) else []
            hints += [each.value for each in node.keywords if each.arg == "hint"]
            found |= {text for hint in hints for text in _texts(hint)}
        elif isinstance(node, ast.Assign):
            names = (getattr(each, "id", getattr(each, "attr", "")) for each in node.targets)
            if any(_HINT.fullmatch(name) for name in names):
                values = node.value.values if isinstance(node.value, ast.Dict) else [node.value]
                found |= {text for value in values for text in _texts(value)}
    return {text for text in found if len(text.split()) > 1}


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts below a node without the docstrings; what a text fills in is `{}`."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        parts = (each.value if isinstance(each, ast.Constant) else "{}" for each in node.values)
        yield "".join(map(str, parts))
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)
