package processes_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/tests/contract/desk"
)

// The people of TestALongAbsenceBringsNoBurst, beside Anna and Bert.
const (
	invited = 5001 // by Anna; pays, and renews without being asked
	trying  = 5002 // has a trial
)

// TestALongAbsenceBringsNoBurst lets no worker run for a month, while people buy, try, are invited and run out of time, and
// pg_cron goes on queueing reminders. When a worker is there again each gets what has happened, once, and of all the
// reminders the one that is true at that moment.
func TestALongAbsenceBringsNoBurst(t *testing.T) {
	b := setup(t)
	link := b.One("account.profile", A{"p_telegram_id": anna})["referral_code"].(string)
	b.One("account.register", A{"p_telegram_id": invited, "p_username": "neo", "p_language": "ru", "p_start_payload": "ref_" + link})
	b.User(trying)
	people := map[int]*person.Person{}
	for _, id := range []int{boss, anna, bert, invited, trying} {
		p, err := b.people.Ensure(t.Context(), botapi.Person{ID: int64(id), FirstName: fmt.Sprint("P", id), LanguageCode: "ru"})
		require.NoError(t, err)
		_, err = p.Send(t.Context(), "/start") // opens the chat; nobody reads it, for there is no bot
		require.NoError(t, err)
		people[id] = p
	}

	start := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(start)
	b.Credit(bert, 50000)
	b.Credit(invited, 50000)
	b.One("subscription.start_trial", A{"p_telegram_id": trying, "p_idempotency_key": "t"})
	for _, id := range []int{bert, invited} {
		b.Buy(id, "basic", 1, "k")
	}
	b.One("subscription.set_auto_renew", A{"p_telegram_id": invited, "p_is_on": true})
	_, err := b.Try("billing.settle_payment", desk.Money("cryptobot", "lost", nil, nil, 5000, "RUB"))
	require.NoError(t, err)
	end := b.Ends(bert)
	cron := func(at time.Time) {
		b.owner.At(at)
		b.One("notify.enqueue_due", A{"p_epoch": nil, "p_limit": 100})
	}
	for _, at := range []time.Time{start.Add(6 * time.Hour), start.Add(48 * time.Hour), start.AddDate(0, 0, 3).Add(-6 * time.Hour)} {
		cron(at)
	}
	for _, left := range []time.Duration{72 * time.Hour, 24 * time.Hour, 3 * time.Hour} {
		cron(end.Add(-left))
	}
	require.Positive(t, b.count("outbox.task where name like 'reminder_%' or name like 'trial_%'"))

	back := end.Add(-150 * time.Minute) // half an hour after the last reminder
	b.owner.Later(fmt.Sprintf("%d seconds", int(time.Until(back).Seconds())))
	b.start("worker")
	b.until("all that was due is done", `select not exists (select from outbox.task where finished_at is null)
		and (select count(*) = 1 from outbox.task where name = 'trial_ended')
		and (select count(*) = 2 from outbox.task where name = 'cashback' and kind = 'message')`)
	got := map[int]map[string]int{}
	for _, row := range b.owner.Query(`select telegram_id::int as who, name, count(*)::int as n from outbox.task
		where kind = 'message' and outcome = 'done' group by 1, 2`) {
		if got[row["who"].(int)] == nil {
			got[row["who"].(int)] = map[string]int{}
		}
		got[row["who"].(int)][row["name"].(string)] = row["n"].(int)
	}
	for who, p := range people {
		total := 0
		for _, n := range got[who] {
			total += n
		}
		view, err := p.Chat(t.Context())
		require.NoError(t, err)
		seen := 0
		for _, m := range view.Messages {
			if m.IsOutgoing {
				seen++
			}
		}
		require.Equal(t, total, seen, "%d sees what the books say", who)
	}
	require.LessOrEqual(t, got[invited]["reminder_3h"], 1, "true until the worker has renewed")
	delete(got[invited], "reminder_3h")
	require.Equal(t, map[int]map[string]int{
		boss:    {"admin_alarm": 1},
		anna:    {"referral_joined": 1, "cashback": 2},
		bert:    {"payment_applied": 1, "key_ready": 1, "reminder_3h": 1},
		invited: {"payment_applied": 1, "key_ready": 1, "renewal_done": 1},
		trying:  {"trial_ended": 1},
	}, got)
	b.Reconciled()
}
