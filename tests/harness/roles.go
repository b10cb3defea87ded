package harness

import (
	"fmt"
	"strings"
)

// Role is a login role of the test servers.
type Role string

// The login roles. The first group has exactly one group role each, to test what it may do; the second
// is what the processes use (deploy/postgres/logins.sql).
const (
	Owner    Role = "atlas_test_owner" // acts as atlas_owner
	Bot      Role = "atlas_test_bot"
	Payments Role = "atlas_test_payments"
	Admin    Role = "atlas_test_admin"
	Worker   Role = "atlas_test_worker"
	Auditor  Role = "atlas_test_auditor"
	DBA      Role = "atlas_test_dba"

	MigratorLogin Role = "atlas_migrator_login"
	BotLogin      Role = "atlas_bot_login" // bot, admin and payments
	WorkerLogin   Role = "atlas_worker_login"
	AuditorLogin  Role = "atlas_auditor_login"
	DBALogin      Role = "atlas_dba_login"

	// Superuser is whom the harness itself connects as.
	Superuser Role = "postgres"
)

const ownerGroup = "atlas_owner"

func singleRoles() map[Role]string {
	return map[Role]string{
		Owner: ownerGroup, Bot: "atlas_bot", Payments: "atlas_payments", Admin: "atlas_admin",
		Worker: "atlas_worker", Auditor: "atlas_auditor", DBA: "atlas_dba",
	}
}

// loginRoles are all login roles but the superuser.
func loginRoles() []Role {
	return []Role{
		Owner, Bot, Payments, Admin, Worker, Auditor, DBA,
		MigratorLogin, BotLogin, WorkerLogin, AuditorLogin, DBALogin,
	}
}

// testLogins makes the login roles of the first group, and gives all of them the tests' password.
func testLogins(password string) string {
	var b strings.Builder
	order := []Role{Owner, Bot, Payments, Admin, Worker, Auditor, DBA}
	for _, role := range order {
		fmt.Fprintf(&b, `
do $$ begin
  if not exists (select from pg_roles where rolname = '%[1]s') then create role %[1]s login; end if;
end $$;
grant %[2]s to %[1]s;
`, role, singleRoles()[role])
	}
	if password == "" {
		return b.String()
	}
	for _, role := range loginRoles() {
		fmt.Fprintf(&b, "alter role %s password '%s';\n", role, password) // hexadecimal, see newServer
	}
	return b.String()
}
