"""The parts of the Pulumi program: configuration, component arguments, outputs."""
