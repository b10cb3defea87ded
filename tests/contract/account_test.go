package contract_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func accountFunctions() []function {
	me := func(world) A { return A{"p_telegram_id": anna} }
	judged := func(world) A {
		return A{"p_admin_id": boss, "p_telegram_id": anna, "p_reason": "fraud", "p_draft_id": nil}
	}
	ofDraft := []bad{accept(nil), refuse("US004", unknown)}
	noted := func(world) A { return A{"p_telegram_id": anna, "p_note": "why"} }
	return []function{
		{name: "account.register", allowed: "bot",
			returns: "telegram_id bigint, is_new boolean, language text, referrer_id bigint, bind_refusal text, " +
				"is_language_chosen boolean, is_trial_offered boolean",
			args: func(world) A {
				return A{"p_telegram_id": 2000, "p_username": "x", "p_language": "en", "p_start_payload": "ref_x"}
			},
			bad: map[string][]bad{
				"p_telegram_id":   {refuse("22023", nil, 0, -1, 1<<52, math.MaxInt64), accept(1<<52-1, anna)},
				"p_username":      {refuse("22023", "", strings.Repeat("u", 65), long, control), accept(nil, "Ёж")},
				"p_language":      {refuse("22023", "", "de", "RU", long, control), accept(nil, "ru")},
				"p_start_payload": {refuse("22023", strings.Repeat("p", 65), long, control), accept(nil, "", "ref_", "ref")},
			}},
		{name: "account.profile", reads: true, allowed: "bot worker admin", args: me,
			returns: "telegram_id bigint, language text, is_language_chosen boolean, is_admin boolean, is_blocked boolean, " +
				"is_reachable boolean, referral_code text, referrer_id bigint"},
		{name: "account.check_admin", reads: true, allowed: "admin", returns: "telegram_id bigint",
			args: func(world) A { return A{"p_admin_id": boss} }},
		{name: "account.find_users", reads: true, allowed: "admin",
			returns: "telegram_id bigint, username text, is_blocked boolean, registered_at timestamptz",
			args:    func(world) A { return A{"p_admin_id": boss, "p_query": "user_", "p_limit": 10} },
			bad:     map[string][]bad{"p_query": {refuse("22023", nil, "", "@", strings.Repeat("u", 65), long, control), accept("@Ёж")}}},
		{name: "account.card", reads: true, allowed: "admin", returns: cardColumns,
			args: func(world) A { return A{"p_admin_id": boss, "p_telegram_id": anna} }},
		{name: "account.draft_action", allowed: "admin", switche: "admin_actions",
			returns: "draft_id uuid, expires_at timestamptz, is_replay boolean",
			args:    func(world) A { return drafted("credit", `{"amount": 1}`, "key") },
			bad: map[string][]bad{
				"p_action": {refuse("22023", nil, "", "Credit", "a-b", strings.Repeat("a", 65), long, control)},
				"p_arguments": {refuse("22023", nil, "[]", "1", "null", `{"x": "`+strings.Repeat("x", 20_000)+`"}`),
					accept("{}")},
			}},
		{name: "account.show_action", reads: true, allowed: "admin",
			returns: "draft_id uuid, action text, arguments jsonb, expires_at timestamptz, is_expired boolean, " +
				"drafted_at timestamptz",
			args: func(w world) A {
				return A{"p_admin_id": boss, "p_draft_id": w.owner.Value("select draft_id from account.draft")}
			},
			bad: map[string][]bad{"p_draft_id": {refuse("22023", nil), refuse("US004", unknown)}}},
		{name: "account.set_language", allowed: "bot", returns: "telegram_id bigint",
			args: func(world) A { return A{"p_telegram_id": anna, "p_language": "en"} },
			bad:  map[string][]bad{"p_language": {refuse("22023", nil, "", "de", "EN", long, control)}}},
		{name: "account.set_reachable", allowed: "bot worker", returns: "telegram_id bigint",
			args: func(world) A { return A{"p_telegram_id": anna, "p_is_reachable": false} },
			bad:  map[string][]bad{"p_is_reachable": {refuse("22023", nil)}}},
		{name: "account.block", allowed: "admin", args: judged,
			returns: "telegram_id bigint, is_blocked boolean, is_replay boolean", bad: map[string][]bad{"p_draft_id": ofDraft}},
		{name: "account.unblock", allowed: "admin", switche: "admin_actions", args: judged,
			returns: "telegram_id bigint, is_blocked boolean, is_replay boolean", bad: map[string][]bad{"p_draft_id": ofDraft}},
		{name: "account.set_vip", allowed: "admin", switche: "admin_actions",
			returns: "telegram_id bigint, discount_percent integer, is_replay boolean",
			args: func(world) A {
				return A{"p_admin_id": boss, "p_telegram_id": anna, "p_is_vip": true, "p_draft_id": nil}
			},
			bad: map[string][]bad{"p_is_vip": {refuse("22023", nil)}, "p_draft_id": ofDraft}},
		{name: "account.set_discount", allowed: "admin", switche: "admin_actions",
			returns: "telegram_id bigint, discount_percent integer, is_replay boolean",
			args:    func(world) A { return discount(anna, 20, "2099-01-01").With("p_draft_id", nil) },
			bad: map[string][]bad{"p_draft_id": ofDraft, "p_percent": {refuse("22023", -1, 100, math.MaxInt32), accept(nil, 0, 1, 99)},
				"p_expires_at": {refuse("22023", "2020-01-01", "-infinity"), accept(nil, "infinity")}}},
		{name: "account.grant_admin", returns: "telegram_id bigint, is_admin boolean", args: noted},
		{name: "account.revoke_admin", returns: "telegram_id bigint, is_admin boolean", args: noted},
	}
}

