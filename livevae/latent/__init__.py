"""The latent space as an instrument: positions, grids, presets."""
