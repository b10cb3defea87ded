package bot_test

import (
	"fmt"
	"strconv"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/requisites"
	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

// actor is somebody in a state in which the bot shows other screens, or shows them differently.
type actor struct {
	name string
	// come brings the stage's person (s.me) into the state, before the first word.
	come func(s *stage, language string)
	// isAlone: others of the same database would be seen by this person, so that each has a database of one's own.
	isAlone bool
	// only, unless nil, says which routes this person is here for: all others look as they do to somebody else.
	only func(route bot.Route) bool
	// probe lets strangers try the last step of each way, before the actor does it, and says what they should not have come
	// to. It is done in one language: which one is all the same to them.
	probe func(s *stage, on way, since int) []string
	// refusals are the SQLSTATEs that buttons which this person sees may end in: there is a screen for each.
	refusals []string
}

// actors are the people whom the walk sends through the bot, those with the fewest screens first.
func actors() []actor {
	return []actor{
		{name: "newcomer", come: func(*stage, string) {}},
		{name: "visitor", come: (*stage).visitor},
		{name: "reader", come: (*stage).reader, only: isNews},
		{name: "depositor", come: (*stage).depositor, probe: (*stage).probeOwner},
		{name: "customer", come: (*stage).customer, probe: (*stage).probeOwner},
		{name: "former customer", come: (*stage).formerCustomer},
		{name: "blocked", come: (*stage).blocked, refusals: []string{atlas.ErrUserIsBlocked.Code}},
		{name: "admin", come: (*stage).admin, isAlone: true, only: isAdmin, probe: (*stage).probeAdmin},
		{name: "former admin", come: (*stage).formerAdmin, only: isAdmin},
	}
}

// isAdmin says whether a route is for admins.
func isAdmin(route bot.Route) bool { return route.IsAdmin || route.Command == "start" }

// isNews says whether a route is the button under a broadcast.
func isNews(route bot.Route) bool { return route.Verb == screen.VerbNews || route.Command == "start" }

// shop makes an admin who gives things out, and offers every way to pay and the promo code WALK.
func (s *stage) shop() {
	s.t.Helper()
	s.desk.User(adminID)
	s.desk.One("account.grant_admin", desk.A{"p_telegram_id": adminID, "p_note": "walk"})
	s.desk.One("promo.issue", desk.A{"p_admin_id": adminID, "p_code": "WALK", "p_discount_percent": 20, "p_max_uses": nil,
		"p_per_user_limit": 100, "p_expires_at": nil, "p_idempotency_key": "walk"})
	_, err := s.db.Owner.Exec(s.ctx, `update billing.provider set is_offered = true`)
	require.NoError(s.t, err)
}

// visitor has been here before, and has said which language to speak.
func (s *stage) visitor(language string) {
	s.t.Helper()
	s.shop()
	s.desk.One("account.register", desk.A{
		"p_telegram_id": s.me.ID, "p_username": nil, "p_language": language, "p_start_payload": nil,
	})
	s.desk.One("account.set_language", desk.A{"p_telegram_id": s.me.ID, "p_language": language})
	s.waitHandled(s.t) // what others did before
	counts := s.handled()
	s.send(s.t, s.me, "/start")
	require.Equal(s.t, "/start", s.handledSince(counts))
}

// reader has got a broadcast for each kind.
func (s *stage) reader(language string) {
	s.t.Helper()
	s.visitor(language)
	for _, offer := range screen.BroadcastOffers {
		id := s.desk.One("broadcast.compose", desk.A{"p_admin_id": adminID, "p_title": offer, "p_kind": "info", "p_segment": "all",
			"p_text_a": map[string]string{"ru": "Новости", "en": "News"}[language], "p_text_b": nil, "p_offer": offer,
			"p_idempotency_key": fmt.Sprint(s.me.ID, offer)})["broadcast_id"]
		s.desk.One("broadcast.start", desk.A{"p_admin_id": adminID, "p_broadcast_id": id})
		s.takeNews()
	}
}

// takeNews takes what is running as if it had been sent to all. The actor gets it again after each word: see work.
func (s *stage) takeNews() {
	s.t.Helper()
	db := s.openDB(s.t, harness.WorkerLogin)
	for {
		claimed, err := db.Broadcast.Claim(s.ctx, "walk", 1000, time.Minute)
		require.NoError(s.t, err)
		if len(claimed) == 0 {
			return
		}
		for _, message := range claimed {
			_, err = db.Broadcast.Sent(s.ctx, message)
			require.NoError(s.t, err)
			if int64(message.TelegramID) == s.me.ID {
				s.news = append(s.news, message)
			}
		}
	}
}

// depositor has money.
func (s *stage) depositor(language string) {
	s.t.Helper()
	s.visitor(language)
	s.desk.One("wallet.credit", desk.A{"p_telegram_id": s.me.ID, "p_amount_kopecks": 2000_00, "p_admin_id": adminID,
		"p_note": "walk", "p_idempotency_key": fmt.Sprint("walk:", s.me.ID)})
}

// customer has money, a subscription and a key.
func (s *stage) customer(language string) {
	s.t.Helper()
	s.depositor(language)
	s.desk.Buy(int(s.me.ID), "basic", 1, "walk")
	s.work()
}

// formerCustomer had all that.
func (s *stage) formerCustomer(language string) {
	s.t.Helper()
	clock := s.desk.On(s.t, s.db.Owner)
	clock.Later("-40 days")
	s.customer(language)
	clock.Later("0 days")
	s.desk.One("subscription.expire_due", desk.A{"p_epoch": nil, "p_limit": 100})
	s.work()
}

// blocked is a customer who was blocked.
func (s *stage) blocked(language string) {
	s.t.Helper()
	s.customer(language)
	s.desk.One("account.block", desk.A{"p_admin_id": adminID, "p_telegram_id": s.me.ID, "p_reason": "walk"})
}

// admin is one, and has a shop to look after; see crowd.
func (s *stage) admin(language string) {
	s.t.Helper()
	s.visitor(language)
	s.desk.One("account.grant_admin", desk.A{"p_telegram_id": s.me.ID, "p_note": "walk"})
	s.crowd(language)
}

// formerAdmin was one.
func (s *stage) formerAdmin(language string) {
	s.t.Helper()
	s.admin(language)
	s.desk.One("account.revoke_admin", desk.A{"p_telegram_id": s.me.ID, "p_note": "walk"})
}

// crowd is what admins look after: the customer {customer}, alias {username}, with a subscription and a withdrawal that
// waits; {magnate}, another, whose withdrawal needs two admins, whose key was given up, and who has not paid a purchase; a
// payment in suspense; a company that waits; exports; and trouble.
func (s *stage) crowd(language string) {
	s.t.Helper()
	customer := s.other("client", language, (*stage).customer)
	s.words["customer"], s.words["username"] = strconv.FormatInt(customer.ID, 10), customer.Username
	s.requestsWithdrawal(customer, 600_00)

	rich := s.other("magnate", language, (*stage).depositor)
	s.words["magnate"] = strconv.FormatInt(rich.ID, 10)
	s.desk.One("wallet.credit", desk.A{"p_telegram_id": rich.ID, "p_amount_kopecks": 60_000_00, "p_admin_id": adminID,
		"p_note": "walk", "p_idempotency_key": "magnate"})
	s.requestsWithdrawal(rich, 55_000_00)
	s.desk.One("account.request_corporate", desk.A{"p_telegram_id": rich.ID, "p_company": "Magnates", "p_contact": "@magnate",
		"p_idempotency_key": "magnate"})
	s.failedKey(rich)
	s.desk.Open(int(rich.ID), "plus", 1, "unpaid")

	s.desk.One("billing.settle_payment", desk.Money("cryptobot", "walk", nil, nil, 500_00, "RUB"))
	s.trouble(customer)
	s.desk.All("promo.issue_batch", desk.A{"p_admin_id": adminID, "p_count": 2, "p_discount_percent": 10, "p_max_uses": 1,
		"p_per_user_limit": 1, "p_expires_at": nil, "p_idempotency_key": "batch"})
	s.exports()
	for i := range 2 * screen.AuditPage { // more than a page of events
		s.desk.One("account.set_vip", desk.A{"p_admin_id": adminID, "p_telegram_id": customer.ID, "p_is_vip": i%2 == 0})
	}
}

// other brings somebody else into a state.
func (s *stage) other(username, language string, come func(*stage, string)) *person.Person {
	s.t.Helper()
	me := s.me
	defer func() { s.me = me }()
	var err error
	s.me, err = s.people.Ensure(s.ctx, botapi.Person{
		ID: s.next.Add(1), FirstName: "Client", Username: username, LanguageCode: language,
	})
	require.NoError(s.t, err)
	come(s, language)
	return s.me
}

func (s *stage) requestsWithdrawal(p *person.Person, kopecks int) {
	s.t.Helper()
	words, err := requisites.New(card)
	require.NoError(s.t, err)
	sealed, err := sealer(s.t).Seal(words)
	require.NoError(s.t, err)
	s.desk.One("withdrawal.request", desk.A{"p_telegram_id": p.ID, "p_amount_kopecks": kopecks, "p_requisites": string(sealed),
		"p_idempotency_key": fmt.Sprint("walk:", p.ID)})
}

// failedKey lets somebody buy a subscription whose key the node refuses until it is given up.
func (s *stage) failedKey(p *person.Person) {
	s.t.Helper()
	s.desk.Buy(int(p.ID), "basic", 1, "failed")
	_, err := s.db.Owner.Exec(s.ctx, `update outbox.task set finished_at = core.now(), outcome = 'failed', attempt = 5,
		last_error = 'the node says no' where telegram_id = $1 and kind = 'provision'`, p.ID)
	require.NoError(s.t, err)
	_, err = s.db.Owner.Exec(s.ctx, `update subscription.subscription set activation = 'failed' where telegram_id = $1`, p.ID)
	require.NoError(s.t, err)
}