// start is the arguments of account.register.
func start(id int, payload any) A {
	return A{"p_telegram_id": id, "p_username": "neo", "p_language": "en", "p_start_payload": payload}
}

func (b *bundle) profile(id int) Row {
	b.Helper()
	return b.One("account.profile", A{"p_telegram_id": id})
}

func TestRegister(t *testing.T) {
	b := setup(t)
	first := b.One("account.register", start(2000, nil))
	require.Equal(t, Row{"telegram_id": 2000, "is_new": true, "language": "en", "referrer_id": nil,
		"bind_refusal": nil, "is_language_chosen": false, "is_trial_offered": true}, first)
	require.Equal(t, Row{"available_kopecks": 0, "held_kopecks": 0, "version": 0, "debt_kopecks": 0},
		b.One("wallet.balance", A{"p_telegram_id": 2000}))

	again := b.One("account.register", start(2000, nil).With("p_language", "ru"))
	require.Equal(t, Row{"telegram_id": 2000, "is_new": false, "language": "en", "referrer_id": nil,
		"bind_refusal": nil, "is_language_chosen": false, "is_trial_offered": true}, again, "a guess does not change a known user's language")

	require.Equal(t, "ru", b.One("account.register", start(2001, nil).With("p_language", nil))["language"])

	profile := b.profile(2000)
	require.Regexp(t, "^[0-9a-f]{16}$", profile["referral_code"])
	require.Equal(t, Row{"telegram_id": 2000, "language": "en", "is_language_chosen": false, "is_admin": false,
		"is_blocked": false, "is_reachable": true, "referral_code": profile["referral_code"], "referrer_id": nil}, profile)
}

func TestRegisterByReferralLink(t *testing.T) {
	b := setup(t)
	link := "ref_" + b.profile(anna)["referral_code"].(string)

	bound := b.One("account.register", start(2000, link))
	require.Equal(t, Row{"is_new": true, "referrer_id": anna, "bind_refusal": nil},
		pick(bound, "is_new", "referrer_id", "bind_refusal"))
	require.Equal(t, anna, b.profile(2000)["referrer_id"])
	require.Equal(t, []string{"referral_joined"}, b.messages(anna))
	require.Equal(t, 1, b.count("audit.event where action = 'account.register.bound' and subject_id = '2000'"))

	for name, test := range map[string]struct {
		id      int
		payload string
		refusal any
		bound   any
	}{
		"an unknown code":                {2001, "ref_0000000000000000", "unknown_code", nil},
		"an empty code":                  {2002, "ref_", "unknown_code", nil},
		"the code in capitals":           {2003, strings.ToUpper(link), nil, nil},
		"no link":                        {2004, "promo", nil, nil},
		"oneself":                        {anna, link, "self", nil},
		"a user who was there before":    {bert, link, "already_registered", nil},
		"a user who is bound to another": {2000, "ref_" + b.profile(bert)["referral_code"].(string), "already_registered", anna},
	} {
		row := b.One("account.register", start(test.id, test.payload))
		require.Equal(t, test.refusal, row["bind_refusal"], name)
		require.Equal(t, test.bound, row["referrer_id"], name)
		if test.refusal != nil {
			require.Equal(t, 1, b.count("audit.event where action = 'account.register.bind_refused' "+
				"and actor_id = $1 and details ->> 'reason' = $2", test.id, test.refusal), name)
		}
	}
	require.Equal(t, 1, b.count("account.account where referrer_id is not null"), "nobody else was bound")
	require.Equal(t, []string{"referral_joined"}, b.messages(anna), "told once")
}

