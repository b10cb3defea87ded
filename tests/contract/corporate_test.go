package contract_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func corporateFunctions() []function {
	ofAnna := func(more A) func(w world) A {
		return func(w world) A {
			args := A{"p_telegram_id": anna,
				"p_request_id": w.owner.Value("select request_id from account.corporate_request where closed_at is null")}
			for name, value := range more {
				args[name] = value
			}
			return args
		}
	}
	words := []bad{refuse("22023", nil, "", "a", "  ", strings.Repeat("w", 201), long, control),
		accept("Ёж", strings.Repeat("ы", 200))}
	request := []bad{refuse("22023", nil), refuse("CO001", -1, 0, 1<<62)}
	return []function{
		{name: "account.request_corporate", allowed: "bot",
			returns: "request_id bigint, requested_at timestamptz, is_replay boolean",
			args:    func(world) A { return corporate(bert, "k") }, bad: map[string][]bad{"p_company": words, "p_contact": words}},
		{name: "account.latest_corporate", reads: true, allowed: "bot admin",
			returns: "request_id bigint, company text, contact text, requested_at timestamptz, closed_at timestamptz, " +
				"is_own_closing boolean",
			args: func(world) A { return A{"p_telegram_id": anna} }},
		{name: "account.cancel_corporate", allowed: "bot", returns: "request_id bigint, is_replay boolean",
			args: ofAnna(nil), bad: map[string][]bad{"p_request_id": request}},
		{name: "account.close_corporate", allowed: "admin", switche: "admin_actions",
			returns: "request_id bigint, is_replay boolean", args: ofAnna(A{"p_admin_id": boss}),
			bad: map[string][]bad{"p_request_id": request}},
		{name: "account.list_corporate", reads: true, allowed: "admin",
			returns: "request_id bigint, telegram_id bigint, username text, company text, contact text, requested_at timestamptz",
			args:    func(world) A { return A{"p_admin_id": boss, "p_limit": 10} }},
	}
}

// corporate is the arguments of account.request_corporate.
func corporate(id int, key string) A {
	return A{"p_telegram_id": id, "p_company": "Horns & Hooves", "p_contact": "+7 900 000-00-00", "p_idempotency_key": key}
}

func TestCorporateRequest(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "plus", 1, "1")
	latest := func(id int) []Row { return b.All("account.latest_corporate", A{"p_telegram_id": id}) }
	waiting := func() []Row { return b.All("account.list_corporate", A{"p_admin_id": boss, "p_limit": 10}) }
	require.Empty(t, latest(anna))
	first := b.One("account.request_corporate", corporate(anna, "k"))
	id := first["request_id"]
	require.Equal(t, Row{"request_id": id, "requested_at": at, "is_replay": false}, first)
	require.Equal(t, []string{"corporate_requested"}, b.messages(boss))
	card := b.owner.Value("select arguments from outbox.task where name = 'corporate_requested'").(map[string]any)
	require.Subset(t, card, map[string]any{"company": "Horns & Hooves", "contact": "+7 900 000-00-00", "user_tariff": "plus",
		"user_expires_at": "2027-04-05T10:00:00+00:00"})
	require.EqualValues(t, anna, card["telegram_id"])
	require.Equal(t, 1, b.count("audit.event where action = 'account.request_corporate' and actor_id = 1001"))

	b.owner.At(at.Add(time.Hour))
	require.Equal(t, Row(A(first).With("is_replay", true)), b.One("account.request_corporate", corporate(anna, "k")))
	b.Refused("ID001", "account.request_corporate", corporate(anna, "k").With("p_company", "Another"))
	b.Refused("ID001", "account.request_corporate", corporate(anna, "k").With("p_contact", "Another"))
	b.Refused("CO002", "account.request_corporate", corporate(anna, "k2"))
	b.One("account.request_corporate", corporate(bert, "k"))
	require.Len(t, b.messages(boss), 2, "told once of each")
	require.Equal(t, []any{anna, bert}, []any{waiting()[0]["telegram_id"], waiting()[1]["telegram_id"]}, "the oldest first")
	require.Equal(t, Row{"request_id": id, "company": "Horns & Hooves", "contact": "+7 900 000-00-00", "requested_at": at,
		"closed_at": nil, "is_own_closing": false}, latest(anna)[0])

	mine := A{"p_telegram_id": anna, "p_request_id": id}
	decide := mine.With("p_admin_id", boss)
	b.Refused("CO001", "account.cancel_corporate", mine.With("p_telegram_id", bert))
	require.Equal(t, Row{"request_id": id, "is_replay": false}, b.One("account.close_corporate", decide))
	require.Equal(t, Row{"request_id": id, "is_replay": true}, b.One("account.close_corporate", decide))
	b.One("account.grant_admin", A{"p_telegram_id": bert, "p_note": "one more"})
	require.Contains(t, b.Refused("CO003", "account.close_corporate", decide.With("p_admin_id", bert)).Detail, "was closed by 1 at 2027")
	b.Refused("CO003", "account.cancel_corporate", mine)
	require.Equal(t, Row{"closed_at": at.Add(time.Hour), "is_own_closing": false}, pick(latest(anna)[0], "closed_at", "is_own_closing"))
	require.Equal(t, 1, b.count("audit.event where action = 'account.close_corporate' and actor_id = 1 and subject_id = '1001'"))

	again := b.One("account.request_corporate", corporate(anna, "k2"))["request_id"]
	b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": anna, "p_reason": "r"})
	mine = mine.With("p_request_id", again)
	require.Equal(t, false, b.One("account.cancel_corporate", mine)["is_replay"], "whoever is blocked can take it back")
	require.Equal(t, true, b.One("account.cancel_corporate", mine)["is_replay"])
	require.Equal(t, true, latest(anna)[0]["is_own_closing"])
	b.Refused("US002", "account.request_corporate", corporate(anna, "k3"))
	require.Len(t, waiting(), 1)
}

// TestClosedRequestsAreForgotten: what people wrote about themselves goes with the messages; who waits is not forgotten.
func TestClosedRequestsAreForgotten(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	id := b.One("account.request_corporate", corporate(anna, "k"))["request_id"]
	b.One("account.request_corporate", corporate(bert, "k"))
	b.One("account.cancel_corporate", A{"p_telegram_id": anna, "p_request_id": id})
	purge := func() { b.One("ops.purge_due", A{"p_epoch": nil, "p_limit": 100}) }
	b.owner.At(at.AddDate(0, 0, 30))
	purge()
	require.Equal(t, 2, b.count("account.corporate_request"))
	b.owner.At(at.AddDate(0, 0, 30).Add(time.Second))
	purge()
	require.Equal(t, []any{bert}, []any{b.owner.Value("select telegram_id from account.corporate_request")})
}
