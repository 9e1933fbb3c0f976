"""The service accounts that components run their programs with."""

# Unevaluated, the annotations load nothing of the provider for programs without such components.
from __future__ import annotations

import pulumi
from pulumi_gcp import serviceaccount


def create_account(
    logical: str,
    project: pulumi.Input[str],
    account_id: str,
    display_name: str,
    opts: pulumi.ResourceOptions,
) -> serviceaccount.Account:
    """Create a service account, which has no role yet.

    Args:
        logical: its logical name
        project: the id of its project
        account_id: the part of its address before the @
        display_name: for people
        opts: of the resource
    """
    return serviceaccount.Account(
        logical,
        project=project,
        account_id=account_id,
        display_name=display_name,
        opts=opts,
    )
