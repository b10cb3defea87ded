package migrate

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// compileBodies loads every file once more over a migrated database, this time with the bodies checked.
func (s *scratch) compileBodies(ctx context.Context, dsn string, files objects) ([]string, error) {
	var problems []string
	err := withConn(ctx, dsn, func(conn *pgx.Conn) error {
		if err := s.config.prepareSession(ctx, conn); err != nil {
			return err
		}
		for _, o := range creationOrder(files) {
			if o.kind != kindFunction {
				continue
			}
			if err := tryFile(ctx, conn, o); err != nil {
				problems = append(problems, fmt.Sprintf("sql/%s: %v", o.key(), err))
			}
		}
		return nil
	})
	return problems, err
}

func tryFile(ctx context.Context, conn *pgx.Conn, o object) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if _, err := tx.Exec(ctx, o.text); err != nil {
		return explain(err)
	}
	return nil
}

// plpgsqlCheck asks the extension about every plpgsql function, with its trigger's table where it has
// one. Hidden casts are let pass where nothing can get lost: from our domains (domains inside, base types
// in signatures) and to a wider integer.
const plpgsqlCheck = `
select p.oid::regproc || coalesce(' line ' || c.lineno, '') || ': ' || c.level || ' ' || c.sqlstate || ': ' || c.message
       || coalesce(' (' || c.detail || ')', '') || coalesce(' (' || c.hint || ')', '')
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang and l.lanname = 'plpgsql'
left join pg_trigger t on t.tgfoid = p.oid and not t.tgisinternal
cross join lateral plpgsql_check.plpgsql_check_function_tb(
  funcoid => p.oid, relid => coalesce(t.tgrelid, 0), fatal_errors => false,
  other_warnings => true, extra_warnings => true, performance_warnings => true, security_warnings => true) c
where n.` + ourSchemas + ` and n.nspname <> 'plpgsql_check'
  and (p.prorettype <> 'trigger'::regtype or t.oid is not null)
  and not (c.level = 'performance' and c.sqlstate = '42804'
           and c.detail ~ '^cast "(core\.|smallint"|integer" value to "bigint")')
order by 1`

// checkFunctions runs plpgsql_check in a copy of a migrated database; skipped says why it could not.
func (s *scratch) checkFunctions(ctx context.Context, dsn string) (problems []string, skipped string, err error) {
	var available bool
	err = s.query(ctx, dsn, `select exists (select from pg_available_extensions where name = 'plpgsql_check')`, &available)
	if err != nil {
		return nil, "", err
	}
	if !available {
		return nil, fmt.Sprintf("this server lacks the extension plpgsql_check (Debian: postgresql-%d-plpgsql-check)", s.major), nil
	}
	checked, err := s.copyOf(ctx, dsn, "checked")
	if err != nil {
		return nil, "", err
	}
	if err := s.exec(ctx, checked, `create schema plpgsql_check; create extension plpgsql_check schema plpgsql_check`); err != nil {
		return nil, "", err
	}
	problems, err = texts(ctx, checked, plpgsqlCheck)
	for i, problem := range problems {
		problems[i] = strings.Join(strings.Fields(problem), " ")
	}
	return problems, "", err
}
