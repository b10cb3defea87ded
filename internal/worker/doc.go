// Package worker does what nobody waits for: keys are made at VPN nodes, messages go out, purchases run out, providers are
// asked about invoices. What is done when is a table (ops.job), as with pg_cron: a row can be switched off, or given
// another schedule, with SQL, and every worker follows within a second.
//
// Any number of workers may run. A parallel job runs in all of them, each claiming its own rows; an exclusive one runs in
// whoever gets its lease, and the lease's epoch fences a worker that was paused and wakes up. Each job is one call of a SQL
// function, or a claim, something outside the database, and a completion.
package worker
