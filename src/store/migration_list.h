/* MIGRATION(number, name): `migration_<number>` in migration_<number>.c. Numbers ascend without gaps. */
MIGRATION(0001, "football")
MIGRATION(0002, "jobs and registry")
MIGRATION(0003, "football changes")
MIGRATION(0004, "attributes of teams")
MIGRATION(0005, "matches by team")
MIGRATION(0006, "measured expected goals")
