package contract_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func promoFunctions() []function {
	malformed := refuse("PR006", "", "AB", strings.Repeat("A", 33), "SA LE", "SALE%", long, control)
	known := map[string][]bad{
		"p_code":     {refuse("22023", nil), malformed, refuse("PR001", "COLD"), accept(" hot\n")},
		"p_max_uses": {refuse("22023", 0, -1, 1_000_001), accept(nil, 1, 1_000_000)},
	}
	return []function{
		{name: "promo.issue", allowed: "admin", switche: "admin_actions",
			returns: "promo_id bigint, code text, is_replay boolean",
			args:    func(world) A { return issue("NEW", 10) },
			bad: map[string][]bad{
				"p_code":             {malformed, refuse("PR007", "HOT", " hot "), accept(nil, strings.Repeat("A", 32), "123")},
				"p_discount_percent": {refuse("22023", nil, 0, -1, 101), accept(1, 100)},
				"p_max_uses":         known["p_max_uses"],
				"p_per_user_limit":   {refuse("22023", 0, -1, 1001), accept(nil, 1000)},
				"p_expires_at":       {refuse("22023", "infinity", "-infinity"), accept(nil, "2020-01-01")}}},
		{name: "promo.disable", allowed: "admin", switche: "admin_actions", bad: known,
			returns: "code text, is_active boolean, is_replay boolean",
			args:    func(world) A { return A{"p_admin_id": boss, "p_code": "HOT"} }},
		{name: "promo.set_limit", allowed: "admin", switche: "admin_actions", bad: known,
			returns: "code text, max_uses integer, is_replay boolean",
			args:    func(world) A { return A{"p_admin_id": boss, "p_code": "HOT", "p_max_uses": 5} }},
		{name: "promo.validate", reads: true, allowed: "bot admin", bad: known,
			returns: "code text, discount_percent integer, expires_at timestamptz, uses_left bigint",
			args:    func(world) A { return checked(anna, "HOT") }},
	}
}

// issue is the arguments of promo.issue: once per user, otherwise without limits.
func issue(code any, percent int) A {
	return A{"p_admin_id": boss, "p_code": code, "p_discount_percent": percent, "p_max_uses": nil, "p_per_user_limit": 1,
		"p_expires_at": nil, "p_idempotency_key": fmt.Sprint("issue ", code)}
}

// issue makes a promo code by the boss's hand; changes are of the arguments.
func (b *bundle) issue(code any, percent int, changes ...A) Row {
	b.Helper()
	args := issue(code, percent)
	for _, change := range changes {
		for name, value := range change {
			args = args.With(name, value)
		}
	}
	return b.One("promo.issue", args)
}

// checked is the arguments of promo.validate.
func checked(id int, code any) A { return A{"p_telegram_id": id, "p_code": code} }

// with is the arguments of opening a month of basic with a code.
func with(id int, code any, key string) A {
	return desk.Choice(id, "basic", 1, key).With("p_promo_code", code)
}

// openWith opens a month of basic with a code and gives the purchase's id.
func (b *bundle) openWith(id int, code any, key string) string {
	b.Helper()
	return b.One("billing.open_purchase", with(id, code, key))["purchase_id"].(string)
}

// uses are the numbers of a code's uses in order.
func (b *bundle) uses(code string) []int {
	b.Helper()
	numbers := []int{}
	for _, row := range b.owner.Query(`select u.use_no from promo.use u join promo.code c on c.promo_id = u.promo_id
		where c.code = $1 order by 1`, code) {
		numbers = append(numbers, row["use_no"].(int))
	}
	return numbers
}

// left is how many uses promo.validate says are left.
func (b *bundle) left(id int, code string) any {
	b.Helper()
	return b.One("promo.validate", checked(id, code))["uses_left"]
}

