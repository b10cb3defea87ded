package screen

import (
	"strconv"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// What admins do about money that is nobody's yet.
const (
	VerbSuspense    Verb = "a_sus"     // the payment after which a page begins, or nothing
	VerbSuspended   Verb = "a_sus_one" // a payment
	VerbAssign      Verb = "a_sus_give"
	VerbAssignWhole Verb = "a_sus_whole"
	VerbAssigned    Verb = "a_sus_yes" // a draft
)

// Suspense lists the money that is nobody's yet.
func Suspense(t *i18n.Text, page Page[sqlapi.SuspendedPayment]) Screen {
	s := Screen{Text: t.HTML("suspense.none")}
	if len(page.Lines) > 0 {
		lines := []i18n.HTML{t.HTML("suspense.list")}
		for _, p := range page.Lines {
			amount := minorAmount(t, p.AmountMinor, p.Currency)
			lines = append(lines, t.HTML("suspense.line", i18n.Args{
				"number": p.PaymentID, "amount": amount, "provider": wayName(t, string(p.Provider)), "at": p.ReceivedAt, "why": suspenseReason(t, p.Why),
			}))
			label := t.Plain("button.suspense_line", i18n.Args{"number": p.PaymentID, "amount": amount})
			s.Rows = append(s.Rows, row(Button{Label: label, Data: VerbSuspended.With(numbered(p.PaymentID))}))
		}
		s.Text = i18n.Join("\n", lines...)
	}
	s.Rows = append(s.Rows, page.turn(t, VerbSuspense, func(p sqlapi.SuspendedPayment) string { return numbered(p.PaymentID) })...)
	s.Rows = append(s.Rows, row(press(t, "button.refresh", VerbSuspense)), toAdmin(t))
	return s
}

// maxRaw keeps a provider's words on the screen, also when all of them have to be escaped.
const maxRaw = 400

// SuspendedPayment shows a payment, and who has assigned it if somebody has.
func SuspendedPayment(t *i18n.Text, p sqlapi.ShownPayment) Screen {
	lines := []i18n.HTML{paymentHead(t, p)}
	switch {
	case p.ResolvedAt != nil:
		lines = append(lines, t.HTML("suspense.resolved", i18n.Args{
			"amount": p.Worth, "whose": who(t, p.TelegramID, p.Username), "who": who(t, p.ResolvedBy, p.ResolvedByName),
			"at": *p.ResolvedAt, "note": clip(p.Note),
		}))
	case p.Outcome != atlas.Suspense && p.ReversedAt == nil:
		lines = append(lines, t.HTML("suspense.is_not"))
	}
	if p.ReversedAt != nil {
		lines = append(lines, t.HTML("suspense.reversed", i18n.Args{"at": *p.ReversedAt}))
	}
	if p.Raw != "" {
		raw := p.Raw
		if runes := []rune(raw); len(runes) > maxRaw {
			raw = string(runes[:maxRaw]) + "…"
		}
		lines = append(lines, t.HTML("suspense.raw", i18n.Args{"raw": raw}))
	}
	s := Screen{Text: i18n.Join("\n", lines...)}
	if p.Outcome == atlas.Suspense {
		s.Rows = append(s.Rows, row(press(t, "button.assign", VerbAssign, numbered(p.PaymentID))))
	}
	if p.PayerName != "" {
		s.Rows = append(s.Rows, row(toUser(t, p.PayerID)))
	}
	s.Rows = append(s.Rows, row(back(t, VerbSuspense)), toAdmin(t))
	return s
}

// paymentHead says what was received.
func paymentHead(t *i18n.Text, p sqlapi.ShownPayment) i18n.HTML {
	lines := []i18n.HTML{t.HTML("suspense.head", i18n.Args{
		"number": p.PaymentID, "amount": minorAmount(t, p.AmountMinor, p.Currency), "provider": wayName(t, string(p.Provider)),
		"charge": p.ChargeID, "at": p.ReceivedAt,
	})}
	if p.Why != "" {
		lines = append(lines, t.HTML("suspense.why", i18n.Args{"why": suspenseReason(t, p.Why)}))
	}
	if p.PayerID != 0 {
		lines = append(lines, t.HTML("suspense.payer", i18n.Args{"who": who(t, p.PayerID, p.PayerName)}))
	}
	if p.PurchaseID != "" {
		lines = append(lines, t.HTML("suspense.purchase", i18n.Args{"purchase": string(p.PurchaseID)}))
	}
	return i18n.Join("\n", lines...)
}

// SubjectOfPayment is a payment that an admin assigns.
func SubjectOfPayment(t *i18n.Text, p sqlapi.ShownPayment) MoneySubject {
	return MoneySubject{
		ID: numbered(p.PaymentID), Head: paymentHead(t, p), IsOpen: p.Outcome == atlas.Suspense, Whole: p.Received,
		back: VerbSuspended,
	}
}

// minorAmount writes an amount in any currency; only of roubles and Stars is it known what the smallest unit is.
func minorAmount(t *i18n.Text, minor int64, currency atlas.Currency) string {
	switch currency {
	case atlas.RUB:
		return t.Money(atlas.Kopecks(minor))
	case atlas.XTR:
		return t.Plain("word.stars", i18n.Args{"stars": minor})
	}
	return strconv.FormatInt(minor, 10) + " " + string(currency)
}

// suspenseReason is why nobody has it yet.
func suspenseReason(t *i18n.Text, reason string) string {
	return known(t, "word.suspense_"+reason, reason)
}
