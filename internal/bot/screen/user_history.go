package screen

import (
	"strconv"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// What an admin looks at beside a user's card.
const (
	VerbAdminHistory   Verb = "a_history"   // a user, and the version before which a page begins
	VerbAdminPurchases Verb = "a_purchases" // a user, and the purchase before which a page begins
)

// How many lines a page of these lists has.
const (
	UserPage      = 6
	PurchasesPage = 5
)

// UserHistory shows a user's movements of money with the notes of admins. One line more than fits says that there are more.
func UserHistory(t *i18n.Text, c sqlapi.Card, lines []sqlapi.StatementLine, isFirst bool) Screen {
	page := PageOf(lines, UserPage, isFirst)
	texts := make([]i18n.HTML, 0, len(page.Lines)+1)
	texts = append(texts, i18n.Join("\n", userHead(t, c), t.HTML("admin.history_head")))
	for _, line := range page.Lines {
		text := movement(t, line)
		if line.Note != "" {
			text = i18n.Join("\n", text, t.HTML("admin.history_note", i18n.Args{"note": short(line.Note)}))
		}
		texts = append(texts, text)
	}
	if len(page.Lines) == 0 {
		texts = append(texts, t.HTML("admin.history_empty"))
	}
	s := Screen{Text: i18n.Join("\n\n", texts...)}
	key := ""
	if page.HasMore {
		key = strconv.FormatInt(page.Lines[len(page.Lines)-1].Version, 10)
	}
	s.Rows = append(turnUser(t, VerbAdminHistory, c.TelegramID, isFirst, key), backToUser(t, c.TelegramID)...)
	return s
}

// UserPurchases shows what a user has bought, with a button to give each of them back that can be.
func UserPurchases(t *i18n.Text, c sqlapi.Card, purchases []sqlapi.ListedPurchase, isFirst bool) Screen {
	page := PageOf(purchases, PurchasesPage, isFirst)
	texts := []i18n.HTML{i18n.Join("\n", userHead(t, c), t.HTML("admin.purchases_head"))}
	if len(page.Lines) == 0 {
		texts = append(texts, t.HTML("admin.purchases_empty"))
	}
	var s Screen
	for i, p := range page.Lines {
		texts = append(texts, listedPurchase(t, i+1, p))
		if p.CanBeRefunded {
			s.Rows = append(s.Rows, row(Button{
				Label: t.Plain("button.a_refund", i18n.Args{"number": i + 1, "price": p.Price}),
				Data:  VerbAdminRefund.With(userNumber(c.TelegramID), string(p.PurchaseID)),
			}))
		}
	}
	s.Text = i18n.Join("\n\n", texts...)
	key := ""
	if page.HasMore {
		key = string(page.Lines[len(page.Lines)-1].PurchaseID)
	}
	s.Rows = append(s.Rows, turnUser(t, VerbAdminPurchases, c.TelegramID, isFirst, key)...)
	s.Rows = append(s.Rows, backToUser(t, c.TelegramID)...)
	return s
}

func listedPurchase(t *i18n.Text, number int, p sqlapi.ListedPurchase) i18n.HTML {
	what := t.Plain("word.topup", i18n.Args{"amount": p.Price})
	if p.Kind == atlas.SubscriptionPurchase {
		what = planName(t, p.Tariff, p.Months)
	}
	lines := []i18n.HTML{t.HTML("admin.purchase_line", i18n.Args{"number": number, "what": what, "price": p.Price})}
	if p.PaidAt != nil {
		lines = append(lines, t.HTML("admin.purchase_paid", i18n.Args{"at": *p.PaidAt, "way": wayName(t, p.PaidWith)}))
	} else {
		lines = append(lines, t.HTML("admin.purchase_open", i18n.Args{"at": p.OpenedAt}))
	}
	switch {
	case p.TakenBackAt != nil && p.TakenBackBy != 0:
		lines = append(lines, t.HTML("admin.purchase_refunded", i18n.Args{
			"at": *p.TakenBackAt, "by": int64(p.TakenBackBy), "reason": short(p.TakenBackReason),
		}))
	case p.TakenBackAt != nil:
		lines = append(lines, t.HTML("admin.purchase_reversed", i18n.Args{"at": *p.TakenBackAt}))
	}
	return i18n.Join("\n", lines...)
}

// turnUser has the buttons that turn the pages of a user's list.
func turnUser(t *i18n.Text, verb Verb, id atlas.TelegramID, isFirst bool, older string) [][]Button {
	var buttons []Button
	if !isFirst {
		buttons = append(buttons, press(t, "button.newest", verb, userNumber(id)))
	}
	if older != "" {
		buttons = append(buttons, press(t, "button.older", verb, userNumber(id), older))
	}
	if len(buttons) == 0 {
		return nil
	}
	return [][]Button{buttons}
}

func backToUser(t *i18n.Text, id atlas.TelegramID) [][]Button {
	return [][]Button{row(back(t, VerbAdminUser, userNumber(id))), toAdmin(t)}
}
