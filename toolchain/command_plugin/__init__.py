"""`pulumi-resource-command` for machines that cannot have the official one: remote.Command only."""
