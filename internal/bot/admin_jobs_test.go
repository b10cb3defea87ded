package bot_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi/person"
)

// atSystem is an admin who looks at the system.
func (b *bundle) atSystem(t *testing.T) *person.Person {
	t.Helper()
	boss := b.admin(t, "Boss", "en")
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Withdrawals waiting")
	b.press(t, boss, "System")
	b.waitLast(t, boss, "🩺 System")
	return boss
}

func TestSystemScreens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	boss := b.atSystem(t)
	m := b.lastMessage(t, boss)
	require.Contains(t, m.Text, "🟢 bot: works; ")
	require.Contains(t, m.Text, "⚪ worker: unknown")
	b.press(t, boss, "Processes, versions")
	m = b.waitLast(t, boss, "Versions")
	require.Regexp(t, `migration \d+, PostgreSQL 1\d\.`, m.Text)
	require.Contains(t, m.Text, "leads 1: telegram.poll")

	b.press(t, boss, "Back")
	b.press(t, boss, "Lock waits")
	b.waitLast(t, boss, "Nobody waits.")
	tx, err := b.db.Owner.Begin(b.ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(b.ctx) }()
	_, err = tx.Exec(b.ctx, `select 1 from ops.setting where name = 'trial_days' for update`)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := b.db.DBA.Exec(b.ctx, `select from ops.set_setting(p_name => 'trial_days', p_value => 4)`)
		done <- err
	}()
	require.Eventually(t, func() bool {
		b.press(t, boss, "Refresh")
		text := b.lastMessage(t, boss).Text
		return text != "" && b.count(t, `select count(*)::int from ops.lock_wait`) == 1
	}, patience, poll)
	b.press(t, boss, "Refresh")
	b.waitLast(t, boss, "row (")
	b.waitLast(t, boss, "idle in transaction")
	require.NoError(t, tx.Rollback(b.ctx))
	require.NoError(t, <-done)
}

func TestJobScreens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	boss := b.atSystem(t)
	b.press(t, boss, "Jobs")
	list := b.waitLast(t, boss, "⏱ Jobs")
	require.Contains(t, list.Text, "⚪ audit.seal: 3 seconds")
	b.press(t, boss, "audit.seal")
	m := b.waitLast(t, boss, "Seals the ledger and the audit.")
	require.Contains(t, m.Text, "It has not run yet.")
	require.Equal(t, "It is due already, or runs all the time", b.press(t, boss, "Run now").Text)
	_, err := b.db.Owner.Exec(b.ctx, `update ops.scheduled_job set next_run_at = now() + interval '1 hour', last_finished_at = now(),
		last_items = 5, consecutive_failures = 2, last_error = 'half <b>of</b> it' where name = 'audit.seal'`)
	require.NoError(t, err)
	b.press(t, boss, "Refresh")
	m = b.waitLast(t, boss, "🔴 audit.seal")
	require.Contains(t, m.Text, "Fails, times in a row: 2\nhalf <b>of</b> it")
	require.Contains(t, m.Text, "worked off: 5\n")
	require.Equal(t, "It runs within a second", b.press(t, boss, "Run now").Text)
	require.Zero(t, b.count(t, `select count(*)::int from ops.scheduled_job where name = 'audit.seal' and next_run_at is not null`))

	isEnabled := func() int {
		return b.count(t, `select is_enabled::int from ops.scheduled_job where name = 'audit.seal'`)
	}
	b.press(t, boss, "Switch off…")
	ask := b.waitLast(t, boss, "Switch off the job audit.seal?")
	require.Equal(t, 1, isEnabled(), "not before it is confirmed")
	require.Equal(t, "Switched off: workers begin no more runs", b.press(t, boss, "Yes, switch off").Text)
	b.waitLast(t, boss, "⛔ audit.seal")
	require.Zero(t, isEnabled())
	require.Equal(t, "Done already", b.forge(t, boss, ask.MessageID, "a_job_off:audit.seal").Text)
	b.forge(t, boss, ask.MessageID, "a_job_ask:audit.seal")
	_, hasOff := person.FindButton(b.lastMessage(t, boss), "Yes, switch off")
	require.False(t, hasOff, "it is off already")
	require.Equal(t, "Switched on", b.press(t, boss, "Switch on").Text)
	require.Equal(t, 1, isEnabled())
	for _, data := range []string{"a_job:x", "a_job_run:x", "a_job_ask:", "a_job_off:x", "a_job_on:"} {
		require.Contains(t, b.forge(t, boss, ask.MessageID, data).Text, "earlier", data)
	}
	require.Equal(t, 3, b.count(t, `select count(*)::int from audit.entry where actor_id = $1 and subject_id = 'audit.seal'`, boss.ID))
}

func TestDeadLetterScreens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.db.BooksAreWrong("what jobs gave up is what this is about")
	boss := b.atSystem(t)
	b.press(t, boss, "Dead letters")
	b.waitLast(t, boss, "There are no dead letters")
	for i := range 10 {
		_, err := b.db.Owner.Exec(b.ctx, `insert into ops.dead (job_name, subject, error, died_at)
			values ('referral.pay_due', 'telegram_id:' || $1::text, 'no <wallet>', now())`, fmt.Sprint(boss.ID+int64(i)))
		require.NoError(t, err)
	}
	left := func() int { return b.count(t, `select count(*)::int from ops.dead`) }
	b.press(t, boss, "Back")
	b.press(t, boss, "Dead letters")
	m := b.waitLast(t, boss, "no <wallet>")
	require.NotContains(t, m.Text, fmt.Sprint("telegram_id:", boss.ID+1, ":"), "on the next page")
	b.press(t, boss, "Further")
	m = b.waitLast(t, boss, fmt.Sprint("telegram_id:", boss.ID, ":"))
	require.NotContains(t, m.Text, fmt.Sprint("telegram_id:", boss.ID+2))

	b.press(t, boss, fmt.Sprint("telegram_id:", boss.ID))
	card := b.waitLast(t, boss, "Given up")
	button, ok := person.FindButton(card, "The user")
	require.True(t, ok)
	require.Equal(t, fmt.Sprint("a_user:", boss.ID), button.CallbackData)
	require.Equal(t, "It is tried again", b.press(t, boss, "Try again").Text)
	require.Equal(t, 9, left())
	retry, _ := person.FindButton(card, "Try again")
	require.Equal(t, "Nothing is left to try", b.forge(t, boss, card.MessageID, retry.CallbackData).Text)
	b.waitLast(t, boss, "It is not there any more")

	b.press(t, boss, "Back")
	b.press(t, boss, fmt.Sprint("telegram_id:", boss.ID+9))
	b.waitLast(t, boss, "Given up")
	b.press(t, boss, "Clear…")
	ask := b.waitLast(t, boss, "Clear this?")
	require.Equal(t, 9, left(), "not before it is confirmed")
	yes, ok := person.FindButton(ask, "Yes, clear")
	require.True(t, ok)
	require.Equal(t, "Cleared", b.press(t, boss, "Yes, clear").Text)
	require.Equal(t, "Done already", b.forge(t, boss, ask.MessageID, yes.CallbackData).Text)
	require.Equal(t, 8, left())
	for _, data := range []string{"a_dead:x", "a_letter:", "a_letter_retry:-1", "a_letter_ask:0", "a_letter_yes:1"} {
		require.Contains(t, b.forge(t, boss, ask.MessageID, data).Text, "earlier", data)
	}
}