func TestIssuePromo(t *testing.T) {
	b := setup(t)
	ends := time.Date(2030, 1, 2, 3, 4, 5, 678901000, time.UTC)
	args := A{"p_admin_id": boss, "p_code": " spring26\t", "p_discount_percent": 25, "p_max_uses": 100, "p_per_user_limit": 2,
		"p_expires_at": ends, "p_idempotency_key": "k"}
	first := b.One("promo.issue", args)
	require.Equal(t, Row{"promo_id": first["promo_id"], "code": "SPRING26", "is_replay": false}, first)
	require.Equal(t, Row{"code": "SPRING26", "discount_percent": 25, "expires_at": ends, "uses_left": 100},
		b.One("promo.validate", checked(bert, "Spring26")))

	first["is_replay"] = true
	require.Equal(t, first, b.One("promo.issue", args))
	require.Equal(t, first, b.One("promo.issue", args.With("p_code", "SPRING26")), "the same code")
	b.owner.Query("set time zone 'Asia/Tokyo'")
	require.Equal(t, first, b.owner.One("promo.issue", args.With("p_expires_at", ends.In(time.FixedZone("", 3600)))),
		"the same moment, whatever the session's time zone")
	for param, other := range map[string]any{"p_code": nil, "p_discount_percent": 26, "p_max_uses": nil,
		"p_per_user_limit": nil, "p_expires_at": ends.Add(time.Microsecond)} {
		b.Refused("ID001", "promo.issue", args.With(param, other))
	}
	require.Contains(t, b.Refused("PR007", "promo.issue", args.With("p_idempotency_key", "k2")).Detail, "issued by 1")

	b.One("account.grant_admin", A{"p_telegram_id": bert, "p_note": "second"})
	other := b.One("promo.issue", args.With("p_admin_id", bert).With("p_code", "SUMMER"))
	require.Equal(t, false, other["is_replay"], "the key's scope is the admin")
	b.Refused("PR007", "promo.issue", args.With("p_admin_id", bert).With("p_idempotency_key", "k3"))

	b.One("promo.disable", A{"p_admin_id": boss, "p_code": "SPRING26"})
	require.Equal(t, first, b.One("promo.issue", args), "the first answer, whatever became of it")
	require.Equal(t, []any{"promo.issue SPRING26 1", "promo.issue SUMMER 1002", "promo.disable SPRING26 1"}, b.promoEvents())
}

// promoEvents are the audit entries about promo codes, oldest first.
func (b *bundle) promoEvents() []any {
	b.Helper()
	list := []any{}
	for _, row := range b.Query(`select action || ' ' || subject_id || ' ' || actor_id as event from audit.event
		where action like 'promo.%' order by occurred_at`) {
		list = append(list, row["event"])
	}
	return list
}

func TestGeneratedPromoCodes(t *testing.T) {
	b := setup(t)
	seen := map[any]bool{}
	for i := range 50 {
		args := issue(nil, 10).With("p_idempotency_key", fmt.Sprint(i))
		code := b.One("promo.issue", args)["code"]
		require.Regexp(t, `^[A-HJ-NP-Z2-9]{10}$`, code)
		require.Equal(t, code, b.One("promo.issue", args)["code"], "a repeat does not generate another")
		seen[code] = true
	}
	require.Len(t, seen, 50)

	// The generator gives one that is taken, then a new one.
	b.script(`create sequence public.tries;
		create or replace function promo._new_code() returns text language sql volatile
		as $$ select case when nextval('public.tries') < 3 then 'TAKEN' else 'FREE' end $$`)
	b.issue("TAKEN", 10)
	require.Equal(t, "FREE", b.issue(nil, 10)["code"])
}

func TestDisablePromo(t *testing.T) {
	b := setup(t)
	b.issue("SALE", 10)
	open := b.openWith(anna, "SALE", "k")
	args := A{"p_admin_id": boss, "p_code": "sale"}
	want := Row{"code": "SALE", "is_active": false, "is_replay": false}
	require.Equal(t, want, b.One("promo.disable", args))
	want["is_replay"] = true
	require.Equal(t, want, b.One("promo.disable", args))
	b.One("account.grant_admin", A{"p_telegram_id": bert, "p_note": "second"})
	require.Equal(t, want, b.One("promo.disable", args.With("p_admin_id", bert)), "it is off, whoever asks")
	require.Len(t, b.promoEvents(), 2, "a replay is no event")

	require.Contains(t, b.Refused("PR004", "promo.validate", checked(bert, "SALE")).Detail, "SALE: disabled by admin 1 at 20")
	b.Refused("PR004", "billing.quote", quoted(bert, "basic", 1).With("p_promo_code", "SALE"))
	b.Refused("PR004", "billing.open_purchase", with(bert, "SALE", "k"))
	require.Equal(t, open, b.openWith(anna, "SALE", "k"), "a repeat is a replay all the same")
	require.Equal(t, desk.Rich-13410, b.Pay(anna, open)["available_kopecks"], "an open purchase keeps its price")
	b.Reconciled()
}

