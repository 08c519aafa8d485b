"""How a phone is spoken to: SSH, the scripts that run there, and its Docker through it."""
