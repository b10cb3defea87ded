// Package migrate brings a database to the state that the SQL of this project describes, and keeps that
// SQL honest.
//
// People edit one file per function under sql/functions and one per view under sql/views. Snapshot writes
// the next numbered migration with what changed, so that stock goose replays history in order, with the
// table changes around it. Verify proves that the files, the migrations and the goldens all describe the
// same database.
//
//	sql/functions/*  ──snapshot──►  sql/migrations/000NN_functions.sql  ──goose──►  database
//	       │                                                                          ║ equal?
//	       └───────────────────────── loaded directly ───────────────────────►  database
package migrate
