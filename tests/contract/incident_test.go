package contract_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func systemFunctions() []function {
	asks := func(world) A { return A{"p_admin_id": boss} }
	text := []bad{refuse("22023", nil, "", strings.Repeat("ы", 1001), long), accept(control, strings.Repeat("ы", 1000))}
	return []function{
		{name: "ops.list_features", reads: true, allowed: "admin", args: asks,
			returns: "name text, is_on boolean, changed_at timestamptz, changed_by bigint, changed_by_username text"},
		{name: "ops.incident", reads: true, allowed: "bot worker admin", returns: "is_on boolean, text text, since timestamptz",
			args: func(world) A { return A{"p_language": "ru"} },
			bad:  map[string][]bad{"p_language": {refuse("22023", nil, "", strings.Repeat("e", 17), long), accept("de", control)}}},
		{name: "ops.show_incident", reads: true, allowed: "admin", args: asks,
			returns: "is_on boolean, text_ru text, text_en text, since timestamptz, set_at timestamptz, set_by bigint, " +
				"set_by_username text"},
		{name: "ops.set_incident", allowed: "admin", switche: "admin_actions",
			returns: "incident_id bigint, is_on boolean, is_replay boolean",
			args: func(world) A {
				return incident(true, "Платежи не проходят", "Payments do not work", "k")
			},
			bad: map[string][]bad{"p_is_on": {refuse("22023", nil)}, "p_text_ru": text, "p_text_en": text}},
		{name: "ops.list_components", reads: true, allowed: "admin", args: asks,
			returns: "kind text, name text, state text, since timestamptz, detail text"},
		{name: "ops.system", reads: true, allowed: "admin", args: asks,
			returns: "schema_version bigint, postgres_version text, postgres_started_at timestamptz, database_bytes bigint, " +
				"sessions integer, max_sessions integer, checked_at timestamptz"},
		{name: "ops.list_processes", reads: true, allowed: "admin", args: asks,
			returns: "holder text, leads text[], since timestamptz"},
		{name: "ops.list_lock_waits", reads: true, allowed: "admin",
			args: func(world) A { return A{"p_admin_id": boss, "p_limit": 10} },
			returns: "waited interval, waits_for text, pid integer, application_name text, query text, blocking_pid integer, " +
				"blocking_application_name text, blocking_state text, blocking_transaction_lasts interval, blocking_query text"},
	}
}

// incident is the arguments of ops.set_incident.
func incident(isOn bool, ru, en any, key string) A {
	return A{"p_admin_id": boss, "p_is_on": isOn, "p_text_ru": ru, "p_text_en": en, "p_idempotency_key": key}
}

func TestIncident(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	told := func(language string) Row { return b.One("ops.incident", A{"p_language": language}) }
	nothing := Row{"is_on": false, "text": nil, "since": nil}
	require.Equal(t, nothing, told("ru"))
	require.Equal(t, Row{"is_on": false, "text_ru": nil, "text_en": nil, "since": nil, "set_at": nil, "set_by": nil,
		"set_by_username": nil}, b.One("ops.show_incident", A{"p_admin_id": boss}))

	first := b.One("ops.set_incident", incident(true, "Сбой", "Trouble", "k"))
	require.Equal(t, Row{"incident_id": first["incident_id"], "is_on": true, "is_replay": false}, first)
	require.Equal(t, Row{"is_on": true, "text": "Сбой", "since": at}, told("ru"))
	for _, language := range []string{"en", "de"} {
		require.Equal(t, Row{"is_on": true, "text": "Trouble", "since": at}, told(language))
	}

	b.owner.At(at.Add(time.Minute))
	b.One("ops.set_incident", incident(true, "Чиним", "Being mended", "k2"))
	require.Equal(t, Row{"is_on": true, "text": "Чиним", "since": at}, told("ru"), "rewriting begins no new incident")
	first["is_replay"] = true
	require.Equal(t, first, b.One("ops.set_incident", incident(true, "Сбой", "Trouble", "k")))
	require.Equal(t, "Чиним", told("ru")["text"], "a repeat sets nothing back")
	b.Refused("ID001", "ops.set_incident", incident(true, "Сбой", "Other", "k"))
	b.Refused("ID001", "ops.set_incident", incident(false, nil, nil, "k"))

	b.owner.At(at.Add(time.Hour))
	b.User(second)
	b.One("account.grant_admin", A{"p_telegram_id": second, "p_note": "one more"})
	b.One("ops.set_incident", incident(false, nil, nil, "k").With("p_admin_id", second))
	require.Equal(t, nothing, told("ru"))
	shown := b.One("ops.show_incident", A{"p_admin_id": boss})
	require.Equal(t, Row{"is_on": false, "text_ru": "Чиним", "text_en": "Being mended", "since": nil,
		"set_at": at.Add(time.Hour), "set_by": second}, pick(shown, "is_on", "text_ru", "text_en", "since", "set_at", "set_by"))
	require.Equal(t, b.owner.Value("select username from account.account where telegram_id = $1", second), shown["set_by_username"])

	b.owner.At(at.Add(2 * time.Hour))
	b.One("ops.set_incident", incident(true, "Снова", "Again", "k3"))
	require.Equal(t, at.Add(2*time.Hour), told("en")["since"], "a new one")
	require.Equal(t, []Row{{"actor_id": boss, "on": true}, {"actor_id": boss, "on": true}, {"actor_id": second, "on": false},
		{"actor_id": boss, "on": true}}, b.Query(`select actor_id, (details -> 'is_on')::boolean as "on" from audit.event
			where action = 'ops.set_incident' order by occurred_at`), "each change once")
}

func TestFeaturesSayWhoMovedThem(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	list := func() map[any]Row {
		byName := map[any]Row{}
		for _, row := range b.All("ops.list_features", A{"p_admin_id": boss}) {
			byName[row["name"]] = row
		}
		return byName
	}
	before := list()
	require.Len(t, before, 8)
	for name, feature := range before {
		require.Equal(t, Row{"name": name, "is_on": true, "changed_at": nil, "changed_by": nil, "changed_by_username": nil}, feature)
	}

	b.User(second)
	b.One("account.grant_admin", A{"p_telegram_id": second, "p_note": "one more"})
	move := func(admin int, name string, isOn bool) {
		b.One("ops.set_feature", A{"p_admin_id": admin, "p_name": name, "p_is_on": isOn})
	}
	move(boss, "trials", false)
	b.owner.At(at.Add(time.Minute))
	move(second, "trials", true)
	move(second, "trials", true)
	move(boss, "admin_actions", false)
	b.owner.At(at.Add(time.Hour))
	move(boss, "trials", true)
	after := list()
	require.Equal(t, Row{"is_on": true, "changed_at": at.Add(time.Minute), "changed_by": second},
		pick(after["trials"], "is_on", "changed_at", "changed_by"), "what changed nothing is no change")
	require.Equal(t, Row{"is_on": false, "changed_at": at.Add(time.Minute), "changed_by": boss},
		pick(after["admin_actions"], "is_on", "changed_at", "changed_by"))
	require.Equal(t, before["payments"], after["payments"])
}
