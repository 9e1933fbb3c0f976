"""The command line: each wrong option has its sentence."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.certificates import Authority
from workloads.mllp.__main__ import app

STORE = "projects/p/locations/l/datasets/d/hl7V2Stores/s"
SUBSCRIPTION = "projects/p/subscriptions/s"
OUT = ["--outgoing", "--subscription", SUBSCRIPTION, "--peer", "his:2575"]


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The handlers of the test run, which the command replaces."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--hl7v2-store is missing"),
        (["--hl7v2-store", "s"], "'s' is not a valid HL7v2 store: write projects/PROJECT/"),
        (["--hl7v2-store", STORE, "--peer", "a:1"], "--peer is for --outgoing alone"),
        (["--hl7v2-store", STORE, "--peer-ca", "x"], "--peer-ca is for --outgoing alone"),
        (["--hl7v2-store", STORE, "--tls-cert", "x"], "belong together"),
        (["--hl7v2-store", STORE, "--tls-client-ca", "x"], "needs --tls-cert and --tls-key"),
        (["--outgoing"], "--outgoing needs --subscription and --peer"),
        ([*OUT, "--hl7v2-store", STORE], "--hl7v2-store does not go with --outgoing"),
        ([*OUT, "--tls-client-ca", "x"], "--tls-client-ca does not go with --outgoing"),
        ([*OUT, "--peer", "his"], "'his' is not a valid address: write HOST:PORT"),
        ([*OUT, "--subscription", "s"], "'s' is not a valid subscription"),
        ([*OUT, "--peer-ca", "none"], "none can't be used for TLS: No such file or directory"),
    ],
)
def test_wrong_options_are_named(arguments: list[str], words: str) -> None:
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 2
    assert words in ran.stderr


def test_wrong_certificates_are_named(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, two = authority.sign("one"), authority.sign("two")
    files = ["--tls-cert", str(one.certificate), "--tls-key", str(two.key)]
    ran = CliRunner().invoke(app, ["--hl7v2-store", STORE, *files])
    assert ran.exit_code == 2
    assert "key values mismatch" in ran.stderr
    ran = CliRunner().invoke(app, [*OUT, *files])
    assert "needs --peer-ca" in ran.stderr


def test_a_folder_that_is_not_a_spool_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "token")
    file = tmp_path / "file"
    file.touch()
    ran = CliRunner().invoke(app, [*OUT, "--spool", str(file)])
    assert ran.exit_code == 1
    assert f"{file} can't be used as a spool" in ran.stderr


def test_missing_credentials_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    ran = CliRunner().invoke(app, ["--hl7v2-store", STORE])
    assert ran.exit_code == 1
    assert "No Google Cloud credentials were found" in ran.stderr
