"""What our stand-ins for Pulumi's own plugins have in common."""
