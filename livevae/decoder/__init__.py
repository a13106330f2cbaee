"""The decoder: the process that owns torch, and the bank it shares with the player."""
