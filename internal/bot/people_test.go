package bot_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

// hasButton says whether the newest message has a button.
func (b *bundle) hasButton(t *testing.T, p *person.Person, label string) bool {
	t.Helper()
	_, has := person.FindButton(b.lastMessage(t, p), label)
	return has
}

// data is what a button of the newest message carries.
func (b *bundle) data(t *testing.T, p *person.Person, label string) string {
	t.Helper()
	button, has := person.FindButton(b.lastMessage(t, p), label)
	require.True(t, has, "no button %q", label)
	return button.CallbackData
}

// feature switches something on or off, as a DBA.
func (b *bundle) feature(t *testing.T, name string, isOn bool) {
	t.Helper()
	_, err := b.db.Owner.Exec(b.ctx, `update ops.feature set is_on = $2 where name = $1`, name, isOn)
	require.NoError(t, err)
}

// subscribed is somebody with an active basic month and so many roubles beside it.
func (b *bundle) subscribed(t *testing.T, name, language string, roubles int64) *person.Person {
	t.Helper()
	p := b.started(t, name, language)
	b.credit(t, p, 149+roubles)
	b.buys(t, p, "basic")
	b.served(t, p)
	return p
}

// served waits until everything that was promised to somebody has come: the chat stands still.
func (b *bundle) served(t *testing.T, p *person.Person) {
	t.Helper()
	b.waitCount(t, 0, `select count(*)::int from outbox.task where telegram_id = $1 and finished_at is null and kind <> 'cashback'`, p.ID)
}

// buys pays for a month of a tariff from the balance, past the screens.
func (b *bundle) buys(t *testing.T, p *person.Person, tariff string) {
	t.Helper()
	_, err := b.db.DBA.Exec(b.ctx, `select p.status from billing.open_purchase(p_telegram_id => $1, p_tariff => $2, p_months => 1,
		p_promo_code => null, p_idempotency_key => $3) o, billing.pay_from_balance(p_telegram_id => $1, p_purchase_id => o.purchase_id) p`,
		p.ID, tariff, fmt.Sprint("buys", b.next.Add(1)))
	require.NoError(t, err)
}

// TestTrialInTheBot: the menu offers it while it can be had, the key comes by itself, a second press does nothing twice.
func TestTrialInTheBot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startWorker(t)
	bob := b.started(t, "Bob", "en")
	b.press(t, bob, "Try for free")
	m := b.waitLast(t, bob, "Trial: 3 days for free")
	require.Contains(t, m.Text, "Plan “Basic”, 3 devices at once")
	begin := b.data(t, bob, "Start the trial")
	b.press(t, bob, "Start the trial")
	b.sees(t, bob, "Your trial has begun")
	b.sees(t, bob, "Your key is ready")
	b.forge(t, bob, m.MessageID, begin)
	b.sees(t, bob, "Your trial is running already")
	b.forge(t, bob, m.MessageID, "trial")
	b.sees(t, bob, "The trial can be had only once")
	require.Equal(t, 1, b.count(t, `select count(*)::int from subscription.change where kind = 'trial'`))
	b.send(t, bob, "/start")
	b.waitLast(t, bob, "this is Atlas Secure")
	require.False(t, b.hasButton(t, bob, "Try for free"), "there is none any more")

	t.Log("at once on two devices")
	ann := b.started(t, "Анна", "ru")
	b.press(t, ann, "Попробовать бесплатно")
	offer := b.waitLast(t, ann, "Пробный период: 3 дня бесплатно")
	b.together(t, ann, offer.MessageID, b.data(t, ann, "Начать пробный период"))
	b.sees(t, ann, "Ключ готов")
	require.Equal(t, 1, b.count(t, `select count(*)::int from subscription.change where telegram_id = $1`, ann.ID))
	b.reconciled(t)
}

