"""How fast cloudlet is, and Ansible beside it: on simulated phones of a lab of their own."""
