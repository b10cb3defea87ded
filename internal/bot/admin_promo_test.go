package bot_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/tests/contract/desk"
)

var (
	_ = says("admin_promo_find.code", "WALK", "NOSUCH", "x")
	_ = says("admin_promo_limit.uses", "500", "many", "0")
	_ = says("admin_promo_limit.confirm", "yes")
	_ = says("admin_promo_new.code", "FRESH", "WALK", "x")
	_ = says("admin_promo_new.count", "3", "101")
	_ = says("admin_promo_new.percent", "20", "101")
	_ = says("admin_promo_new.unit", "days")
	_ = says("admin_promo_new.value", "7", "-1")
	_ = says("admin_promo_new.uses", "10", "0")
	_ = says("admin_promo_new.per_user", "2", "0")
	_ = says("admin_promo_new.confirm", "yes")
	_ = says("admin_referral_search.query", "{customer}", "@nobody", "\u202e")
)

// trouble is what a job gave up (the books are right in spite of it), and somebody whom the customer has invited and who has paid.
func (s *stage) trouble(customer *person.Person) {
	s.t.Helper()
	_, err := s.db.Owner.Exec(s.ctx, `with given_up as (
		insert into outbox.task (telegram_id, kind, name, due_at, created_at, attempt, finished_at, outcome)
		values ($1, 'message', 'referral_joined', core.now(), core.now(), 10, core.now(), 'failed') returning task_id)
		insert into ops.dead (job_name, subject, error, died_at)
		select 'notify.send', 'message:' || g.task_id, 'bad request', core.now() from given_up g`, customer.ID)
	require.NoError(s.t, err)
	code := s.desk.One("account.profile", desk.A{"p_telegram_id": customer.ID})["referral_code"].(string)
	guest := customer.ID + 500_000
	s.desk.One("account.register", desk.A{"p_telegram_id": guest, "p_username": "guest", "p_language": "ru", "p_start_payload": "ref_" + code})
	s.desk.One("wallet.credit", desk.A{"p_telegram_id": guest, "p_amount_kopecks": 1000_00, "p_admin_id": adminID, "p_note": "walk",
		"p_idempotency_key": "guest"})
	s.desk.Buy(int(guest), "basic", 1, "guest")
	s.desk.One("referral.pay_due", desk.A{"p_epoch": nil, "p_limit": 10})
}

// atPromos is an admin who looks at the promo codes.
func (b *bundle) atPromos(t *testing.T, language string) *person.Person {
	t.Helper()
	boss := b.admin(t, "Boss", language)
	b.toPromos(t, boss, language)
	return boss
}

func (b *bundle) toPromos(t *testing.T, boss *person.Person, language string) {
	t.Helper()
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, map[string]string{"en": "Withdrawals waiting", "ru": "Выводов ждёт"}[language])
	b.press(t, boss, map[string]string{"en": "Promo codes", "ru": "Промокоды"}[language])
	b.waitLast(t, boss, map[string]string{"en": "Promo codes in force", "ru": "Действующие промокоды"}[language])
}

func (b *bundle) promoCodes(t *testing.T) int {
	t.Helper()
	return b.count(t, `select count(*)::int from promo.code`)
}

