"""How phones become members of the swarm, stay it and stop being it, with the majority kept."""
