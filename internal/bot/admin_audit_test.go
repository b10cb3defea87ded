package bot_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAuditScreens shows what was done to somebody, by an admin, and all of it, page by page.
func TestAuditScreens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	admin, anna := b.admin(t, "Boss", "en"), b.started(t, "Anna", "en")
	for roubles := range int64(9) {
		b.credit(t, anna, roubles+1)
	}
	_, err := b.db.DBA.Exec(b.ctx, `select from account.block(p_admin_id => $1, p_telegram_id => $2, p_reason => 'fraud <b>')`, admin.ID, anna.ID)
	require.NoError(t, err)
	b.send(t, anna, "/admin")
	b.waitCount(t, 1, `select count(*)::int from audit.entry where actor_id = $1 and details ->> 'sqlstate' = 'US003'`, anna.ID)

	b.card(t, admin, anna)
	b.press(t, admin, "Audit")
	first := b.waitLast(t, admin, fmt.Sprint("done to ", anna.ID)).Text
	require.Contains(t, first, fmt.Sprintf("%d: block → %d", admin.ID, anna.ID))
	require.Contains(t, first, "reason: fraud <b>")
	require.Contains(t, first, "Credit → ")
	require.Contains(t, first, "amount: 9 ₽; note: test")
	require.NotContains(t, first, "amount: 1 ₽")
	b.press(t, admin, "Further")
	b.waitLast(t, admin, "amount: 3 ₽")
	b.press(t, admin, "To the beginning")
	b.waitLast(t, admin, "amount: 9 ₽")
	b.press(t, admin, "All of it")
	b.waitLast(t, admin, "what was done last")
	b.card(t, admin, admin)
	b.press(t, admin, "Done by this admin")
	require.Contains(t, b.waitLast(t, admin, fmt.Sprint("done by ", admin.ID)).Text, "block")
	message := b.lastMessage(t, admin).MessageID
	for _, data := range []string{"a_audit:x", "a_audit:e99999999", "a_audit_on:x", "a_audit_by:1:t1.1", "a_audit_on:1:' or true"} {
		require.Contains(t, b.forge(t, admin, message, data).Text, "earlier", data)
	}
}
