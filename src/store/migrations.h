/* Migrations: the schema as numbered steps, forward only. Step N lives in migration_000N.c as an array of statements
 * and has one row in migration_list.h. A step that was released is never edited; a change is a new step.
 *
 * Table `migration` says which steps a database has. All missing steps run in one transaction when a database is
 * opened for writing, so a crash leaves the old schema or the new one. Threads: as the connection. */
#ifndef ALMANAC_STORE_MIGRATIONS_H
#define ALMANAC_STORE_MIGRATIONS_H

#include "store/db.h"

struct migration {
    int version;
    const char *name;
    const char *const *statements; /* NULL-terminated */
};

#define MIGRATION(number, name) extern const char *const migration_##number[];
#include "store/migration_list.h"
#undef MIGRATION

int migrations_newest(void);
/* Brings the database up to `version` (0: the newest). ERR_CONFLICT when it is newer than this program or not ours. */
enum err_code migrations_run(struct db *db, int version, struct err *err) CHECKED;
/* ERR_CONFLICT unless the database has exactly the newest version. Writes nothing. */
enum err_code migrations_check(struct db *db, struct err *err) CHECKED;

/* db_open for writing, but only up to `version`: how tests make the files of older programs. */
enum err_code db_open_version(const char *where, int version, struct db **out, struct err *err) CHECKED;

#endif
