"""Authorization rules of consents: expressions of the Common Expression Language (CEL).

Documented (the reference of `Policy.authorizationRule`): comparisons, `in`, and at most 10 `&&` and
`||`. Google's own runtime of CEL compiles them, with no other function of its standard library.
Inferred (conformance: consent-rule-text, consent-rule-missing-attribute): the texts of refusals,
that `!` is none of the logical operators, and that an attribute without a value in a request
satisfies no comparison.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Any

MAX_LOGICAL_OPERATORS = 10
_STANDARD_LIBRARY = "\n".join(
    [
        "stdlib:",
        "  disable_macros: true",
        "  include_functions:",
        *(
            f'    - name: "{name}"'
            for name in ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in", "_&&_", "_||_")
        ),
    ]
)
_TOKEN = re.compile(
    r"""
    //[^\n]*
    | [bB]?[rR][bB]?(?:'''(?s:.*?)'''|\"""(?s:.*?)\"""|'[^'\n]*'|"[^"\n]*")
    | [bB]?(?:'''(?s:\\.|.)*?'''|\"""(?s:\\.|.)*?\"""|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")
    | (?P<name>[A-Za-z_]\w*)
    | (?P<logic>&&|\|\|)
    """,
    re.VERBOSE,
)


class Outcome(Enum):
    """The result of a rule for a request."""

    SATISFIED = auto()
    NOT_SATISFIED = auto()
    FAILED = auto()
    """It can't be evaluated: an attribute that it needs has no value."""


@dataclass(frozen=True)
class Rule:
    """A rule that compiles.

    Attributes:
        attributes: the ids of the REQUEST attributes that it names
        compiled: the expression
    """

    attributes: frozenset[str]
    compiled: Any

    def evaluate(self, request: Mapping[str, str]) -> Outcome:
        """Return the outcome for the values of REQUEST attributes."""
        result = self.compiled.eval(data=dict(request))
        if result.type().name() == "ERROR":
            return Outcome.FAILED
        return Outcome.SATISFIED if result.value() is True else Outcome.NOT_SATISFIED


@lru_cache(maxsize=4096)
def compile_rule(expression: str, known: frozenset[str]) -> Rule:
    """Return the rule of an expression.

    Args:
        expression: in CEL
        known: the ids of all REQUEST attributes of the store

    Raises:
        ValueError: says why the expression is not a rule
    """
    tokens = [*_TOKEN.finditer(expression)]
    logical = sum(1 for token in tokens if token["logic"])
    if logical > MAX_LOGICAL_OPERATORS:
        raise ValueError(f"{logical} logical operators: at most {MAX_LOGICAL_OPERATORS} && and ||")
    named = frozenset(token["name"] for token in tokens if token["name"]) & known
    try:
        compiled = _environment(named).compile(expression)
    except (RuntimeError, ValueError) as error:
        raise ValueError(_reason(error)) from None
    type_ = compiled.return_type().name()
    if type_ != "BOOL":
        raise ValueError(f"the expression is {type_}, not BOOL")
    return Rule(named, compiled)


def is_attribute_name(name: str) -> bool:
    """Whether rules can name an attribute so: keywords of CEL and names of its types are taken."""
    try:
        _environment(frozenset({name})).compile(f"{name} == ''")
    except (RuntimeError, ValueError):
        return False
    return True


@lru_cache(maxsize=256)
def _environment(variables: frozenset[str]) -> Any:
    # Many megabytes, which a state without consents does not need.
    from cel_expr_python import cel

    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(_STANDARD_LIBRARY),
        variables=dict.fromkeys(sorted(variables), cel.Type.STRING),
    )


def _reason(error: Exception) -> str:
    """Return the first line of CEL's complaint, without the frame of its status."""
    line = str(error).partition("\n")[0].removeprefix("INVALID_ARGUMENT: ")
    return line.removeprefix("ERROR: ").removesuffix(" [INVALID_ARGUMENT]")