func TestSetPromoLimit(t *testing.T) {
	b := setup(t)
	b.issue("SALE", 10, A{"p_per_user_limit": 10})
	limit := func(n any) A { return A{"p_admin_id": boss, "p_code": "sale", "p_max_uses": n} }
	require.Equal(t, Row{"code": "SALE", "max_uses": nil, "is_replay": true}, b.One("promo.set_limit", limit(nil)))
	b.owner.Query("select setval('promo.use_no', 1000000000)")
	for i := range 4 {
		b.openWith(anna, "SALE", fmt.Sprint(i))
	}
	require.Nil(t, b.left(bert, "SALE"))

	require.Contains(t, b.Refused("PR003", "promo.set_limit", limit(3)).Detail, "4 uses")
	want := Row{"code": "SALE", "max_uses": 4, "is_replay": false}
	require.Equal(t, want, b.One("promo.set_limit", limit(4)))
	want["is_replay"] = true
	require.Equal(t, want, b.One("promo.set_limit", limit(4)))
	require.Equal(t, []int{1, 2, 3, 4}, b.uses("SALE"), "numbers above the limit are moved within it")
	b.Refused("PR003", "billing.open_purchase", with(bert, "SALE", "k"))
	b.Reconciled()

	b.One("promo.set_limit", limit(6))
	require.Equal(t, 2, b.left(bert, "SALE"))
	first := b.openWith(bert, "SALE", "1")
	b.openWith(bert, "SALE", "2")
	b.Refused("PR003", "billing.open_purchase", with(bert, "SALE", "3"))
	b.One("billing.cancel_purchase", desk.Mine(bert, first))
	b.Refused("PR003", "promo.set_limit", limit(4))
	b.One("promo.set_limit", limit(5))
	require.Equal(t, []int{1, 2, 3, 4, 5}, b.uses("SALE"))
	b.One("promo.set_limit", limit(nil))
	b.openWith(bert, "SALE", "4")
	require.Len(t, b.uses("SALE"), 6)
	b.Reconciled()
}

