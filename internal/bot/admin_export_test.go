package bot_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/obs"
	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/worker"
	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

// exports leaves the admin of a walk one export in each state: that of the ledger is with another worker.
func (s *stage) exports() {
	s.t.Helper()
	ask := func(kind string, batch any, key string) {
		s.desk.One("ops.request_export", desk.A{"p_admin_id": s.me.ID, "p_kind": kind, "p_batch_id": batch, "p_idempotency_key": key})
	}
	for _, outcome := range []string{"done", "unreachable", "failed"} {
		ask("users", nil, outcome)
		_, err := s.db.Owner.Exec(s.ctx, `update ops.export set outcome = $1::text::ops.export_outcome, finished_at = core.now(), parts = 1, rows_sent = 12,
			rows_read = 12, last_error = case $1 when 'failed' then 'no space left' end where outcome is null`, outcome)
		require.NoError(s.t, err)
	}
	ask("ledger", nil, "runs")
	s.desk.One("ops.claim_export", desk.A{"p_holder": "another", "p_lease": "1 hour"})
	ask("promo_batch", s.desk.On(s.t, s.db.Owner).Value("select max(batch_id) from promo.batch"), "waits")
	_, err := s.db.Owner.Exec(s.ctx, `update ops.export set due_at = core.now() + interval '1 day', last_error = 'no space left' where kind = 'promo_batch'`)
	require.NoError(s.t, err)
}

// exporter sends what is due when it is told to.
func (b *bundle) exporter(t *testing.T) func() {
	t.Helper()
	db := b.openDB(t, harness.WorkerLogin)
	job := worker.Export(db.Ops, db.Account, b.messenger(t), obs.Discard(), worker.ExportOptions{})
	return func() {
		_, err := job(b.ctx, worker.Batch{Holder: "w", Limit: 1, IsStopping: func() bool { return false }})
		require.NoError(t, err)
	}
}

// TestAdminExports asks for a file, sees it wait, asks again, stops it, asks anew and gets it.
func TestAdminExports(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	send := b.exporter(t)
	boss := b.admin(t, "Boss", "en")
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Withdrawals waiting")
	b.press(t, boss, "Export")
	b.waitLast(t, boss, "You have asked for nothing")
	require.Equal(t, "It will come into this chat as a file", b.press(t, boss, "Ledger").Text)
	b.waitLast(t, boss, "waits for its turn")
	require.Equal(t, "It is under way already", b.press(t, boss, "📒 Ledger").Text)
	require.Equal(t, 1, b.count(t, "select count(*)::int from ops.export"))
	screen := b.lastMessage(t, boss)
	var stop string
	for _, row := range rowsOf(screen) {
		for _, button := range row {
			if strings.HasPrefix(button.Text, "✖️") {
				stop = button.CallbackData
			}
		}
	}
	require.Equal(t, "Nothing more is sent", b.press(t, boss, "Stop: the ledger").Text)
	b.waitLast(t, boss, "stopped. Parts sent: 0")
	require.Equal(t, "It is over already", b.forge(t, boss, screen.MessageID, stop).Text)
	send()
	b.press(t, boss, "All users")
	b.waitLast(t, boss, "waits for its turn")
	send()
	m, err := boss.WaitMessage(b.ctx, func(m botapi.ChatMessage) bool { return m.Document != nil })
	require.NoError(t, err)
	require.Equal(t, "atlas-users-"+time.Now().UTC().Format(time.DateOnly)+"-part-1.csv", m.Document.FileName)
	require.Contains(t, m.Caption, "all users, part 1")
	text, err := boss.File(b.ctx, m.Document.FileID)
	require.NoError(t, err)
	require.Contains(t, string(text), "\r\n"+strconv.FormatInt(boss.ID, 10)+",")
	b.press(t, boss, "Export") // under the file
	b.waitLast(t, boss, "all is sent. Parts: 1, rows: "+strconv.Itoa(b.count(t, "select count(*)::int from account.account")))

	for _, data := range []string{"a_export:keys", "a_export:promo_batch", "a_export", "a_exports:x", "a_export_cancel:0", "a_export_cancel:", "a_batch_file:-1"} {
		require.Equal(t, "That button is from an earlier version. Here is a fresh menu.", b.forge(t, boss, screen.MessageID, data).Text, data)
	}
	b.forge(t, boss, screen.MessageID, "a_batch_file:77")
	b.sees(t, boss, "There is no such promo code")
}

// TestAdminGetsTheCodesOfABatchAsAFile, in Russian.
func TestAdminGetsTheCodesOfABatchAsAFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	send := b.exporter(t)
	boss := b.admin(t, "Босс", "ru")
	desks := &desk.Desk{TB: t, Conn: b.db.DBA}
	codes := desks.All("promo.issue_batch", desk.A{"p_admin_id": boss.ID, "p_count": 2, "p_discount_percent": 10, "p_max_uses": 1,
		"p_per_user_limit": 1, "p_expires_at": nil, "p_idempotency_key": "batch"})
	b.toPromos(t, boss, "ru")
	b.press(t, boss, "Пачки")
	b.waitLast(t, boss, "Коды, созданные пачкой")
	b.press(t, boss, "2 кода")
	b.waitLast(t, boss, "Пачка №")
	require.Equal(t, "Файл придёт в этот чат", b.press(t, boss, "Коды файлом").Text)
	b.waitLast(t, boss, "коды пачки №")
	send()
	m, err := boss.WaitMessage(b.ctx, func(m botapi.ChatMessage) bool { return m.Document != nil })
	require.NoError(t, err)
	text, err := boss.File(b.ctx, m.Document.FileID)
	require.NoError(t, err)
	for _, code := range codes {
		require.Contains(t, string(text), "\r\n"+code["code"].(string)+",10,1,1,,true,false")
	}
	require.Contains(t, m.Caption, "Это последняя часть. Всего строк: 2.")
}
