"""Logs of who read and wrote health data."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import projects

from components import rules
from components.base import ArgumentError, Component, require
from components.project_services import HEALTHCARE

LOG_TYPES = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
"""Types of log entries that can be enabled; changes are always logged."""


@dataclass(frozen=True)
class AuditLogsArgs:
    """Arguments of `AuditLogs`.

    Attributes:
        project: The id of the project.
        log_types: Of ADMIN_READ, DATA_READ and DATA_WRITE, each once.
    """

    project: pulumi.Input[str]
    log_types: Sequence[str]

    def __post_init__(self) -> None:
        require("AuditLogsArgs", "project", self.project, rules.project)
        for log_type in self.log_types:
            require("AuditLogsArgs", "log_types", log_type, _log_type)
        for _, log_type, _ in rules.repeated(self.log_types):
            raise ArgumentError(f'AuditLogsArgs.log_types: "{log_type}" is given twice')


class AuditLogs(Component):
    """Data-access logs of the Healthcare API in a project.

    The component changes the setting of one service; the audit logs of other services stay.
    It replaces the earlier setting of the Healthcare API, so name all log types.

    Inputs: see `AuditLogsArgs`.

    Outputs:
        log_types: What is logged.
    """

    log_types: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        args: AuditLogsArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        config = projects.IAMAuditConfig(
            name,
            project=args.project,
            service=HEALTHCARE,
            audit_log_configs=[{"log_type": item} for item in args.log_types],
            opts=self._child(),
        )
        self.log_types = config.audit_log_configs.apply(
            lambda found: [item.log_type for item in found]
        )
        self.register_outputs({"logTypes": self.log_types})


def _log_type(value: str) -> str | None:
    return rules.one_of(value, LOG_TYPES, "a kind of data-access log")