// TestCreatePromo makes a code with something wrong at every step, and looks at it, changes its limit and switches it off.
func TestCreatePromo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	boss := b.atPromos(t, "en")
	answers := func(wrong []string, again string) {
		t.Helper()
		for _, text := range wrong {
			b.send(t, boss, text)
			b.waitLast(t, boss, "That does not fit.\n\n"+again)
		}
	}
	b.press(t, boss, "New code")
	b.waitLast(t, boss, "Type the new code")
	answers([]string{"AB", "не код", strings.Repeat("A", 33), "<b>"}, "Type the new code")
	b.send(t, boss, " spring26 ")
	b.waitLast(t, boss, "How large is the discount")
	answers([]string{"0", "101", "-5", "ten"}, "How large")
	b.send(t, boss, "25")
	b.waitLast(t, boss, "How long can it be used?")
	b.send(t, boss, "7 days")
	b.waitLast(t, boss, "How long can it be used?")
	b.press(t, boss, "Days")
	b.waitLast(t, boss, "How many?")
	answers([]string{"0", "1001", "x"}, "How many?")
	b.send(t, boss, "7")
	b.waitLast(t, boss, "How often can a code be used in all?")
	answers([]string{"0", "1000001"}, "How often can a code")
	b.send(t, boss, "1 000")
	b.waitLast(t, boss, "How often by one person?")
	answers([]string{"0", "1001"}, "How often by one")
	b.press(t, boss, "Once")
	m := b.waitLast(t, boss, "Is that right?")
	require.Contains(t, m.Text, "SPRING26\nDiscount: 25 %\nIn all: 1000 uses; by one person: 1\nEnds: ")
	b.send(t, boss, "yes")
	b.waitLast(t, boss, "Is that right?")
	require.Zero(t, b.promoCodes(t))
	yes, ok := person.FindButton(m, "Make")
	require.True(t, ok)
	require.Equal(t, "Made", b.press(t, boss, "Make").Text)
	card := b.waitLast(t, boss, "SPRING26: −25 %")
	b.isInNoDialogue(t, boss)
	require.Equal(t, "Done already", b.forge(t, boss, card.MessageID, yes.CallbackData).Text)
	require.Equal(t, 1, b.count(t, `select count(*)::int from promo.code where code = 'SPRING26' and discount_percent = 25 and max_uses = 1000
		and per_user_limit = 1 and expires_at between now() + interval '7 days' and now() + interval '7 days 16 minutes'`))

	anna := b.started(t, "Anna", "en")
	for _, each := range []string{"1", "2"} {
		_, err := b.db.DBA.Exec(b.ctx, `select from billing.open_purchase(p_telegram_id => $1, p_tariff => 'basic', p_months => 1,
			p_promo_code => 'SPRING26', p_idempotency_key => $2)`, anna.ID, each)
		require.NoError(t, err)
	}
	b.press(t, boss, "Refresh")
	m = b.waitLast(t, boss, "Uses taken: 1\nUses left: 999\nPaid for: 0, reserved: 1")
	require.Contains(t, m.Text, fmt.Sprint("Made by ", boss.ID), "who made it")

	t.Log("its limit")
	b.press(t, boss, "Change the limit")
	b.waitLast(t, boss, "Now: 1000 uses; taken: 1")
	b.send(t, boss, "none")
	b.waitLast(t, boss, "That is no number")
	b.send(t, boss, "500")
	m = b.waitLast(t, boss, "Now: 1000 uses\nFrom now on: 500 uses")
	b.send(t, boss, "ok")
	b.waitLast(t, boss, "From now on: 500 uses")
	limit, ok := person.FindButton(m, "Set the limit")
	require.True(t, ok)
	require.Equal(t, "The limit is set", b.press(t, boss, "Set the limit").Text)
	b.waitLast(t, boss, "In all: 500 uses")
	require.Equal(t, "Done already", b.forge(t, boss, m.MessageID, limit.CallbackData).Text)
	b.press(t, boss, "Change the limit")
	b.press(t, boss, "No limit")
	b.waitLast(t, boss, "From now on: no limit")
	b.press(t, boss, "Set the limit")
	m = b.waitLast(t, boss, "In all: no limit")
	require.NotContains(t, m.Text, "Uses left")

	t.Log("its end")
	b.press(t, boss, "Switch off…")
	m = b.waitLast(t, boss, "Switch off SPRING26, for good?")
	off, ok := person.FindButton(m, "Yes, switch off")
	require.True(t, ok)
	require.Equal(t, "The code is off", b.press(t, boss, "Yes, switch off").Text)
	b.waitLast(t, boss, "⛔ Switched off by")
	require.Equal(t, "Done already", b.forge(t, boss, m.MessageID, off.CallbackData).Text)
	b.press(t, boss, "Back")
	b.waitLast(t, boss, "There are none.")
	b.press(t, boss, "Over or off")
	b.press(t, boss, "SPRING26")
	b.waitLast(t, boss, "⛔ Switched off by")
	for _, data := range []string{"a_promos:x", "a_promos_over:-1", "a_promo:", "a_promo_off:x", "a_promo_limit:0", "a_promo_yes:1", "a_promo_off_yes:", "a_promo_limit_yes:x", "a_batches:x", "a_batch:"} {
		require.Contains(t, b.forge(t, boss, m.MessageID, data).Text, "earlier", data)
	}
	b.forge(t, boss, m.MessageID, "a_promo:99")
	b.sees(t, boss, "There is no such promo code")
}

