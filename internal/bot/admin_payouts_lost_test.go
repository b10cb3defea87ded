package bot_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/bot"
	"atlas-secure/internal/config"
	"atlas-secure/internal/requisites"
	"atlas-secure/internal/sandbox/botapi/person"
)

// withAnotherKey starts a bot that has lost the key that requisites were sealed with.
func (b *bundle) withAnotherKey(t *testing.T) *process {
	t.Helper()
	other, err := requisites.NewSealer(config.NewSecret(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("o", config.RequisitesKeyBytes)))))
	require.NoError(t, err)
	return b.startBot(t, func(parts *bot.Parts) { parts.Requisites = other })
}

// TestPayoutThatCannotBeRead: nobody knows where to pay, so nobody can approve it, by whatever button; rejected, the money is on
// the balance again.
func TestPayoutThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.startBot(t)
	bob, id := b.waiting(t, "Bob", 600)
	boss := b.admin(t, "Boss", "en")
	b.send(t, boss, "/admin")
	at := b.waitLast(t, boss, "Withdrawals waiting: 1").MessageID
	b.forge(t, boss, at, fmt.Sprintf("a_payout:%d", id))
	b.waitLast(t, boss, card)
	b.press(t, boss, "✅ Approve")
	b.waitLast(t, boss, "Approve?")
	approve := b.data(t, boss, "✅ Yes, approve")

	p.stop()
	b.withAnotherKey(t)
	t.Log("a confirmation that was asked for before")
	require.Equal(t, "Not approved: the requisites cannot be read", b.forge(t, boss, at, approve).Text)
	m := b.waitLast(t, boss, "⚠️ The requisites cannot be read")
	require.Contains(t, m.Text, "Reject it: the amount goes back to the balance")
	require.NotContains(t, m.Text, "CANARY")
	require.False(t, b.hasButton(t, boss, "✅ Approve"))
	require.Contains(t, b.log.String(), "requisites cannot be read")

	t.Log("a button of before")
	b.forge(t, boss, at, fmt.Sprintf("a_payout_ok:%d", id))
	b.waitLast(t, boss, "⚠️ The requisites cannot be read")
	require.Equal(t, 1, b.count(t, `select count(*)::int from account.draft where action = 'payout_approve'`), "no other question")
	require.Equal(t, "pending", b.status(t, id))
	require.Equal(t, 60000, b.held(t, bob))

	b.press(t, boss, "❌ Reject")
	b.waitLast(t, boss, "Why is it rejected?")
	b.send(t, boss, "We lost where to pay: ask again")
	b.waitLast(t, boss, "Reject? The amount goes back")
	require.Equal(t, "Rejected", b.press(t, boss, "❌ Yes, reject").Text)
	b.waitLast(t, boss, "❌ Rejected by")
	require.Equal(t, "rejected", b.status(t, id))
	require.Zero(t, b.held(t, bob))
	require.Equal(t, 60000, b.available(t, bob))
	b.reconciled(t)
}

// TestApprovedPayoutThatCannotBeRead says so, and leaves nothing to decide.
func TestApprovedPayoutThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.startBot(t)
	_, id := b.waiting(t, "Bob", 600)
	boss := b.admin(t, "Boss", "ru")
	_, err := b.db.DBA.Exec(b.ctx, `select from withdrawal.approve(p_admin_id => $1, p_withdrawal_id => $2)`, boss.ID, id)
	require.NoError(t, err)
	p.stop()
	b.withAnotherKey(t)
	b.send(t, boss, "/admin")
	b.forge(t, boss, b.waitLast(t, boss, "Выводов ждёт").MessageID, fmt.Sprintf("a_payout:%d", id))
	m := b.waitLast(t, boss, "⚠️ Реквизиты не прочитать")
	require.NotContains(t, m.Text, "Отклоните")
	require.False(t, b.hasButton(t, boss, "❌ Отклонить"))
}

// TestWithdrawalWhoseKeyIsLost: REQUISITES_KEY is another one before the first confirmation, or before the second. Nobody could
// be told where to pay, so nothing is requested: the person is asked to begin anew, and the dialogue is over.
func TestWithdrawalWhoseKeyIsLost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.startBot(t)
	bob, eve := b.rich(t, "Bob"), b.rich(t, "Eve")
	first := b.drafted(t, bob)
	b.drafted(t, eve)
	b.press(t, eve, "That is right")
	b.waitLast(t, eve, "Withdraw 600 ₽?")
	p.stop()
	b.withAnotherKey(t)

	b.press(t, bob, "That is right")
	b.press(t, eve, "✅ Withdraw")
	for _, each := range []*person.Person{bob, eve} {
		m := b.waitLast(t, each, "Where to pay cannot be read any more, and nothing was withdrawn. Please start again.")
		require.NotContains(t, m.Text, "CANARY")
		b.isInNoDialogue(t, each)
		require.Zero(t, b.held(t, each))
	}
	require.Contains(t, b.log.String(), "requisites cannot be read")

	t.Log("words and buttons of before")
	b.send(t, bob, "600")
	b.waitLast(t, bob, "I understand buttons and commands")
	b.forge(t, bob, b.lastMessage(t, bob).MessageID, first)
	b.waitLast(t, bob, "Let us start again")
	require.Zero(t, b.count(t, `select count(*)::int from withdrawal.withdrawal`))

	t.Log("words where the button is waited for, in Russian")
	b.askAgain(t, bob)
	b.drafted(t, bob)
	_, err := b.db.Owner.Exec(b.ctx, `update withdrawal.draft set requisites = $2 where telegram_id = $1`, bob.ID, "v1:AAAA")
	require.NoError(t, err)
	_, err = b.db.Owner.Exec(b.ctx, `update account.account set language = 'ru' where telegram_id = $1`, bob.ID)
	require.NoError(t, err)
	b.send(t, bob, "да")
	b.waitLast(t, bob, "Реквизиты больше не прочитать, ничего не выведено. Начните заново.")
	b.isInNoDialogue(t, bob)
}
