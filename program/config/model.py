"""The base of all settings: strict models in camelCase, and field types that follow the rules."""

from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from components import rules


def follows(rule: Callable[[str], str | None]) -> AfterValidator:
    """Return a validator out of a rule."""

    def check(value: str) -> str:
        message = rule(value)
        if message is not None:
            raise PydanticCustomError("rule", "{message}", {"message": message})
        return value

    return AfterValidator(check)


class Model(BaseModel):
    """Strict types, camelCase keys, nothing unknown.

    Attributes:
        refused: key that a reader expects here, and that can't work -> the error
    """

    refused: ClassVar[Mapping[str, str]] = {}

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
    )


HealthcareId = Annotated[str, follows(rules.healthcare_id)]
Labels = dict[Annotated[str, follows(rules.label_key)], Annotated[str, follows(rules.label_value)]]
Location = Annotated[str, follows(rules.location)]
TimeZone = Annotated[str, follows(rules.time_zone)]
Role = Annotated[str, follows(rules.role)]
Member = Annotated[str, follows(rules.member)]
KmsKeyName = Annotated[str, follows(rules.kms_key_name)]
Duration = Annotated[str, follows(rules.duration)]
Topic = Annotated[str, follows(rules.topic)]
DeletionPolicy = Literal["DELETE", "PREVENT", "ABANDON"]
