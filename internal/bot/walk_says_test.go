package bot_test

import (
	"slices"
	"strings"
)

// said is what the walk types at each step of the dialogues.
var said = map[string][]string{}

// says declares what people type at a step, "<dialogue>.<step>". All of it is typed: first what leads on, then what the
// step must refuse. Words in braces are the actor's (stage.words): "{customer}" is somebody's number.
func says(step string, texts ...string) bool {
	said[step] = slices.Concat(said[step], texts)
	return true
}

var (
	_ = says("topup.amount", "500", "all of it", "1")

	_ = says("promo.code", "WALK", "NOSUCH", "x")
	_ = says("promo.plan", "and now?")
	_ = says("promo.opened", "and now?")

	_ = says("withdraw.amount", "600", "all of it", "1", "999999")
	_ = says("withdraw.requisites", "Sber 2200 7007 0000 4321", "x")
	_ = says("withdraw.confirm", "yes")
	_ = says("withdraw.final", "yes")

	_ = says("corporate.company", "Horns & Hooves", "x")
	_ = says("corporate.contact", "Ostap, +7 900 000-00-00", "<")
	_ = says("corporate.confirm", "yes")

	_ = says("a_search.query", "{customer}", "@{username}", "900001", "nobody", "<b>")
	_ = says("a_credit.amount", "100", "all of it")
	_ = says("a_credit.note", "thanks")
	_ = says("a_debit.amount", "100", "all of it", "9999999")
	_ = says("a_debit.note", "sorry")
	_ = says("a_grant.length", "a week")
	_ = says("a_grant.unit", "hours")
	_ = says("a_grant.value", "36", "many")
	_ = says("a_grant.tariff", "plus")
	_ = says("a_grant.notify", "yes")
	_ = says("a_revoke.notify", "yes")
	_ = says("a_revoke.reason", "shared the key")
	_ = says("a_set_discount.percent", "25", "0", "100")
	_ = says("a_set_discount.expiry", "10", "week")
	_ = says("a_block.reason", "fraud")
	_ = says("a_unblock.reason", "a mistake")
	_ = says("a_refund.reason", "does not work there")
	_ = says("a_credit.confirm", "yes")
	_ = says("a_debit.confirm", "yes")
	_ = says("a_grant.confirm", "yes")
	_ = says("a_revoke.confirm", "yes")
	_ = says("a_set_discount.confirm", "yes")
	_ = says("a_block.confirm", "yes")
	_ = says("a_unblock.confirm", "yes")
	_ = says("a_refund.confirm", "yes")
	_ = says("admin_payout.reason", "no such card")
	_ = says("admin_payout.confirm", "yes")
	_ = says("admin_purchase.of", "@magnate", "nobody_such")
	_ = says("admin_assign.user", "{customer}", "nobody_such")
	_ = says("admin_assign.amount", "100", "all of it")
	_ = says("admin_assign.note", "seen")
	_ = says("admin_assign.confirm", "yes")
	_ = says("admin_manual.amount", "149", "all of it")
	_ = says("admin_manual.note", "seen")
	_ = says("admin_manual.confirm", "yes")
	_ = says("admin_refund.note", "sorry")
	_ = says("admin_refund.confirm", "yes")

	_ = says("admin_incident.ru", "Работаем над связью", "<b>"+strings.Repeat("я", 4000))
	_ = says("admin_incident.en", "We mend the network", strings.Repeat("x", 4000))
	_ = says("admin_incident.confirm", "yes")

	_ = says("broadcast.title", "Maintenance tonight", "two\nlines")
	_ = says("broadcast.kind", "news")
	_ = says("broadcast.texts", "two")
	_ = says("broadcast.text_one", "<b>The text</b>", "\u200b")
	_ = says("broadcast.text_a", "<b>The first text</b>", "\u200b")
	_ = says("broadcast.text_b", "The second text", "\u200b")
	_ = says("broadcast.segment", "all")
	_ = says("broadcast.written", "and now?")
	_ = says("broadcast.when", "23:59", "tomorrow", "1.1.2020 10:00", "1.1.2099 10:00")
	_ = says("broadcast_offer.text", "Come back", "\u200b")
	_ = says("broadcast_offer.offer", "buy")
	_ = says("broadcast_offer.written", "and now?")
)
