"""The drill's own side: deploys both accounts into the emulator as an engineer would, runs the weeks, and looks."""
