"""Images: which builds the phones can run, how they are built, and the registry they come from."""
