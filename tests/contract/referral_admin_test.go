package contract_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func referralAdminFunctions() []function {
	asks := func(world) A { return A{"p_admin_id": boss} }
	page := map[string][]bad{"p_before": {accept(nil, 0, math.MaxInt64)}, "p_after": {accept(nil, 0, math.MaxInt64)}}
	return []function{
		{name: "referral.overview", reads: true, allowed: "admin", args: asks,
			returns: "invited bigint, owed_rewards bigint, owed_kopecks bigint"},
		{name: "referral.levels", reads: true, allowed: "admin", args: asks,
			returns: "level text, from_paying integer, percent integer, referrers bigint, paying bigint, earned_kopecks bigint"},
		{name: "referral.top", reads: true, allowed: "admin", bad: page,
			returns: "telegram_id bigint, username text, paying bigint, level text, percent integer, earned_kopecks bigint",
			args:    func(world) A { return A{"p_admin_id": boss, "p_after": anna, "p_limit": 10} }},
		{name: "referral.search", reads: true, allowed: "admin", returns: "telegram_id bigint, username text",
			args: func(world) A { return A{"p_admin_id": boss, "p_query": "@anna", "p_limit": 10} },
			bad:  map[string][]bad{"p_query": {refuse("22023", nil, "", "@", long, control), accept("1001", "0123456789abcdef", "Ёж")}}},
		{name: "referral.detail", reads: true, allowed: "admin",
			returns: "telegram_id bigint, username text, code text, registered_at timestamptz, referrer_id bigint, " +
				"referrer_username text, invited bigint, paying bigint, level text, percent integer, earned_kopecks bigint, " +
				"clawed_back_kopecks bigint, owed_rewards bigint",
			args: func(world) A { return A{"p_admin_id": boss, "p_telegram_id": anna} }},
		{name: "referral.invited", reads: true, allowed: "admin", bad: page,
			returns: "telegram_id bigint, username text, registered_at timestamptz, pays_since timestamptz",
			args:    func(world) A { return A{"p_admin_id": boss, "p_telegram_id": anna, "p_before": 5, "p_limit": 10} }},
	}
}

func TestReferralsOfAdmins(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	ask := A{"p_admin_id": boss}
	require.Equal(t, Row{"invited": 0, "owed_rewards": 0, "owed_kopecks": 0}, b.One("referral.overview", ask))
	for _, row := range b.All("referral.levels", ask) {
		require.Equal(t, Row{"referrers": 0, "paying": 0, "earned_kopecks": 0}, pick(row, "referrers", "paying", "earned_kopecks"))
	}

	b.invited(bert, 2000, desk.Rich)
	b.invited(bert, 2001, desk.Rich)
	b.invited(bert, 2002, 0)
	b.invited(anna, 2003, desk.Rich)
	first := b.Buy(2000, "basic", 1, "k")["purchase_id"].(string)
	b.Buy(2000, "basic", 1, "again")
	b.Buy(2001, "basic", 1, "k")
	b.Buy(2003, "plus", 1, "k")
	require.Equal(t, Row{"invited": 4, "owed_rewards": 4, "owed_kopecks": 3*1490 + 2990}, b.One("referral.overview", ask))
	b.payDue()
	require.Equal(t, Row{"invited": 4, "owed_rewards": 0, "owed_kopecks": 0}, b.One("referral.overview", ask))
	b.clawBack(first)
	b.payDue()
	b.Buy(2001, "basic", 1, "waits")

	b.owner.Query("update referral.referrer set paying_count = 30 where telegram_id = $1", anna)
	levels := b.All("referral.levels", ask)
	require.Equal(t, []Row{
		{"level": "silver", "from_paying": 0, "percent": 10, "referrers": 1, "paying": 2, "earned_kopecks": 2 * 1490},
		{"level": "gold", "from_paying": 25, "percent": 25, "referrers": 1, "paying": 30, "earned_kopecks": 2990},
		{"level": "platinum", "from_paying": 50, "percent": 45, "referrers": 0, "paying": 0, "earned_kopecks": 0},
	}, levels[:3])
	require.Equal(t, Row{"level": nil, "referrers": 2, "paying": 32, "earned_kopecks": 2*1490 + 2990},
		pick(levels[3], "level", "referrers", "paying", "earned_kopecks"))

	top := func(after any, limit int) []any {
		ids := []any{}
		for _, row := range b.All("referral.top", A{"p_admin_id": boss, "p_after": after, "p_limit": limit}) {
			ids = append(ids, row["telegram_id"])
		}
		return ids
	}
	require.Equal(t, []any{anna, bert}, top(nil, 10))
	require.Equal(t, []any{anna}, top(nil, 1))
	require.Equal(t, []any{bert}, top(anna, 10))
	require.Empty(t, top(bert, 10))
	require.Empty(t, top(2002, 10), "she has no place in it")
	require.Equal(t, Row{"level": "gold", "percent": 25, "paying": 30},
		pick(b.All("referral.top", A{"p_admin_id": boss, "p_after": nil, "p_limit": 1})[0], "level", "percent", "paying"))

	detail := b.One("referral.detail", A{"p_admin_id": boss, "p_telegram_id": bert})
	require.Equal(t, Row{"telegram_id": bert, "code": b.profile(bert)["referral_code"], "referrer_id": nil, "referrer_username": nil,
		"invited": 3, "paying": 2, "level": "silver", "percent": 10, "earned_kopecks": 2 * 1490, "clawed_back_kopecks": 1490,
		"owed_rewards": 1}, pick(detail, "telegram_id", "code", "referrer_id", "referrer_username", "invited", "paying", "level",
		"percent", "earned_kopecks", "clawed_back_kopecks", "owed_rewards"))
	name := b.owner.Value("select username from account.account where telegram_id = $1", bert)
	require.Equal(t, Row{"referrer_id": bert, "referrer_username": name, "invited": 0},
		pick(b.One("referral.detail", A{"p_admin_id": boss, "p_telegram_id": 2000}), "referrer_id", "referrer_username", "invited"))

	page := func(before any, limit int) []Row {
		return b.All("referral.invited", A{"p_admin_id": boss, "p_telegram_id": bert, "p_before": before, "p_limit": limit})
	}
	rows := page(nil, 2)
	require.Equal(t, []Row{{"telegram_id": 2002, "pays_since": nil}, {"telegram_id": 2001, "pays_since": at}},
		[]Row{pick(rows[0], "telegram_id", "pays_since"), pick(rows[1], "telegram_id", "pays_since")})
	require.Equal(t, 2000, page(2001, 2)[0]["telegram_id"])
	require.Empty(t, page(2000, 2))
	b.owner.Query("update referral.referrer set paying_count = 1 where telegram_id = $1", anna)
}

func TestReferralSearch(t *testing.T) {
	b := setup(t)
	code := b.profile(bert)["referral_code"].(string)
	name := b.owner.Value("select username from account.account where telegram_id = $1", bert).(string)
	find := func(query string) []any {
		ids := []any{}
		for _, row := range b.All("referral.search", A{"p_admin_id": boss, "p_query": query, "p_limit": 10}) {
			ids = append(ids, row["telegram_id"])
		}
		return ids
	}
	for _, query := range []string{code, "ref_" + code, "https://t.me/atlas_bot?start=ref_" + code, "1002", "@" + name, name} {
		require.Contains(t, find(query), bert, query)
	}
	require.Empty(t, find("ref_0000000000000000"))
	require.Empty(t, find(code[:15]))
}
