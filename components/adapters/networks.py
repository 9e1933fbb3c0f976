"""Full names of VPC networks and subnetworks."""

import pulumi


def network_path(project: pulumi.Input[str], network: str) -> pulumi.Output[str]:
    """Return the full name of a network that is given by its name, or by its full name."""
    if "/" in network:
        return pulumi.Output.from_input(network)
    return pulumi.Output.concat("projects/", project, "/global/networks/", network)


def subnetwork_path(
    project: pulumi.Input[str], region: str, subnetwork: pulumi.Input[str]
) -> pulumi.Output[str]:
    """Return the full name of a subnetwork that is given by its name, or by its full name."""
    if isinstance(subnetwork, str) and "/" in subnetwork:
        return pulumi.Output.from_input(subnetwork)
    return pulumi.Output.concat(
        "projects/", project, "/regions/", region, "/subnetworks/", subnetwork
    )
