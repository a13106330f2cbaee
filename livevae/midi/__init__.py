"""Ports, kits and Standard MIDI Files."""
