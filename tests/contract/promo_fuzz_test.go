package contract_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

var codeForm = regexp.MustCompile(`\A[A-Z0-9]{3,32}\z`)

// canonical is the form of a promo code by the rules: at most 256 characters, NFKC, trimmed, a to z in upper case, and then
// 3 to 32 letters and digits; false for anything else.
func canonical(text string) (string, bool) {
	if utf8.RuneCountInString(text) > 256 {
		return "", false
	}
	text = strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, strings.Trim(norm.NFKC.String(text), " \t\n\v\f\r"))
	return text, codeForm.MatchString(text)
}

// FuzzB10HostileCodes looks for a text that the database and the rules see differently. Seeds are here;
// `go test ./tests/contract -run '^$' -fuzz FuzzB10 -fuzztime 5m` looks for more.
func FuzzB10HostileCodes(f *testing.F) {
	for _, text := range []string{
		"SALE10", " sale10\n", "ＳＡＬＥ１０", "SАLE10", "SA\u200bLE10", "\u202eSALE10", "PROMOı", "PROMOİ", "ſale", "SALE\n10", "", "AB",
		strings.Repeat("A", 33), strings.Repeat("A", 10<<10), strings.Repeat("ﷺ", 250), "SALE\x00", "\xff\xfe", "ﬀﬁ3", "①②③", "㎏10", "Å12",
		"SALE10\u0301", "SALE😀", "ⅷⅷ", "\u3000abc\u00a0", "ǅab", "ß12", "K12", "a\u030a12",
	} {
		f.Add(text)
	}
	h := harness.New(f)
	(&desk.Desk{TB: f, Conn: h.DBA}).Shop()
	owner, dba := &desk.Desk{TB: f, Conn: h.Owner}, &desk.Desk{TB: f, Conn: h.DBA}
	dba.One("promo.issue", issue("KEEP", 10))
	f.Fuzz(func(t *testing.T, text string) {
		want, isCode := canonical(text)
		owner, dba := owner.On(t, h.Owner), dba.On(t, h.DBA)
		if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
			_, err := dba.Try("promo.validate", checked(nobody, text))
			require.Equal(t, "22021", desk.Code(err), "no text at all")
			return
		}
		var code any
		refusal := "PR006" // before anybody is looked up
		if isCode {
			code, refusal = want, "US001"
		}
		require.Equal(t, code, owner.Value("select promo._canonical($1)", text), "%q", text)
		_, err := dba.Try("promo.validate", checked(nobody, text))
		require.Equal(t, refusal, desk.Code(err), "%q", text)
		_, err = dba.Try("billing.open_purchase", with(nobody, text, "k"))
		require.Equal(t, refusal, desk.Code(err), "%q", text)

		tx, err := h.Owner.BeginTx(context.Background(), pgx.TxOptions{})
		require.NoError(t, err)
		defer func() { _ = tx.Rollback(context.Background()) }()
		_, err = owner.On(t, tx).TryQuery("update promo.code set code = $1", text)
		require.Equal(t, codeForm.MatchString(text), err == nil, "the table holds by itself: %q: %v", text, err)
	})
}

// TestB12ExtremeDiscounts: every discount at its edges, and all of them at once, never makes a price below zero or a row of
// nothing in the ledger.
func TestB12ExtremeDiscounts(t *testing.T) {
	b := setup(t)
	for _, percent := range []any{nil, 0, -1, 101, 1000} {
		b.Refused("22023", "promo.issue", issue("NONE", 1).With("p_discount_percent", percent))
	}
	for _, percent := range []any{-1, 100, 101} {
		b.Refused("22023", "account.set_discount", A{"p_admin_id": boss, "p_telegram_id": bert, "p_percent": percent, "p_expires_at": nil})
	}
	b.issue("FULL", 100, A{"p_per_user_limit": 100})
	b.issue("LEAST", 1, A{"p_per_user_limit": 100})
	kinds := map[any]int{}
	for _, personal := range []int{0, 1, 99} {
		for _, isVIP := range []bool{false, true} {
			for _, code := range []any{nil, "LEAST", "FULL"} {
				b.One("account.set_discount", A{"p_admin_id": boss, "p_telegram_id": bert, "p_percent": personal, "p_expires_at": nil})
				b.One("account.set_vip", A{"p_admin_id": boss, "p_telegram_id": bert, "p_is_vip": isVIP})
				largest := personal
				if isVIP {
					largest = max(largest, 30)
				}
				switch code {
				case "LEAST":
					largest = max(largest, 1)
				case "FULL":
					largest = 100
				}
				key := []any{personal, isVIP, code}
				opened := b.One("billing.open_purchase", desk.Choice(bert, "basic", 1, strings.Join(strings.Fields(fmt.Sprint(key)), "_")).With("p_promo_code", code))
				price := (desk.Basic1*(100-largest) + 50) / 100
				require.Equal(t, []any{largest, price}, []any{opened["discount_percent"], opened["price_kopecks"]}, "%v", key)
				kinds[opened["discount_kind"]]++
				if price > 0 {
					b.One("wallet.credit", by(boss, bert, price, "exactly", fmt.Sprint(key)))
				}
				require.Equal(t, 0, b.Pay(bert, opened["purchase_id"].(string))["available_kopecks"])
			}
		}
	}
	require.Len(t, kinds, 4, "%v", kinds)
	require.Zero(t, b.count("ledger.transfer where amount_kopecks <= 0"))
	require.Zero(t, b.count("ledger.transfer t join billing.purchase p using (purchase_id) where p.price_kopecks <> t.amount_kopecks"))
	b.Reconciled()
}