// TestTrialRefused: each refusal says what to do next, costs no attempt, and a switch in the middle does no harm.
func TestTrialRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startWorker(t)
	bob := b.started(t, "Bob", "en")
	b.press(t, bob, "Try for free")
	b.waitLast(t, bob, "Trial: 3 days for free")
	b.feature(t, "trials", false)
	b.press(t, bob, "Start the trial")
	b.waitLast(t, bob, "There is no trial on offer right now")
	require.True(t, b.hasButton(t, bob, "Buy VPN"))
	b.press(t, bob, "Main menu")
	b.waitLast(t, bob, "this is Atlas Secure")
	require.False(t, b.hasButton(t, bob, "Try for free"))
	b.feature(t, "trials", true)

	_, err := b.db.Owner.Exec(b.ctx, `update account.account set is_blocked = true where telegram_id = $1`, bob.ID)
	require.NoError(t, err)
	m := b.lastMessage(t, bob)
	b.forge(t, bob, m.MessageID, "trial_start")
	b.waitLast(t, bob, "The trial is closed for you now")
	require.True(t, b.hasButton(t, bob, "Support"))
	_, err = b.db.Owner.Exec(b.ctx, `update account.account set is_blocked = false`)
	require.NoError(t, err)
	b.forge(t, bob, m.MessageID, "trial_start")
	b.sees(t, bob, "Your trial has begun")

	eve := b.subscribed(t, "Eve", "en", 0)
	b.forge(t, eve, b.lastMessage(t, eve).MessageID, "trial_start")
	b.sees(t, eve, "there is no need of a trial now")

	t.Log("limited: the second attempt within the hour waits")
	zoe := b.started(t, "Zoe", "en")
	require.Zero(t, b.count(t, `select wait_milliseconds::int from ops.take_attempt($1, 'trial')`, zoe.ID))
	b.forge(t, zoe, b.lastMessage(t, zoe).MessageID, "trial_start")
	b.waitLast(t, zoe, "Too often. Try again in 60 minutes")
	b.reconciled(t)
}

// TestAutoRenewal: the screen says what it would take and when, and the switch is where it was left.
func TestAutoRenewal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startWorker(t)
	bob := b.started(t, "Bob", "en")
	b.forge(t, bob, b.lastMessage(t, bob).MessageID, "renewal")
	b.waitLast(t, bob, "You have no running subscription now")
	b.forge(t, bob, b.lastMessage(t, bob).MessageID, "renewal_set:on")
	b.waitLast(t, bob, "You have no running subscription now")

	ann := b.subscribed(t, "Ann", "en", 100)
	b.send(t, ann, "/profile")
	require.Contains(t, b.waitLast(t, ann, "Profile").Text, "Auto-renewal: off")
	b.press(t, ann, "Auto-renewal")
	m := b.waitLast(t, ann, "Now: off, access ends")
	require.Contains(t, m.Text, "Renews: Basic, 1 month\nWill be taken: 149 ₽ at today's price, from ")
	require.Contains(t, m.Text, "There is 100 ₽ on your balance, which is not enough yet")
	require.True(t, b.hasButton(t, ann, "Top up"))
	on := b.data(t, ann, "Switch auto-renewal on")
	require.Equal(t, "Auto-renewal is on", b.press(t, ann, "Switch auto-renewal on").Text)
	b.waitLast(t, ann, "Now: on")
	b.forge(t, ann, m.MessageID, on)
	b.waitLast(t, ann, "Now: on")
	require.Equal(t, 1, b.count(t, `select count(*)::int from audit.entry where action = 'subscription.set_auto_renew'`))
	b.credit(t, ann, 100)
	b.send(t, ann, "/profile")
	require.Contains(t, b.waitLast(t, ann, "Profile").Text, "Auto-renewal: on")
	b.press(t, ann, "Auto-renewal")
	require.NotContains(t, b.waitLast(t, ann, "Now: on").Text, "not enough")
	b.press(t, ann, "Switch auto-renewal off")
	b.waitLast(t, ann, "Now: off")
	b.forge(t, ann, m.MessageID, "renewal_set:maybe")
	require.Equal(t, 2, b.count(t, `select count(*)::int from audit.entry where action = 'subscription.set_auto_renew'`))
	b.reconciled(t)
}

