package bot_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi/person"
)

// issue makes a promo code, as an admin.
func (b *bundle) issue(t *testing.T, code string, percent int, change string) {
	t.Helper()
	_, err := b.db.DBA.Exec(b.ctx, `select from promo.issue(p_admin_id => $1, p_code => $2, p_discount_percent => $3,
		p_max_uses => 1, p_per_user_limit => 1, p_expires_at => null, p_idempotency_key => $2)`, int64(adminID), code, percent)
	require.NoError(t, err)
	if change != "" {
		_, err = b.db.Owner.Exec(b.ctx, "update promo.code set "+change+" where code = $1", code)
		require.NoError(t, err)
	}
}

const noSuchCode = "This promo code does not work."

// TestPromoCode enters codes from the profile: bad ones of every kind, which all get one answer, and a good one, for which
// a plan is then chosen. The confirm screen says what it gives, and a second press shows the same purchase.
func TestPromoCode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	b.credit(t, bob, 1000)
	b.issue(t, "OVER", 20, "expires_at = '2020-01-01'")
	b.issue(t, "OFF", 20, "is_active = false")
	b.issue(t, "HALF", 50, "")
	b.send(t, bob, "/profile")
	b.press(t, bob, "Enter a promo code")
	b.waitLast(t, bob, "Type your promo code")
	for _, bad := range []string{"NOSUCH", "over", " off "} {
		b.send(t, bob, bad)
		require.Equal(t, noSuchCode+"\n\nType another one, or go on without.", b.waitLast(t, bob, noSuchCode).Text, bad)
	}
	for _, malformed := range []string{"AB", "<b>HALF</b>", strings.Repeat("Z", 4000)} {
		b.send(t, bob, malformed)
		b.waitLast(t, bob, "A promo code is 3 to 32 Latin letters and digits.")
	}
	b.send(t, bob, " hａlf ")
	b.waitLast(t, bob, "Promo code HALF: −50 %. Choose a plan")
	b.send(t, bob, "and now?")
	b.waitLast(t, bob, "Promo code HALF: −50 %. Choose a plan")
	b.press(t, bob, "Basic")
	b.waitLast(t, bob, "Promo code HALF counts on the next screen")
	b.press(t, bob, "Back")
	b.waitLast(t, bob, "Choose a plan")
	b.press(t, bob, "Basic")
	m := b.waitLast(t, bob, "Promo code HALF counts on the next screen")
	plan, ok := person.FindButton(m, "1 month — 149 ₽")
	require.True(t, ok)
	b.press(t, bob, "1 month — 149 ₽")
	m = b.waitLast(t, bob, "To pay: 74.50 ₽ instead of 149 ₽ (promo code, −50 %)")
	require.Contains(t, m.Text, "it is the largest of your discounts")
	b.together(t, bob, m.MessageID, plan.CallbackData)
	b.waitLast(t, bob, "To pay: 74.50 ₽ instead of 149 ₽")
	require.Equal(t, 1, b.count(t, `select count(*)::int from billing.purchase`))
	b.press(t, bob, "Pay from the balance")
	b.waitLast(t, bob, "925.50 ₽ left on the balance")
	b.isInNoDialogue(t, bob)

	t.Log("used up, for another person too, and one message says so")
	eve := b.started(t, "Eve", "en")
	b.send(t, eve, "/buy")
	b.press(t, eve, "Enter a promo code")
	b.waitLast(t, eve, "Type your promo code")
	b.send(t, eve, "HALF")
	require.Equal(t, noSuchCode+"\n\nType another one, or go on without.", b.waitLast(t, eve, noSuchCode).Text)
}

// TestPromoCodeThatLoses enters a code on the confirm screen of a purchase, where another discount is no smaller: the
// code is not used, and the person is told why.
func TestPromoCodeThatLoses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	b.credit(t, bob, 1000)
	_, err := b.db.DBA.Exec(b.ctx, `select from account.set_vip(p_admin_id => $1, p_telegram_id => $2, p_is_vip => true)`, int64(adminID), bob.ID)
	require.NoError(t, err)
	b.issue(t, "SAME", 30, "")
	b.issue(t, "MORE", 40, "")
	b.send(t, bob, "/buy")
	b.press(t, bob, "Basic")
	b.press(t, bob, "1 month — 149 ₽")
	b.waitLast(t, bob, "To pay: 104.30 ₽ instead of 149 ₽ (VIP, −30 %)")
	b.press(t, bob, "Enter a promo code")
	b.waitLast(t, bob, "Type your promo code")
	b.send(t, bob, "nosuch")
	b.waitLast(t, bob, noSuchCode)
	b.send(t, bob, "same")
	m := b.waitLast(t, bob, "To pay: 104.30 ₽ instead of 149 ₽ (VIP, −30 %)")
	require.Contains(t, m.Text, "The promo code is not needed: your other discount (VIP, −30 %) is no smaller.")
	require.Zero(t, b.count(t, `select count(*)::int from promo.use`))
	b.isInNoDialogue(t, bob)
	more, ok := person.FindButton(m, "Enter a promo code")
	require.True(t, ok)
	b.forge(t, bob, m.MessageID, more.CallbackData)
	b.waitLast(t, bob, "Type your promo code")
	b.send(t, bob, "more")
	m = b.waitLast(t, bob, "To pay: 89.40 ₽ instead of 149 ₽ (promo code, −40 %)")
	require.Contains(t, m.Text, "The promo code gives −40 %: it is the largest of your discounts")
	require.Equal(t, 1, b.count(t, `select count(*)::int from promo.use`))

	t.Log("a purchase of somebody else's is not opened again")
	eve := b.started(t, "Eve", "en")
	b.forge(t, eve, b.lastMessage(t, eve).MessageID, more.CallbackData)
	b.waitLast(t, eve, "Type your promo code")
	b.send(t, eve, "SAME")
	b.waitLast(t, eve, "This purchase was not found")
	require.Zero(t, b.count(t, `select count(*)::int from billing.purchase where telegram_id = $1`, eve.ID))
}

// TestPromoGuesses sends a hundred guesses at once to two bots: exactly as many as the limit allows are looked at.
func TestPromoGuesses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	b.send(t, bob, "/profile")
	b.press(t, bob, "Enter a promo code")
	b.waitLast(t, bob, "Type your promo code")
	const guesses = 100
	var all sync.WaitGroup
	for range guesses {
		all.Go(func() {
			if _, err := bob.Send(b.ctx, "GUESS"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	ctx, cancel := context.WithTimeout(b.ctx, 2*patience)
	defer cancel()
	tooMany := "Too many tries. You can enter another promo code in "
	count := func(text string) int { return strings.Count(b.chat(t, bob), text) }
	_, err := bob.WaitText(ctx, tooMany)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return count(noSuchCode)+count(tooMany) == guesses }, 2*patience, 20*poll)
	passed := count(noSuchCode)
	require.GreaterOrEqual(t, passed, 10)
	require.LessOrEqual(t, passed, 10+b.grown(t), "none more than the limit, and what grew back meanwhile")
}

// grown is how many more attempts a limit of ten in a minute allows for the time between the first update and the last.
func (b *bundle) grown(t *testing.T) int {
	t.Helper()
	return b.count(t, `select ceil(extract(epoch from max(finished_at) - min(received_at)) / 6)::int
		from inbox.update where payload->>'sealed' is not null`)
}
