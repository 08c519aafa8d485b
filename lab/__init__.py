"""Simulated phones on this machine, and what they need. `python -m lab --help` tells more."""
