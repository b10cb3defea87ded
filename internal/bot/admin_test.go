package bot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi/person"
)

// admin makes somebody an admin who sees the menu.
func (b *bundle) admin(t *testing.T, name, language string) *person.Person {
	t.Helper()
	p := b.started(t, name, language)
	b.grantAdmin(t, p)
	return p
}

func (b *bundle) grantAdmin(t *testing.T, p *person.Person) {
	t.Helper()
	_, err := b.db.DBA.Exec(b.ctx, `select from account.grant_admin(p_telegram_id => $1, p_note => 'test')`, p.ID)
	require.NoError(t, err)
}

func (b *bundle) revokeAdmin(t *testing.T, p *person.Person) {
	t.Helper()
	_, err := b.db.DBA.Exec(b.ctx, `select from account.revoke_admin(p_telegram_id => $1, p_note => 'test')`, p.ID)
	require.NoError(t, err)
}

// refusals counts what the audit has of somebody's refused attempts.
func (b *bundle) refusals(t *testing.T, p *person.Person) int {
	t.Helper()
	return b.count(t, `select count(*) from audit.entry where actor_id = $1 and details ->> 'sqlstate' = 'US003'`, p.ID)
}

func TestAdminMenu(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	for language, texts := range map[string][2]string{"en": {"Withdrawals waiting: 0", "trials"}, "ru": {"Выводов ждёт: 0", "пробный период"}} {
		admin := b.admin(t, "Boss", language)
		b.send(t, admin, "/admin")
		b.sees(t, admin, texts[0])
		_, err := b.db.Owner.Exec(b.ctx, `update ops.feature set is_on = false where name = 'trials'`)
		require.NoError(t, err)
		b.press(t, admin, map[string]string{"en": "Refresh", "ru": "Обновить"}[language])
		b.sees(t, admin, texts[1])
		_, err = b.db.Owner.Exec(b.ctx, `update ops.feature set is_on = true`)
		require.NoError(t, err)
	}
}

// TestAdminMenuOfOthers: who is no admin, or no longer one, sees what any unknown word or old button gives.
func TestAdminMenuOfOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	anna := b.started(t, "Anna", "en")
	b.send(t, anna, "/nonsense")
	unknown := b.sees(t, anna, "/help").Text
	b.send(t, anna, "/admin")
	b.waitCount(t, 1, `select count(*) from audit.entry where actor_id = $1 and details ->> 'sqlstate' = 'US003'`, anna.ID)
	b.send(t, anna, "/start")
	b.sees(t, anna, "Anna")
	require.NotContains(t, b.chat(t, anna), "Service:")
	require.Contains(t, b.chat(t, anna), unknown)

	ex := b.admin(t, "Ex", "en")
	b.send(t, ex, "/admin")
	message := b.sees(t, ex, "Withdrawals waiting")
	b.revokeAdmin(t, ex)
	answer := b.forge(t, ex, message.MessageID, "a")
	require.Contains(t, answer.Text, "earlier")
	require.Equal(t, 1, b.refusals(t, ex))
	require.NotContains(t, b.lastMessage(t, ex).Text, "Withdrawals")
}