func TestReachable(t *testing.T) {
	b := setup(t)
	reachable := func() any {
		return b.owner.Value("select is_reachable from account.account where telegram_id = $1", anna)
	}
	for range 2 {
		require.Equal(t, Row{"telegram_id": anna},
			b.One("account.set_reachable", A{"p_telegram_id": anna, "p_is_reachable": false}))
		require.Equal(t, false, reachable())
	}
	b.User(anna)
	require.Equal(t, true, reachable(), "who writes again is reachable")
	b.One("account.set_reachable", A{"p_telegram_id": anna, "p_is_reachable": false})
	b.One("account.set_reachable", A{"p_telegram_id": anna, "p_is_reachable": true})
	require.Equal(t, true, reachable())
}

func TestSetLanguage(t *testing.T) {
	b := setup(t)
	require.Equal(t, false, b.profile(anna)["is_language_chosen"])
	for _, language := range []string{"ru", "ru", "en"} {
		require.Equal(t, Row{"telegram_id": anna},
			b.One("account.set_language", A{"p_telegram_id": anna, "p_language": language}))
		require.Equal(t, Row{"language": language, "is_language_chosen": true},
			pick(b.profile(anna), "language", "is_language_chosen"))
	}
	require.Equal(t, true, b.User(anna)["is_language_chosen"])
}

func TestAdmins(t *testing.T) {
	b := setup(t)
	credit := A{"p_telegram_id": anna, "p_amount_kopecks": 1, "p_admin_id": bert, "p_note": "n", "p_idempotency_key": "k"}
	b.Refused("US003", "wallet.credit", credit)

	for range 2 {
		require.Equal(t, Row{"telegram_id": bert, "is_admin": true},
			b.One("account.grant_admin", A{"p_telegram_id": bert, "p_note": "helper"}))
	}
	require.Equal(t, true, b.profile(bert)["is_admin"])
	b.One("wallet.credit", credit)

	for range 2 {
		require.Equal(t, Row{"telegram_id": bert, "is_admin": false},
			b.One("account.revoke_admin", A{"p_telegram_id": bert, "p_note": "left"}))
	}
	require.Equal(t, false, b.profile(bert)["is_admin"])
	b.Refused("US003", "wallet.credit", credit)

	require.Equal(t, []Row{
		{"action": "account.grant_admin", "note": "helper"}, {"action": "account.revoke_admin", "note": "left"}},
		b.Query(`select action, details ->> 'note' as note from audit.event
			where subject_id = $1 and action like 'account.%admin' order by occurred_at`, "1002"), "each change once")
	require.Equal(t, "atlas_test_dba", b.Value(`select details ->> 'by' from audit.event
		where action = 'account.revoke_admin'`))
}

func TestRevokedAdminFailsFromTheNextLockOn(t *testing.T) {
	b := setup(t)
	b.One("account.revoke_admin", A{"p_telegram_id": boss, "p_note": "left"})
	b.Refused("US003", "ops.set_feature", A{"p_admin_id": boss, "p_name": "payments", "p_is_on": false})
	b.Refused("US003", "wallet.debit", A{"p_telegram_id": anna, "p_amount_kopecks": 1, "p_admin_id": boss,
		"p_note": "n", "p_idempotency_key": "k"})
	require.Equal(t, desk.Rich, b.Available(anna))
}
