package store

/*
// The driver has SQLite in this program; a weak name lets this file be compiled without it.
typedef struct sqlite3 sqlite3;
extern int sqlite3_auto_extension(void (*f)(void)) __attribute__((weak));
extern int sqlite3_db_config(sqlite3*, int op, ...) __attribute__((weak));

enum { enable_qpsg = 1007, ok = 0, misuse = 21 }; // SQLITE_DBCONFIG_ENABLE_QPSG, SQLITE_OK, SQLITE_MISUSE

static int opened(sqlite3 *db, char **message, const void *routines) {
	return sqlite3_db_config(db, enable_qpsg, 1, (int*)0);
}

static int stable_plans(void) {
	if (!sqlite3_auto_extension || !sqlite3_db_config) return misuse;
	return sqlite3_auto_extension((void (*)(void))opened);
}
*/
import "C"

import (
	"fmt"
	"sync"
)

// stablePlans makes every connection that is opened from now on keep to the plan that a statement
// was prepared with. Otherwise SQLite prepares a statement anew each time that the driver binds
// its values, in case a better plan came of them: a third of the time that small queries take.
var stablePlans = sync.OnceValue(func() error {
	if code := C.stable_plans(); code != 0 {
		return fmt.Errorf("SQLite does not keep plans: code %d", code)
	}
	return nil
})
