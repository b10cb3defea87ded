package contract_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// giveUp lets updates of as many chats fail for good.
func (b *bundle) giveUp(updates ...int) {
	b.Helper()
	for _, id := range updates {
		b.receive([2]int{id, id})
	}
	for _, update := range b.take("h", len(updates)) {
		require.Equal(b, Row{"will_retry": false, "next_attempt_at": nil},
			b.One("inbox.failed", leased(update).With("p_error", "no <such> thing")))
	}
}

// toldOfDead is what the admin is told of dead letters, in order.
func (b *bundle) toldOfDead() []Row {
	b.Helper()
	return b.owner.Query(`select arguments ->> 'subject' as subject, arguments ->> 'detail' as detail from outbox.task
		where telegram_id = $1 and name = 'admin_alarm' and arguments ->> 'alarm' = 'dead_letter' order by task_id`, boss)
}

func TestAdminsAreToldOfADeadLetterOnce(t *testing.T) {
	b := setup(t)
	b.owner.Query("update ops.setting set value = 1 where name = 'update_attempts'")
	b.giveUp(10)
	told := Row{"subject": "inbox update:10", "detail": "no <such> thing"}
	require.Equal(t, []Row{told}, b.toldOfDead())
	require.Equal(t, []string{"dead_letter"}, b.alarms(), "the audit log has it, too")
	require.Equal(t, 1, b.count("outbox.task where name = 'admin_alarm'"), "nobody but the admin")

	b.owner.Query("select ops._bury('inbox', 'update:10', 'still no')")
	require.Equal(t, []Row{told}, b.toldOfDead(), "renewed, it is the same dead letter")
	require.Equal(t, "still no", b.Value("select error from ops.dead_letter"))

	b.One("ops.clear_dead_letter", A{"p_dead_id": b.Value("select dead_id from ops.dead_letter"), "p_note": "mended"})
	b.owner.Query("select ops._bury('inbox', 'update:10', 'again no')")
	require.Equal(t, []Row{told, {"subject": "inbox update:10", "detail": "again no"}}, b.toldOfDead(), "what comes back is new")
}

// TestALostMessageIsNotToldOf: a message about a lost message would be lost as well, and so on.
func TestALostMessageIsNotToldOf(t *testing.T) {
	b := setup(t)
	b.owner.Query("update ops.setting set value = 1 where name in ('update_attempts', 'message_attempts')")
	b.giveUp(10)
	messages := b.claim(10)
	require.Len(t, messages, 1, "the alarm")
	b.One("notify.failed", untold(messages[0], false))
	require.Equal(t, []string{"inbox", "notify.send"}, b.deadJobs())
	require.Empty(t, b.claim(10))
	require.Len(t, b.toldOfDead(), 1)
}

func (b *bundle) deadJobs() []string {
	b.Helper()
	jobs := []string{}
	for _, row := range b.Query("select job_name from ops.dead_letter order by dead_id") {
		jobs = append(jobs, row["job_name"].(string))
	}
	return jobs
}

// TestManyDeadLettersAreToldOfAFewTimes: a fault that everybody meets does not fill the admins' chats.
func TestManyDeadLettersAreToldOfAFewTimes(t *testing.T) {
	b := setup(t)
	b.owner.Query("update ops.setting set value = 1 where name = 'update_attempts'")
	b.owner.Query("update ops.setting set value = 3 where name = 'dead_letters_told'")
	b.giveUp(10, 11, 12, 13, 14)
	told := []Row{}
	for _, id := range []int{10, 11, 12} {
		told = append(told, Row{"subject": fmt.Sprintf("inbox update:%d", id), "detail": "no <such> thing"})
	}
	told[2]["detail"] = "no <such> thing (you are not told of more of these)"
	require.Equal(t, told, b.toldOfDead())
	require.Equal(t, 5, b.count("ops.dead"))

	b.owner.Query("select ops._bury('another.job', 'x', 'no')")
	told = append(told, Row{"subject": "another.job x", "detail": "no"})
	require.Equal(t, told, b.toldOfDead(), "another job's are others")

	for _, row := range b.Query("select dead_id from ops.dead_letter where job_name = 'inbox' order by dead_id limit 4") {
		b.One("ops.clear_dead_letter", A{"p_dead_id": row["dead_id"], "p_note": "mended"})
	}
	b.giveUp(15)
	told = append(told, Row{"subject": "inbox update:15", "detail": "no <such> thing"})
	require.Equal(t, told, b.toldOfDead(), "with most of them cleared they are told again")
}
