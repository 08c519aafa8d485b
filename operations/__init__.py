"""What a person does to a running lab besides `pulumi up`: look, adopt, drill, recover, back up."""
