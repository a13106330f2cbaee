"""LiveVAE: a real-time neural drum instrument that follows your MIDI clock."""

__version__ = "0.1.0"