// TestCreatePromoBatch makes a hundred codes at once, in Russian, and finds one of them.
func TestCreatePromoBatch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	boss := b.atPromos(t, "ru")
	b.press(t, boss, "Сразу много")
	b.waitLast(t, boss, "Сколько кодов?")
	for _, wrong := range []string{"0", "101", "сто"} {
		b.send(t, boss, wrong)
		b.waitLast(t, boss, "Так не получится.\n\nСколько кодов?")
	}
	b.send(t, boss, "100")
	b.waitLast(t, boss, "Какая скидка")
	b.send(t, boss, "50")
	b.waitLast(t, boss, "Сколько времени код действует?")
	b.press(t, boss, "Бессрочно")
	b.waitLast(t, boss, "Сколько раз код можно применить всего?")
	b.send(t, boss, "1")
	b.waitLast(t, boss, "Сколько раз одному человеку?")
	b.send(t, boss, "1")
	m := b.waitLast(t, boss, "100 кодов, которые придумает бот")
	require.Contains(t, m.Text, "Всего: 1 применение; на человека: 1\nОкончание: бессрочно")
	yes, ok := person.FindButton(m, "Создать")
	require.True(t, ok)
	b.together(t, boss, m.MessageID, yes.CallbackData)
	m = b.waitLast(t, boss, "свободно 100 из 100")
	require.Equal(t, 100, b.promoCodes(t))
	var code string
	require.NoError(t, b.db.Owner.QueryRow(b.ctx, `select max(code) from promo.code`).Scan(&code))
	require.Contains(t, m.Text, "\n"+code)

	b.press(t, boss, "Найти код")
	b.waitLast(t, boss, "Напишите промокод")
	b.send(t, boss, "нет такого")
	b.waitLast(t, boss, "Такого промокода нет")
	b.send(t, boss, strings.ToLower(code))
	b.waitLast(t, boss, code+": −50 %")
	b.press(t, boss, "Выключить…")
	b.press(t, boss, "Да, выключить")
	b.waitLast(t, boss, "⛔ Выключил(а)")
	b.press(t, boss, "Назад")
	b.waitLast(t, boss, "свободно 99 из 100")
	b.press(t, boss, "Назад")
	b.waitLast(t, boss, "100 кодов, −50 %")
}

// TestPromoDialoguesAreLeft leaves the dialogue at every step with /start, and meets another bot process at every step.
func TestPromoDialoguesAreLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.startBot(t)
	boss := b.atPromos(t, "en")
	says := []struct{ press, send, see string }{
		{press: "New code", see: "Type the new code"}, {press: "Generate", see: "How large"}, {send: "10", see: "How long"},
		{press: "Months", see: "How many?"}, {send: "3", see: "used in all?"}, {press: "No limit", see: "by one person?"},
		{send: "5", see: "Is that right?"},
	}
	for steps := 1; steps <= len(says); steps++ {
		b.toPromos(t, boss, "en")
		for _, say := range says[:steps] {
			if say.press != "" {
				b.press(t, boss, say.press)
			} else {
				b.send(t, boss, say.send)
			}
			b.waitLast(t, boss, say.see)
			p.stop()
			p = b.startBot(t)
		}
		last := b.lastMessage(t, boss)
		b.send(t, boss, "/start")
		b.waitLast(t, boss, "👋")
		b.isInNoDialogue(t, boss)
		b.send(t, boss, "10")
		b.waitLast(t, boss, "I understand buttons and commands")
		b.forge(t, boss, last.MessageID, "a_promo_answer:once")
		b.sees(t, boss, "Let us start again")
		require.Zero(t, b.promoCodes(t))
	}
}

// TestPromoOnTwoDevices presses each button on two devices at once, and has another admin make the same code meanwhile.
func TestPromoOnTwoDevices(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startBot(t)
	boss := b.atPromos(t, "en")
	b.press(t, boss, "New code")
	b.send(t, boss, "TWICE")
	b.waitLast(t, boss, "How large")
	b.send(t, boss, "10")
	m := b.waitLast(t, boss, "How long")
	b.together(t, boss, m.MessageID, "a_promo_answer:never")
	m = b.waitLast(t, boss, "used in all?")
	b.together(t, boss, m.MessageID, "a_promo_answer:unlimited")
	m = b.waitLast(t, boss, "by one person?")
	b.together(t, boss, m.MessageID, "a_promo_answer:once")
	m = b.waitLast(t, boss, "Is that right?")
	yes, ok := person.FindButton(m, "Make")
	require.True(t, ok)
	b.together(t, boss, m.MessageID, yes.CallbackData)
	b.waitLast(t, boss, "TWICE: −10 %")
	require.Equal(t, 1, b.promoCodes(t))

	other := b.atPromos(t, "en")
	b.press(t, other, "New code")
	b.send(t, other, "twice")
	b.waitLast(t, other, "That does not fit.")
	b.send(t, other, "thrice")
	b.waitLast(t, other, "How large")
	b.send(t, other, "20")
	for _, press := range []string{"No end", "No limit", "Once"} {
		require.Eventually(t, func() bool {
			_, ok := person.FindButton(b.lastMessage(t, other), press)
			return ok
		}, patience, poll)
		b.press(t, other, press)
	}
	b.waitLast(t, other, "Is that right?")
	_, err := b.db.DBA.Exec(b.ctx, `select from promo.issue(p_admin_id => $1, p_code => 'THRICE', p_discount_percent => 5, p_max_uses => null,
		p_per_user_limit => null, p_expires_at => null, p_idempotency_key => 'faster')`, boss.ID)
	require.NoError(t, err)
	b.press(t, other, "Make")
	b.waitLast(t, other, "There is a promo code THRICE already: somebody was faster.")
	require.Equal(t, 2, b.promoCodes(t))
}

