// Package lease elects leaders: of many processes one polls Telegram, one runs an exclusive job.
//
//	who would lead ──► Redis: one of many passes ──► Postgres: gives the epoch, or says that somebody else has it
//
// Postgres is the authority. A leader is who holds the lease there (ops.acquire_lease); its epoch fences a leader that
// was paused and wakes up. Redis only keeps the others from asking Postgres all the time: who has the key of a name is the
// next in line. When Redis is away, slow, empty, or gives the key to two, more processes ask Postgres, and it still names one.
//
// Nothing else is locked in Redis. What one person may do once at a time (a new key, a withdrawal) is one transaction under
// the lock on that person's row, with a key that makes a repeat a repeat: a lock in Redis before it could be lost, and if
// it is not lost it only makes the same answer later.
package lease