// TestB10HostileCodes is B10: what is not a code is refused before anything is looked up, whoever asks.
func TestB10HostileCodes(t *testing.T) {
	b := setup(t)
	b.issue("SALE10", 10)
	for name, text := range map[string]string{
		"as it is": "SALE10", "lower case": "sale10", "blanks": " \t\r\n sale10\v\f ", "full-width": "ＳＡＬＥ１０", "long s": "ſale10",
		"full-width blanks": "\u3000sale10\u00a0", "superscript": "SALE¹⁰", "circled": "Ⓢⓐⓛⓔ10",
	} {
		require.Equal(t, "SALE10", b.One("promo.validate", checked(anna, text))["code"], name)
		require.Equal(t, "promo", b.One("billing.quote", quoted(anna, "basic", 1).With("p_promo_code", text))["discount_kind"], name)
	}
	opened := b.openWith(anna, "ｓａｌｅ10", "k")
	require.Equal(t, opened, b.openWith(anna, "SALE10", "k"), "a key's repeat may spell the code otherwise")
	b.Refused("ID001", "billing.open_purchase", with(anna, "SALE11", "k"))
	b.Refused("ID001", "billing.open_purchase", with(anna, nil, "k"))

	for name, text := range map[string]string{
		"nothing": "", "blank": " ", "too short": "AB", "too long": strings.Repeat("A", 33), "10 KB": strings.Repeat("A", 10<<10),
		"10 KB of blanks": strings.Repeat(" ", 10<<10), "one that grows": strings.Repeat("ﷺ", 250),
		"homoglyph": "SАLE10", "Greek": "SΑLE10", "zero-width": "SA\u200bLE10", "zero-width at the end": "SALE10\u200d",
		"byte order mark": "\ufeffSALE10", "right to left": "\u202eSALE10", "isolate": "\u2067SALE10\u2069", "dotless i": "PROMOı", "dotted I": "PROMOİ",
		"sharp s": "SALEß", "newline": "SA\nLE10", "two lines": "SALE10\nSALE11", "a blank": "SALE 10", "a dash": "SALE-10", "percent": "SALE%",
		"quotes": "SALE'; --", "combining": "SALE10\u0301", "emoji": "SALE😀", "Arabic digits": "SALE١٠", "escape": "\x1b[31mSALE",
		"underscore": "SALE_10", "soft hyphen": "SA\u00adLE10", "tag letters": "SALE10\U000e0041",
	} {
		require.Equal(t, "PR006", b.Refused("PR006", "promo.validate", checked(nobody, text)).Code, name)
		b.Refused("PR006", "billing.quote", quoted(nobody, "gold", 1).With("p_promo_code", text))
		refusal := b.Refused("PR006", "billing.open_purchase", with(nobody, text, "k"))
		require.Regexp(t, `^a text of \d+ characters$`, refusal.Detail, "%s: hostile text is not repeated", name)
		b.Refused("PR006", "promo.issue", issue(text, 10).With("p_admin_id", nobody).With("p_idempotency_key", "k"))
		b.Refused("PR006", "promo.disable", A{"p_admin_id": nobody, "p_code": text})
		b.Refused("PR006", "promo.set_limit", A{"p_admin_id": nobody, "p_code": text, "p_max_uses": 1})
	}
	for _, call := range []struct {
		function string
		args     A
	}{
		{"promo.validate", checked(anna, "SALE\x0010")}, {"billing.open_purchase", with(anna, "SALE\x0010", "k")},
		{"promo.issue", issue("SALE\x00", 10)},
	} {
		_, err := b.Try(call.function, call.args)
		require.Equal(t, "22021", desk.Code(err), "NUL is no text at all")
	}
	for _, text := range []string{"sale", "SA", "SALE10\n", "ＳＡＬＥ"} {
		_, err := b.owner.TryQuery("update promo.code set code = $1", text)
		require.ErrorContains(t, err, "code_is_canonical", "the table holds by itself")
	}
	b.Reconciled()
}

// TestDotlessI: upper-casing knows English letters only, whatever the database's collation.
func TestDotlessI(t *testing.T) {
	b := setup(t)
	b.issue("VIPTITIKV", 10)
	require.Equal(t, "VIPTITIKV", b.One("promo.validate", checked(anna, "viptitikv"))["code"])
	b.Refused("PR006", "promo.validate", checked(anna, "vıptıtıkv"))
	b.Refused("PR006", "promo.validate", checked(anna, "VİPTİTİKV"))
}

func TestPromoRefusals(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.User(3000)
	b.issue("ENDS", 50, A{"p_expires_at": at.Add(time.Hour)})
	b.issue("ENDED", 50, A{"p_expires_at": at})
	b.issue("OFF", 50)
	b.One("promo.disable", A{"p_admin_id": boss, "p_code": "OFF"})
	b.issue("GONE", 50, A{"p_max_uses": 1})
	b.openWith(bert, "GONE", "gone")
	b.issue("MINE", 50)
	b.Pay(anna, b.openWith(anna, "MINE", "mine"))
	b.issue("SMALL", 1)
	b.Pay(anna, b.openWith(anna, "SMALL", "small"))
	b.issue("SMALLGONE", 1, A{"p_max_uses": 1})
	b.openWith(bert, "SMALLGONE", "small gone")
	b.owner.Query("update account.account set is_vip = true where telegram_id = $1", anna)

	before := b.fingerprint()
	for code, want := range map[string]string{"NONE": "PR001", "ENDED": "PR002", "GONE": "PR003", "OFF": "PR004", "MINE": "PR005",
		"SMALL": "PR005", "SMALLGONE": "PR003"} { // the last two would lose against VIP
		b.Refused(want, "promo.validate", checked(anna, code))
		b.Refused(want, "billing.quote", quoted(anna, "basic", 1).With("p_promo_code", code))
		b.Refused(want, "billing.open_purchase", with(anna, code, "k"))
	}
	require.Equal(t, before, b.fingerprint(), "a refusal changes nothing")
	b.Open(anna, "basic", 1, "k")

	b.owner.At(at.Add(time.Hour - time.Microsecond))
	b.One("promo.validate", checked(3000, "ENDS"))
	open := b.openWith(3000, "ENDS", "k")
	b.owner.At(at.Add(time.Hour))
	b.Refused("PR002", "promo.validate", checked(anna, "ENDS"))
	b.Credit(3000, 20000)
	require.Equal(t, 20000-7450, b.Pay(3000, open)["available_kopecks"], "the code's end does not end the purchase")
	b.Reconciled()
}

