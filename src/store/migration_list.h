/* MIGRATION(number, name): `migration_<number>` in migration_<number>.c. Numbers ascend without gaps. */
MIGRATION(0001, "football")
MIGRATION(0002, "jobs and registry")
