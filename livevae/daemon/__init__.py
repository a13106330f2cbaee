"""The supervisor: starts, restarts and ends the player and the decoder."""
