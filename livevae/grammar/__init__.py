"""Electronic drum styles as data files, and the grammar that plays endless bars of them."""