func TestReferralScreens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	anna := b.started(t, "Anna", "en")
	var code string
	require.NoError(t, b.db.Owner.QueryRow(b.ctx, `select referral_code from account.account where telegram_id = $1`, anna.ID).Scan(&code))
	var guests []*person.Person
	for i := range 10 {
		guest := b.person(t, fmt.Sprint("Guest", i), "en")
		b.send(t, guest, "/start ref_"+code)
		b.sees(t, guest, "Choose your language")
		guests = append(guests, guest)
	}
	b.credit(t, guests[0], 1000)
	_, err := b.db.DBA.Exec(b.ctx, `select p.purchase_id from billing.open_purchase(p_telegram_id => $1, p_tariff => 'basic', p_months => 1,
		p_promo_code => null, p_idempotency_key => 'k') o cross join lateral billing.pay_from_balance(p_telegram_id => $1, p_purchase_id => o.purchase_id) p`, guests[0].ID)
	require.NoError(t, err)

	boss := b.admin(t, "Boss", "en")
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Withdrawals waiting")
	b.press(t, boss, "Referrals")
	b.waitLast(t, boss, "Came by somebody's link: 10")
	b.waitLast(t, boss, "Cashback to pay: 14.90 ₽, rewards: 1")
	_, err = b.db.DBA.Exec(b.ctx, `select from referral.pay_due(p_epoch => null, p_limit => 10)`)
	require.NoError(t, err)
	b.press(t, boss, "Refresh")
	b.waitLast(t, boss, "All: 1; paying referrals: 1; cashback paid 14.90 ₽")
	b.press(t, boss, "Top")
	b.waitLast(t, boss, "1, Silver, 14.90 ₽")
	b.press(t, boss, "Back")
	b.press(t, boss, "Find")
	b.waitLast(t, boss, "Type a referral code or link")
	for wrong, answer := range map[string]string{"@": "That can be no code", strings.Repeat("x", 4000): "That can be no code", "nobody_here": "Nobody was found"} {
		b.send(t, boss, wrong)
		b.waitLast(t, boss, answer)
	}
	for _, query := range []string{code, "https://t.me/atlas_bot?start=ref_" + code, fmt.Sprint(anna.ID)} {
		b.send(t, boss, query)
		b.waitLast(t, boss, "Invited: 10, paying: 1\nCashback: 14.90 ₽")
		b.press(t, boss, "Back")
		b.press(t, boss, "Find")
		b.waitLast(t, boss, "Type a referral code or link")
	}
	b.send(t, boss, code)
	b.waitLast(t, boss, "Code: "+code)
	b.press(t, boss, "Invited")
	m := b.waitLast(t, boss, "👥 Invited by")
	require.NotContains(t, m.Text, "💳", "who pays is on the next page")
	b.press(t, boss, "Further")
	m = b.waitLast(t, boss, "💳")
	require.Contains(t, m.Text, "pays since")
	b.press(t, boss, fmt.Sprint(guests[0].ID))
	b.waitLast(t, boss, "Invited by")
	b.press(t, boss, "Who invited")
	b.waitLast(t, boss, "Code: "+code)
	for _, data := range []string{"a_ref:x", "a_ref:", "a_ref_invited:x", "a_ref_invited:1.x", "a_refs_top:-1"} {
		require.Contains(t, b.forge(t, boss, m.MessageID, data).Text, "earlier", data)
	}
	b.forge(t, boss, m.MessageID, "a_ref:99")
	b.sees(t, boss, "Nobody has that number or name")
}
