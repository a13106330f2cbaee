"""The hierarchical MusicVAE."""
