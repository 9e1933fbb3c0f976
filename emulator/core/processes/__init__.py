"""Child processes of the emulator."""
