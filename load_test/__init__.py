"""The shop under load: the test, what it leaves in the database, drills, and the report."""
