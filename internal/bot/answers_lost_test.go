package bot_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/tests/contract/desk"
)

// TestT4AnswersOfTelegramLost: Telegram delivers and its answer is lost, over and over. A text comes twice at most.
func TestT4AnswersOfTelegramLost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	require.NoError(t, b.people.AddFault(b.ctx, botapi.Fault{Method: "sendMessage", Action: botapi.FaultDrop, Count: 20}))
	b.send(t, bob, "/help")
	b.waitHandled(t)
	require.Equal(t, 2, strings.Count(b.chat(t, bob), "What this bot can do"))
	require.NoError(t, b.people.ClearFaults(b.ctx))
}

// TestT4PurchaseWhoseMessagesWereLost pays once, whatever Telegram's answers to the screen, the receipt and the key were:
// each was delivered, and nobody knows. The receipt is not sent again; the key, which is what was paid for, is sent once more.
func TestT4PurchaseWhoseMessagesWereLost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	b.credit(t, bob, 1000)
	b.send(t, bob, "/buy")
	b.press(t, bob, "Basic")
	b.press(t, bob, "1 month")
	b.sees(t, bob, "To pay: 149 ₽")
	for method, count := range map[string]int{"editMessageText": 3, "sendMessage": 1, "sendPhoto": 1} {
		require.NoError(t, b.people.AddFault(b.ctx, botapi.Fault{Method: method, Action: botapi.FaultDrop, Count: count}))
	}
	b.press(t, bob, "Pay from the balance")
	b.sees(t, bob, "Basic, 1 month: paid")
	b.waitHandled(t)
	money := b.money(t, bob.ID)
	require.Equal(t, "1 85100 1", money)

	b.startWorker(t)
	b.sees(t, bob, "Payment received: Basic, 1 month, 149 ₽")
	b.waitCount(t, 1, `select count(*)::int from outbox.task where name = 'payment_applied' and lease_token is not null`)
	clock := &desk.Desk{TB: t, Conn: b.db.Owner}
	clock.Later("31 seconds") // its lease is over: the key's turn
	b.waitCount(t, 1, `select count(*)::int from outbox.task where name = 'payment_applied' and outcome = 'lost'`)
	b.sees(t, bob, "Your key is ready!")
	b.waitCount(t, 1, `select count(*)::int from outbox.task where name = 'key_ready' and attempt = 1`)
	clock.Later("62 seconds")
	b.waitCount(t, 1, `select count(*)::int from outbox.task where name = 'key_ready' and outcome = 'done'`)

	said := b.chat(t, bob)
	require.Equal(t, 1, strings.Count(said, "Payment received: Basic"), said)
	require.Equal(t, 2, strings.Count(said, "Your key is ready!"), said)
	require.Equal(t, 1, strings.Count(said, "Basic, 1 month: paid"), said)
	require.Equal(t, money, b.money(t, bob.ID), "messages move no money")
}

// money is how often a user was charged, what is left, and how many periods there are.
func (b *bundle) money(t *testing.T, user int64) string {
	t.Helper()
	var sum string
	require.NoError(t, b.db.Owner.QueryRow(b.ctx, `select concat_ws(' ',
		(select count(*) from ledger.transfer where telegram_id = $1 and reason = 'purchase'),
		(select available_kopecks from wallet.balance(p_telegram_id => $1)),
		(select count(*) from billing.purchase where telegram_id = $1 and status = 'paid'))`, user).Scan(&sum))
	return sum
}
