"""The emulator's process: start, stop, state folder, backends."""
