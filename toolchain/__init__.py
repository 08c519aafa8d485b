"""Pulumi for this checkout: the engine, its plugins, and the environment to run it in."""