// TestRenewAndChangePlan: renewing opens the plan of the last purchase, and another plan says what becomes of the time left.
func TestRenewAndChangePlan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startWorker(t)
	bob := b.started(t, "Bob", "en")
	b.forge(t, bob, b.lastMessage(t, bob).MessageID, "renew")
	b.waitLast(t, bob, "Choose a plan")

	ann := b.subscribed(t, "Ann", "en", 700)
	b.send(t, ann, "/profile")
	b.waitLast(t, ann, "Profile")
	b.press(t, ann, "Renew")
	m := b.waitLast(t, ann, "Basic, 1 month")
	require.Contains(t, m.Text, "To pay: 149 ₽")
	require.NotContains(t, m.Text, "The plan changes")
	b.press(t, ann, "Pay from the balance")
	b.sees(t, ann, "Your key stays the same")
	b.served(t, ann)

	b.send(t, ann, "/profile")
	b.waitLast(t, ann, "Profile")
	b.press(t, ann, "Change plan")
	b.waitLast(t, ann, "Choose a plan")
	b.press(t, ann, "Plus")
	b.press(t, ann, "1 month")
	m = b.waitLast(t, ann, "Plus, 1 month")
	require.Contains(t, m.Text, "Your remaining time has been converted at the new plan's price")
	var until time.Time
	require.NoError(t, b.db.Owner.QueryRow(b.ctx, `select quoted_expires_at from billing.purchase where telegram_id = $1
		order by opened_at desc limit 1`, ann.ID).Scan(&until))
	require.Contains(t, m.Text, until.UTC().Format("The subscription will run until 2 January 2006, 15:04 UTC"))
	b.press(t, ann, "Pay from the balance")
	b.sees(t, ann, "Plus, 1 month: paid")
	b.served(t, ann)

	b.send(t, ann, "/buy")
	b.waitLast(t, ann, "Choose a plan")
	b.press(t, ann, "Basic")
	b.press(t, ann, "1 month")
	require.Contains(t, b.waitLast(t, ann, "Basic, 1 month").Text, "Your remaining time is kept and goes on under the new plan")
	b.reconciled(t)
}

// TestReissueInTheBot: a question first, one new key for one question however often it is pressed, three in five minutes.
func TestReissueInTheBot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startBot(t)
	b.startWorker(t)
	bob := b.started(t, "Bob", "en")
	b.forge(t, bob, b.lastMessage(t, bob).MessageID, "reissue")
	b.waitLast(t, bob, "You have no subscription yet")
	b.forge(t, bob, b.lastMessage(t, bob).MessageID, "reissue_now:1")
	b.waitLast(t, bob, "You have no subscription")

	ann := b.subscribed(t, "Ann", "en", 0)
	keys := func(want int) {
		t.Helper()
		b.waitCount(t, want, `select count(distinct vpn_uuid)::int from outbox.task where telegram_id = $1 and name = 'add'`, ann.ID)
	}
	ask := func() botapi.ChatMessage {
		t.Helper()
		b.send(t, ann, "/profile")
		b.waitLast(t, ann, "Profile")
		b.press(t, ann, "My key")
		b.waitLast(t, ann, "Your key (tap to copy)")
		b.press(t, ann, "Get a new key")
		return b.waitLast(t, ann, "Make a new key?")
	}
	ask()
	b.press(t, ann, "Never mind")
	b.waitLast(t, ann, "Your key (tap to copy)")
	keys(1)
	m := ask()
	yes := b.data(t, ann, "Yes, make a new key")
	b.together(t, ann, m.MessageID, yes)
	keys(2)
	b.served(t, ann)
	b.forge(t, ann, m.MessageID, yes) // the third attempt: the answer is the key as it is
	b.sees(t, ann, "Your key (tap to copy)")
	b.forge(t, ann, m.MessageID, yes)
	b.sees(t, ann, "Too often. You can ask for another new key in 2 minutes")
	keys(2)
	b.forge(t, ann, m.MessageID, "reissue_now:x")
	b.reconciled(t)
}

