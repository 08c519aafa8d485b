"""Phones, the swarm and the stacks of a lab, as Pulumi components."""
