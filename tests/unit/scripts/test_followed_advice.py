"""Advice that needs no stack: what a message offers is taken out of it, and is then accepted."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.stack_environment import is_local
from scripts.data import metadata_query
from scripts.destroy import age
from scripts.destroy.command import _ask_first
from scripts.lib.cli import Output
from scripts.lib.errors import ScriptError
from scripts.lib.google import gcs_uri, operations
from scripts.lib.google.bigquery import Table
from scripts.lib.pulumi_stack import require_program
from scripts.stacks import stack_file
from tests.support.advice import advised
from tests.support.labs import ROOT
from tests.support.settings import parse, problem


def hint(call: Callable[[], object]) -> str:
    """The hint of the error that a call raises."""
    with pytest.raises(ScriptError) as caught:
        call()
    return caught.value.hint or caught.value.message


@pytest.mark.parametrize(
    ("read", "wrong", "pattern"),
    [
        (Table.from_uri, "table", r"The form is (bq://\S+)\."),
        (gcs_uri.parse, "bucket", r"The form is (gs://\S+?)\. "),
        (gcs_uri.parse, "bucket", r"Example: (gs://\S+)"),
        (gcs_uri.parse, "gs://bucket", r"Try (gs://\S+)\.$"),
        (gcs_uri.parse, "gs://bucket/**/a.dcm", r"\((gs://\S+)\)"),
        (operations.check_name, "name", r"The form is (projects/\S+),"),
    ],
)
def test_a_form_is_accepted(read: Callable[[str], Any], wrong: str, pattern: str) -> None:
    [form] = advised(pattern, hint(lambda: read(wrong)))
    names = {"PROJECT": "my-project", "BUCKET": "my-bucket", "/ID": "/1"}
    for name, value in names.items():
        form = form.replace(name, value)
    assert str(getattr(read(form), "uri", read(form))) == form


def test_durations() -> None:
    offered = re.findall(r"\d+[a-z]\b", hint(lambda: age.parse_duration("soon")))
    assert [age.parse_duration(text) for text in offered] == [
        timedelta(seconds=45),
        timedelta(minutes=30),
        timedelta(hours=8),
        timedelta(days=2),
    ]


def test_a_new_stack(tmp_path: Path) -> None:
    for template in stack_file.TEMPLATES.values():
        (tmp_path / template).write_text((ROOT / template).read_text())
    [name] = advised(r"`make stack NAME=(\S+)`", hint(lambda: stack_file.require("prod", tmp_path)))
    message = hint(lambda: stack_file.create(name, folder=tmp_path))
    option, beginning = advised(r"Add --(\w+) .* name the stack (\S+?)\.\.\.", message)
    stack_file.create(name, **{option: "my-project"}, folder=tmp_path)
    assert "gcp:project: my-project" in stack_file.require(name, tmp_path).read_text()
    stack_file.create(f"{beginning}b", folder=tmp_path)
    assert is_local(f"{beginning}b")


def test_options_of_a_query() -> None:
    def questions(**options: Any) -> object:
        given = {"sql": None, "sql_file": None, "parameters": [], **options}
        table = Table("my-project", "lab", "dicomstore1")
        return metadata_query.questions(**given, table_of_lab=table)

    [option] = advised(r"goes with --(\w+)", hint(lambda: questions(parameters=["a=1"])))
    assert questions(parameters=["a=1"], **{option: "SELECT @a"})
    [form] = advised(r"form (\w+=\w+)", hint(lambda: questions(sql="SELECT 1", parameters=["a"])))
    assert questions(sql="SELECT 1", parameters=[form])


def test_yes_confirms() -> None:
    output = Output(as_json=True)
    [option] = advised(r"Add --(\w+);", hint(lambda: _ask_first("prod", output, yes=False)))
    _ask_first("prod", output, **{option: True})


def test_the_folder_of_a_program(tmp_path: Path) -> None:
    assert "--cwd" in hint(lambda: require_program(tmp_path))
    assert require_program(ROOT) == ROOT


@pytest.mark.parametrize(
    ("key", "config"),
    [
        ("location", {"location": "us-centrall1"}),
        ("access", {"access": "least-privileg"}),
        ("serviceAgentRoles[0]", {"access": "explicit", "serviceAgentRoles": ["bigquery.admin"]}),
        ("importBuckets[0]", {"access": "least-privilege", "importBuckets": ["gs://incoming/x"]}),
    ],
)
def test_did_you_mean(key: str, config: dict[str, Any]) -> None:
    [meant] = advised(r'Did you mean "([^"]+)"\?', problem(key, **config))
    name, *listed = key.split("[")
    assert parse(**{**config, name: [meant] if listed else meant})


@pytest.mark.parametrize(
    ("key", "config", "pattern", "follow"),
    [
        (
            "hl7v2Stores[0].parserConfig",
            {"hl7v2Stores": [{"name": "h", "parserConfig": {"version": "V3"}}]},
            r"Add `(\w+): false`",
            lambda field: [{"name": "h", "parserConfig": {"version": "V3", field: False}}],
        ),
        (
            "fhirStores[0].notificationConfig.sendFullResource",
            {
                "fhirStores": [
                    {
                        "name": "f",
                        "version": "R4",
                        "notificationConfig": {"pubsubTopic": "t-1", "sendFullResource": True},
                    }
                ],
                "topics": [{"name": "t-1"}],
            },
            r"Move it to (\w+),",
            lambda field: [
                {
                    "name": "f",
                    "version": "R4",
                    field: [{"pubsubTopic": "t-1", "sendFullResource": True}],
                }
            ],
        ),
    ],
)
def test_a_field_that_takes_the_place_of_another(
    key: str, config: dict[str, Any], pattern: str, follow: Callable[[str], Any]
) -> None:
    [field] = advised(pattern, problem(key, **config))
    assert parse(**{**config, key.partition("[")[0]: follow(field)})


def test_access_for_a_setting_without_effect() -> None:
    config = {"importBuckets": ["incoming"]}
    [value] = advised(r"Set access to (\S+), or", problem("importBuckets", **config))
    assert parse(**config, access=value.strip('"'))


def test_the_project_of_a_stack() -> None:
    from tests.support.settings import problems

    key, value = advised(r"`pulumi config set (\S+) (\S+)`", problems(None)["gcp:project"])
    assert key == "gcp:project"
    assert parse(value.lower())