func TestPromoPrice(t *testing.T) {
	b := setup(t)
	for i, test := range []struct {
		name          string
		list, percent int
		account       string
		kind          string
		of, price     int
	}{
		{"the code", 14900, 10, "is_vip = false", "promo", 10, 13410},
		{"the larger wins: the code", 14900, 31, "is_vip = true, discount_percent = 30", "promo", 31, 10281},
		{"the larger wins: VIP", 14900, 29, "is_vip = true", "vip", 30, 10430},
		{"the larger wins: personal", 14900, 39, "is_vip = true, discount_percent = 40", "personal", 40, 8940},
		{"a tie goes to VIP", 14900, 30, "is_vip = true", "vip", 30, 10430},
		{"a tie goes to the personal one", 14900, 40, "discount_percent = 40", "personal", 40, 8940},
		{"half a kopeck is rounded up", 150, 33, "is_vip = false", "promo", 33, 101},
		{"everything", 14900, 100, "is_vip = true, discount_percent = 99", "promo", 100, 0},
		{"everything of one kopeck", 1, 100, "is_vip = false", "promo", 100, 0},
		{"99 % of one kopeck", 1, 99, "is_vip = false", "promo", 99, 0},
		{"of the largest price", 1_000_000_000_000, 100, "is_vip = false", "promo", 100, 0},
	} {
		code := fmt.Sprint("CODE", i)
		b.issue(code, test.percent)
		b.owner.Query(`update account.account set is_vip = false, discount_percent = null where telegram_id = $1`, anna)
		b.owner.Query("update account.account set "+test.account+" where telegram_id = $1", anna)
		b.owner.Query("update billing.tariff_price set list_kopecks = $1 where tariff = 'basic' and months = 1", test.list)
		want := Row{"list_kopecks": test.list, "discount_kind": test.kind, "discount_percent": test.of, "price_kopecks": test.price}
		columns := []string{"list_kopecks", "discount_kind", "discount_percent", "price_kopecks"}

		require.Equal(t, want, pick(b.One("billing.quote", quoted(anna, "basic", 1).With("p_promo_code", code)), columns...), test.name)
		require.Empty(t, b.uses(code), "a quote reserves nothing")
		opened := b.One("billing.open_purchase", with(anna, code, code))
		require.Equal(t, want, pick(opened, columns...), test.name)
		require.Len(t, b.uses(code), map[bool]int{true: 1, false: 0}[test.kind == "promo"], "%s: only a winner is reserved", test.name)
		require.Equal(t, code, b.owner.Value("select promo_code from billing.purchase where purchase_id = $1",
			opened["purchase_id"]), "the loser is kept too")
		b.Refused("ID001", "billing.open_purchase", with(anna, nil, code))
	}
	b.Reconciled()
}

// TestFreeByPromo is B12: 100 % is paid without money, and no leg of zero or less is booked.
func TestFreeByPromo(t *testing.T) {
	b := setup(t)
	b.issue("ALL", 100)
	id := b.openWith(bert, "ALL", "k")
	paid := b.Pay(bert, id)
	require.Equal(t, Row{"status": "paid", "available_kopecks": 0}, pick(paid, "status", "available_kopecks"))
	require.Zero(t, b.count("ledger.transfer where telegram_id = $1", bert))
	require.Equal(t, "free", b.owner.Value("select paid_with from billing.purchase where purchase_id = $1", id))
	b.Refused("PR005", "billing.open_purchase", with(bert, "ALL", "k2"))
	b.Reconciled()
}
