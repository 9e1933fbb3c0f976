"""The header `X-Consent-Scope`: who reads, for which purpose, and where.

Documented: the entries, their number and length, `btg` (break the glass) and `bypass`, and the text
about too many purposes. Inferred (conformance: fhir-consent-scope): the texts of the other
refusals, and that an entry of another form is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from emulator.services.healthcare.fhir.consents.refusals import denied

HEADER = "x-consent-scope"
BREAK_GLASS, BYPASS = "btg", "bypass"
MAX_ACTORS, MAX_OTHERS = 3, 1
MAX_PURPOSE, MAX_ENVIRONMENT = 12, 14
"""Characters of a purpose, and of an environment without its slash."""
_PURPOSE_SYSTEM = "v3"


@dataclass(frozen=True, slots=True)
class ConsentScope:
    """The accessor of a request, in its own words.

    Attributes:
        actors: such as `Practitioner/1`
        purpose: such as `TREAT`; empty for none
        environment: such as `App/1`; empty for none
        special: `btg`, `bypass` or empty
        text: the header
    """

    actors: tuple[str, ...]
    purpose: str = ""
    environment: str = ""
    special: str = ""
    text: str = ""


def parse(text: str) -> ConsentScope:
    """Return the scope of a header that is not empty.

    Raises:
        OutcomeError: 403, the scope is not valid
    """
    found: dict[str, list[str]] = {"actor": [], "purp": [], "env": [], "special": []}
    for entry in text.split():
        prefix, slash, value = entry.partition("/")
        if entry in (BREAK_GLASS, BYPASS):
            found["special"].append(entry)
        elif prefix in ("actor", "purp", "env") and slash and all(value.partition("/")[::2]):
            found[prefix].append(value)
        else:
            raise denied(
                f"invalid consent scope {entry!r}: actor/TYPE/ID, purp/v3/CODE, env/TYPE/VALUE, "
                f"{BREAK_GLASS} or {BYPASS}"
            )
    _check_count("actor", found["actor"], MAX_ACTORS)
    _check_count("purpose", found["purp"], MAX_OTHERS)
    _check_count("environment", found["env"], MAX_OTHERS)
    _check_count("special", found["special"], MAX_OTHERS)
    scope = ConsentScope(
        actors=tuple(dict.fromkeys(found["actor"])),
        purpose=_purpose(found["purp"]),
        environment="".join(found["env"]),
        special="".join(found["special"]),
        text=text,
    )
    _check(scope)
    return scope


def _purpose(entries: Sequence[str]) -> str:
    for entry in entries:
        system, _, code = entry.partition("/")
        if system != _PURPOSE_SYSTEM or len(code) > MAX_PURPOSE:
            raise denied(
                f"invalid consent purpose scope {entry!r}: the system is {_PURPOSE_SYSTEM}, and "
                f"the code has at most {MAX_PURPOSE} characters"
            )
        return code
    return ""


def _check(scope: ConsentScope) -> None:
    if len(scope.environment.replace("/", "", 1)) > MAX_ENVIRONMENT:
        raise denied(
            f"invalid consent environment scope {scope.environment!r}: type and value have at "
            f"most {MAX_ENVIRONMENT} characters"
        )
    if not scope.actors:
        raise denied("at least one consent actor scope is required")
    if scope.special == BYPASS and not scope.environment:
        raise denied(f"{BYPASS} requires a consent environment scope")


def _check_count(name: str, entries: Sequence[str], maximum: int) -> None:
    if len(entries) > maximum:
        raise denied(
            f"the maximum number of allowed consent {name} scopes is {maximum}, got {len(entries)}"
        )
