"""The adapters of `workloads/`, measured as processes before an emulator."""
