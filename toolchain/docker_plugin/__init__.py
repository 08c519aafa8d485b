"""A stand-in for the official pulumi-docker plugin, for the resources that cloudlet uses."""
