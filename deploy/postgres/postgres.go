// Package postgres carries the SQL that prepares a server, which migrations cannot do: roles belong to
// the server and not to one database.
package postgres

import _ "embed"

// Roles makes the group roles and the grants on the database it is run in. It may be run again.
//
//go:embed roles.sql
var Roles string

// Logins makes the login roles as members of the group roles, without passwords. It may be run again.
//
//go:embed logins.sql
var Logins string
