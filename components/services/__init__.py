"""A service beside its resource: its arguments, where it may run, and when it counts as running."""
