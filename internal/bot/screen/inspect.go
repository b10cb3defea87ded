package screen

import (
	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// What admins do about purchases.
const (
	VerbManual      Verb = "a_manual"
	VerbInspect     Verb = "a_pu"      // a purchase
	VerbManualPay   Verb = "a_pu_paid" // a purchase
	VerbManualWhole Verb = "a_pu_whole"
	VerbManualPaid  Verb = "a_pu_yes"  // a draft
	VerbRefund      Verb = "a_pu_back" // a purchase
	VerbRefunded    Verb = "a_pu_back_yes"
)

// AskPurchase asks which purchase was paid past the providers.
func AskPurchase(t *i18n.Text, wrong string) Screen {
	return Screen{
		Text: i18n.Join("\n\n", wrongAnswer(t, wrong), t.HTML("inspect.ask")),
		Rows: [][]Button{toAdmin(t)},
	}
}

// UnpaidPurchases lists what somebody has not paid.
func UnpaidPurchases(t *i18n.Text, id atlas.TelegramID, username string, unpaid []sqlapi.UnpaidPurchase) Screen {
	lines := []i18n.HTML{t.HTML("inspect.of", i18n.Args{"who": who(t, id, username)})}
	s := Screen{}
	for _, p := range unpaid {
		lines = append(lines, t.HTML("inspect.line", i18n.Args{
			"what": inspected(t, p), "price": p.Price, "status": purchaseStatus(t, p), "at": p.OpenedAt,
		}))
		label := t.Plain("word.priced", i18n.Args{"what": inspected(t, p), "price": p.Price})
		s.Rows = append(s.Rows, row(Button{Label: label, Data: VerbInspect.With(string(p.PurchaseID))}))
	}
	if len(unpaid) == 0 {
		lines = append(lines, t.HTML("inspect.nothing"))
	}
	s.Text = i18n.Join("\n", lines...)
	s.Rows = append(s.Rows, row(press(t, "button.manual", VerbManual)), toAdmin(t))
	return s
}

// InspectedPurchase shows a purchase and what an admin can do about it.
func InspectedPurchase(t *i18n.Text, p sqlapi.InspectedPurchase) Screen {
	lines := []i18n.HTML{purchaseHead(t, p)}
	if p.ManualAt != nil {
		lines = append(lines, t.HTML("inspect.manual", i18n.Args{
			"amount": p.Manual, "who": who(t, p.ManualBy, p.ManualByName), "at": *p.ManualAt,
		}))
	}
	switch {
	case p.RefundedAt == nil:
	case p.RefundedBy == 0:
		lines = append(lines, t.HTML("inspect.reversed", i18n.Args{"at": *p.RefundedAt}))
	default:
		lines = append(lines, t.HTML("inspect.refunded", i18n.Args{
			"amount": p.Refunded, "who": who(t, p.RefundedBy, p.RefundedByName), "at": *p.RefundedAt,
		}))
	}
	s := Screen{}
	if canPayByHand(p) {
		s.Rows = append(s.Rows, row(press(t, "button.manual_pay", VerbManualPay, string(p.PurchaseID))))
	} else if p.Status == atlas.PurchasePaid && p.ManualAt == nil {
		lines = append(lines, t.HTML("inspect.is_paid"))
	}
	if p.IsRefundable {
		s.Rows = append(s.Rows, row(press(t, "button.refund", VerbRefund, string(p.PurchaseID))))
	}
	s.Text = i18n.Join("\n", lines...)
	s.Rows = append(s.Rows, row(toUser(t, p.TelegramID)), row(press(t, "button.manual", VerbManual)), toAdmin(t))
	return s
}

// canPayByHand says whether an admin may book money for a purchase: it is not paid, and nobody has done so yet.
func canPayByHand(p sqlapi.InspectedPurchase) bool {
	return p.ManualAt == nil && p.Status != atlas.PurchasePaid && p.Status != atlas.PurchaseRefunded
}

func purchaseHead(t *i18n.Text, p sqlapi.InspectedPurchase) i18n.HTML {
	lines := []i18n.HTML{t.HTML("inspect.head", i18n.Args{
		"what": inspected(t, p.UnpaidPurchase), "price": p.Price, "who": who(t, p.TelegramID, p.Username),
		"status": purchaseStatus(t, p.UnpaidPurchase), "at": p.OpenedAt, "purchase": string(p.PurchaseID),
	})}
	if p.PaidWith != "" && p.ClosedAt != nil {
		lines = append(lines, t.HTML("inspect.paid_with", i18n.Args{
			"how": wayName(t, p.PaidWith), "at": *p.ClosedAt,
		}))
	}
	return i18n.Join("\n", lines...)
}

// inspected names the thing bought.
func inspected(t *i18n.Text, p sqlapi.UnpaidPurchase) string {
	return What(t, sqlapi.Purchase{Kind: p.Kind, Tariff: p.Tariff, Months: p.Months, Price: p.Price})
}

func purchaseStatus(t *i18n.Text, p sqlapi.UnpaidPurchase) string {
	return known(t, "word.purchase_"+string(p.Status), string(p.Status))
}

// SubjectOfManual is a purchase whose money an admin has seen.
func SubjectOfManual(t *i18n.Text, p sqlapi.InspectedPurchase) MoneySubject {
	return MoneySubject{
		ID: string(p.PurchaseID), Head: purchaseHead(t, p), IsOpen: canPayByHand(p), Whole: p.Price, back: VerbInspect,
	}
}

// SubjectOfRefund is a purchase that an admin gives back.
func SubjectOfRefund(t *i18n.Text, p sqlapi.InspectedPurchase) MoneySubject {
	return MoneySubject{ID: string(p.PurchaseID), Head: purchaseHead(t, p), IsOpen: p.IsRefundable, back: VerbInspect}
}
