package migrate

import (
	"context"
	"slices"
	"strings"
)

// catalogRules find what is wrong in a migrated database; each query gives one text per problem. $1 is the
// owner of everything.
var catalogRules = []string{
	// Everything says what it is.
	`select 'schema ' || nspname || ' has no comment' from pg_namespace
	 where ` + ourSchemas + ` and obj_description(oid, 'pg_namespace') is null`,
	`select case c.relkind when 'v' then 'view ' else 'table ' end || n.nspname || '.' || c.relname || ' has no comment'
	 from pg_class c join pg_namespace n on n.oid = c.relnamespace
	 where n.` + ourSchemas + ` and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
	   and obj_description(c.oid, 'pg_class') is null`,
	`select 'column ' || n.nspname || '.' || c.relname || '.' || a.attname || ' has no comment'
	 from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
	 where n.` + ourSchemas + ` and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
	   and a.attnum > 0 and not a.attisdropped and col_description(c.oid, a.attnum) is null`,
	`select 'function ' || p.oid::regproc || ' has no comment'
	 from pg_proc p join pg_namespace n on n.oid = p.pronamespace
	 where n.` + ourSchemas + ` and obj_description(p.oid, 'pg_proc') is null`,

	// Callers run an API function with its owner's rights, and cannot bend its names.
	`select 'function ' || p.oid::regproc || ' is not security definer with search_path = pg_catalog, pg_temp'
	 from pg_proc p join pg_namespace n on n.oid = p.pronamespace
	 where n.` + ourSchemas + ` and left(p.proname, 1) <> '_' and n.nspname <> 'core'
	   and not (p.prosecdef and 'search_path=pg_catalog, pg_temp' = any (coalesce(p.proconfig, '{}')))`,
	`select 'function ' || p.oid::regproc || ' is security definer without search_path = pg_catalog, pg_temp'
	 from pg_proc p join pg_namespace n on n.oid = p.pronamespace
	 where n.` + ourSchemas + ` and p.prosecdef
	   and not ('search_path=pg_catalog, pg_temp' = any (coalesce(p.proconfig, '{}')))`,

	// Nobody may do what was not granted to them, and nobody gets at a table.
	`select 'PUBLIC may execute ' || p.oid::regproc
	 from pg_proc p join pg_namespace n on n.oid = p.pronamespace
	 where n.` + ourSchemas + ` and (p.proacl is null
	   or exists (select from aclexplode(p.proacl) a where a.grantee = 0))`,
	`select 'helper ' || p.oid::regproc || ' is granted to ' || r.rolname
	 from pg_proc p join pg_namespace n on n.oid = p.pronamespace
	 cross join aclexplode(p.proacl) a join pg_roles r on r.oid = a.grantee
	 where n.` + ourSchemas + ` and left(p.proname, 1) = '_' and a.grantee <> p.proowner`,
	`select coalesce(r.rolname, 'PUBLIC') || ' may ' || a.privilege_type || ' on table ' || n.nspname || '.' || c.relname
	 from pg_class c join pg_namespace n on n.oid = c.relnamespace
	 cross join aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
	 where n.` + ourSchemas + ` and a.grantee <> c.relowner
	   and (c.relkind in ('r', 'p', 'S') or (c.relkind in ('v', 'm') and a.privilege_type <> 'SELECT'))`,
	`select 'PUBLIC may use schema ' || n.nspname
	 from pg_namespace n cross join aclexplode(n.nspacl) a
	 where n.` + ourSchemas + ` and a.grantee = 0`,

	// One owner, one function per name, no rowtypes in answers.
	`select 'function ' || p.oid::regproc || ' belongs to ' || p.proowner::regrole
	 from pg_proc p join pg_namespace n on n.oid = p.pronamespace
	 where n.` + ourSchemas + ` and p.proowner <> $1::regrole`,
	`select 'relation ' || n.nspname || '.' || c.relname || ' belongs to ' || c.relowner::regrole
	 from pg_class c join pg_namespace n on n.oid = c.relnamespace
	 where n.` + ourSchemas + ` and c.relowner <> $1::regrole`,
	`select 'function ' || n.nspname || '.' || p.proname || ' is overloaded'
	 from pg_proc p join pg_namespace n on n.oid = p.pronamespace
	 where n.` + ourSchemas + ` group by n.nspname, p.proname having count(*) > 1`,
	`select 'function ' || p.oid::regproc || ' answers with the rowtype of ' || t.typrelid::regclass
	 from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_type t on t.oid = p.prorettype
	 where n.` + ourSchemas + ` and t.typrelid <> 0 and left(p.proname, 1) <> '_'`,
	`select 'foreign key ' || k.conname || ' on ' || k.conrelid::regclass || ' is deferrable: locks would come late'
	 from pg_constraint k join pg_namespace n on n.oid = k.connamespace
	 where n.` + ourSchemas + ` and k.contype = 'f' and k.condeferrable`,
}

// lintCatalog checks what only a database can tell, and that it has exactly the files' functions and views.
func (s *scratch) lintCatalog(ctx context.Context, dsn string, files objects) ([]string, error) {
	var problems []string
	for _, rule := range catalogRules {
		args := []any{}
		if strings.Contains(rule, "$1") {
			args = append(args, s.config.Role)
		}
		found, err := texts(ctx, dsn, rule, args...)
		if err != nil {
			return nil, err
		}
		slices.Sort(found)
		problems = append(problems, found...)
	}
	there, err := texts(ctx, dsn, `
		select 'functions/' || n.nspname || '/' || p.proname || '.sql'
		from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.`+ourSchemas+`
		union all
		select 'views/' || n.nspname || '/' || c.relname || '.sql'
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.`+ourSchemas+` and c.relkind in ('v', 'm')
		order by 1`)
	if err != nil {
		return nil, err
	}
	for _, key := range there {
		if _, ok := files[key]; !ok {
			problems = append(problems, "the database has it and there is no file sql/"+key)
		}
	}
	return problems, nil
}
