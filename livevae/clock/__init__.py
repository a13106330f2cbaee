"""MIDI clock in, musical position out: every source publishes Timelines."""
