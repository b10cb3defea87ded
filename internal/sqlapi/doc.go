// Package sqlapi is the only way from Go to the database: one method per SQL function, one file per SQL schema. A method
// calls its function and hands over the answer; every decision about money is made in SQL.
//
//	DB.Account DB.Wallet DB.Billing DB.Subscription DB.VPN DB.Notify DB.Inbox DB.Audit DB.Ops
//	DB.Promo DB.Referral DB.Withdrawal
//
// Each call is one implicit transaction of two pipelined statements: the correlation id of the context and the time
// limits (set_config, local to the transaction), then the function. Nothing stays behind in the session and nothing is
// prepared by name, so the pool works behind PgBouncer's transaction pooling.
//
// Refusals come back as *atlas.Error; whatever else keeps the database from answering wraps atlas.ErrUnavailable. Deadlocks,
// lock timeouts and serialization failures are tried again with the same arguments, and so are broken connections
// where a repeat is a replay. Refusals that may be an attack are recorded by audit.refused, once, here.
package sqlapi