// TestLoyalty: the link works, the share button carries it, and the figures are those of the database.
func TestLoyalty(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startWorker(t)
	ann := b.started(t, "Ann", "en")
	b.press(t, ann, "Loyalty")
	m := b.waitLast(t, ann, "Your link")
	require.Contains(t, m.Text, "Level: Silver, cashback 10 %\nCame by the link: 0, paying: 0\nEarned: 0 ₽")
	require.Contains(t, m.Text, "The next level is Gold, 25 %. Paying people: 0 of 25.")
	copied, ok := person.FindButton(m, "Copy")
	require.True(t, ok)
	link, err := url.Parse(copied.CopyText.Text)
	require.NoError(t, err)
	require.Equal(t, "https://t.me/atlas_bot", "https://"+link.Host+link.Path)
	share, ok := person.FindButton(m, "Share")
	require.True(t, ok)
	shared, err := url.Parse(share.URL)
	require.NoError(t, err)
	require.Equal(t, copied.CopyText.Text, shared.Query().Get("url"))

	bob := b.person(t, "Боб", "ru")
	b.send(t, bob, "/start "+link.Query().Get("start"))
	b.press(t, bob, "Русский")
	b.sees(t, ann, "Somebody new has come by your link")
	b.press(t, bob, "Лояльность")
	b.waitLast(t, bob, "Следующий уровень — Золото, 25 %. Платящих: 0 из 25.")
	_, err = b.db.Owner.Exec(b.ctx, `update referral.level set from_paying = case level when 'gold' then 1 when 'platinum' then 2 else 0 end`)
	require.NoError(t, err)
	b.credit(t, bob, 149)
	b.buys(t, bob, "basic")
	_, err = b.db.DBA.Exec(b.ctx, `select from referral.pay_due(p_epoch => null, p_limit => 10)`)
	require.NoError(t, err)
	b.sees(t, ann, "Cashback of 37.25 ₽")
	b.send(t, ann, "/referral")
	m = b.waitLast(t, ann, "The next level is Platinum, 45 %. Paying people: 1 of 2.")
	require.Contains(t, m.Text, "Level: Gold, cashback 25 %\nCame by the link: 1, paying: 1\nEarned: 37.25 ₽")
	_, err = b.db.Owner.Exec(b.ctx, `delete from referral.level where level = 'platinum'`)
	require.NoError(t, err)
	b.send(t, ann, "/referral")
	b.waitLast(t, ann, "This is the highest level")
}

// TestStatusForEverybody shows what works, and leaves out what nobody knows.
func TestStatusForEverybody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	ann := b.started(t, "Ann", "en")
	b.send(t, ann, "/status")
	b.waitLast(t, ann, "There is no fresh information right now")
	_, err := b.db.Owner.Exec(b.ctx, `update ops.dependency set state = 'up', since = core.now(), reported_at = core.now(), reported_by = 'w'
		where component <> 'cryptopay'`)
	require.NoError(t, err)
	b.press(t, ann, "Refresh")
	m := b.waitLast(t, ann, "The service works.")
	require.Contains(t, m.Text, "🟢 VPN and new keys")
	require.NotContains(t, m.Text, "crypto")
	_, err = b.db.Owner.Exec(b.ctx, `update ops.dependency set state = 'down', detail = 'secret 10.0.0.1' where component = 'vpn'`)
	require.NoError(t, err)
	b.press(t, ann, "Refresh")
	m = b.waitLast(t, ann, "The service works, but not all of it.")
	require.Contains(t, m.Text, "🔴 VPN and new keys: not working since ")
	require.NotContains(t, m.Text, "10.0.0.1")
}

// TestHistoryBothWays: pages of movements with notes, there and back again.
func TestHistoryBothWays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	ann := b.started(t, "Ann", "en")
	for range 25 {
		b.credit(t, ann, 1)
	}
	page := func(newest, oldest int) {
		t.Helper()
		m := b.waitLast(t, ann, fmt.Sprintf("balance %d ₽\ntest", newest))
		require.Contains(t, m.Text, fmt.Sprintf("balance %d ₽\ntest", oldest))
		require.NotContains(t, m.Text, fmt.Sprintf("balance %d ₽\n", newest+1))
		require.NotContains(t, m.Text, fmt.Sprintf("balance %d ₽\n", oldest-1))
	}
	b.send(t, ann, "/profile")
	b.press(t, ann, "History")
	page(25, 16)
	require.False(t, b.hasButton(t, ann, "Newer"))
	b.press(t, ann, "Older")
	page(15, 6)
	b.press(t, ann, "Older")
	page(5, 1)
	require.False(t, b.hasButton(t, ann, "Older"))
	b.press(t, ann, "Newer")
	page(15, 6)
	b.press(t, ann, "Newer")
	page(25, 16)
	require.False(t, b.hasButton(t, ann, "Newer"))
	b.credit(t, ann, 1)
	b.forge(t, ann, b.lastMessage(t, ann).MessageID, "history:21")
	page(20, 11)
	b.press(t, ann, "Newer")
	page(26, 17)
}
