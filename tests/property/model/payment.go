package model

func init() {
	rules["billing.settle_payment"] = settlePayment
}

// currencies are the providers, and the only money accepted from each.
var currencies = map[string]string{"telegram": "RUB", "stars": "XTR", "cryptobot": "RUB", "manual": "RUB"}

const tolerance = 100 // a payment short by no more than this still buys

// Payment is money from a provider: each charge has exactly one outcome.
type Payment struct {
	Owner             int // 0: nobody's
	provider, charge  string
	amount            int
	currency          string
	purchase          *Purchase // that it bought
	Outcome           string    // applied, credited, suspense, reversed
	Credited, revenue int
	ends              any
	debt              int // that its reversal made
	resolvedBy        int // an admin, out of suspense
	approvedBy        int // an admin, by hand
}

// Ref is the payment's id.
func (p *Payment) Ref() Ref { return Ref{"payment", p.provider + " " + p.charge} }

// Charge is the provider, and its id of the money.
func (p *Payment) Charge() (provider, charge string) { return p.provider, p.charge }

func (p *Payment) answer(isReplay bool) Answer {
	answer := Answer{"payment_id": p.Ref(), "outcome": p.Outcome, "credited_kopecks": p.Credited,
		"subscription_expires_at": p.ends, "is_replay": isReplay, "telegram_id": nil}
	if p.Owner != 0 {
		answer["telegram_id"] = p.Owner
	}
	if p.Outcome == "reversed" { // nothing of it is there any more
		answer["credited_kopecks"], answer["subscription_expires_at"] = 0, nil
	}
	return answer
}

func (w *World) charge(provider, charge string) *Payment {
	for _, p := range w.Payments {
		if p.provider == provider && p.charge == charge {
			return p
		}
	}
	return nil
}

func settlePayment(w *World, a Args) Answer {
	provider := a.text("p_provider")
	if currencies[provider] == "" || provider == "manual" {
		refuse("PY001")
	}
	return w.settle(provider, a.text("p_charge_id"), a.ref("p_purchase_id"), a.int("p_payer_id"),
		a.int("p_amount_minor"), a.text("p_currency"))
}

// settle books received money. It is never refused and never lost.
func (w *World) settle(provider, charge string, ref Ref, payer, amount int, currency string) Answer {
	if earlier := w.charge(provider, charge); earlier != nil {
		return earlier.answer(true)
	}
	m := &Payment{provider: provider, charge: charge, amount: amount, currency: currency}
	w.Payments = append(w.Payments, m)
	p, u, worth := w.identify(provider, ref, payer, amount, currency)
	if u == nil {
		m.Outcome = "suspense"
		return m.answer(false)
	}
	m.Owner = u.ID
	isWanted := u.ID == p.Owner && !u.IsBlocked && p.Status != "paid" && p.Status != "refunded"
	switch {
	case isWanted && p.Kind == "topup":
		p.Status, p.payment, p.paidWith = "paid", m, provider
		m.Outcome, m.purchase, m.Credited = "applied", p, worth
	case isWanted && worth >= p.Price-tolerance && w.retake(p):
		m.Outcome, m.purchase = "applied", p
		m.revenue = min(worth, p.Price)
		m.Credited = worth - m.revenue
		p.payment = m
	default:
		m.Outcome, m.Credited = "credited", worth
	}
	if m.Credited > 0 {
		w.move(u, m.Credited, 0, 0)
	}
	if m.purchase != nil && p.Kind == "subscription" {
		w.fulfil(u, p, provider)
		m.ends = p.ends
	}
	return m.answer(false)
}

// identify says whose money it is and what it is worth; nobody's goes to suspense.
func (w *World) identify(provider string, ref Ref, payer, amount int, currency string) (*Purchase, *User, int) {
	p := w.Purchase(ref)
	if p == nil || currencies[provider] != currency {
		return nil, nil, 0
	}
	if payer == 0 {
		payer = p.Owner
	}
	if w.Users[payer] == nil {
		return nil, nil, 0
	}
	if provider == "stars" {
		invoiced := p.invoices["stars"]
		if invoiced == nil {
			return nil, nil, 0
		}
		amount = p.Price * amount / invoiced.amount
	}
	return p, w.Users[payer], amount
}

// retake gives a purchase that is paid late its use of a code again, if one is left.
func (w *World) retake(p *Purchase) bool {
	return p.code == nil || p.code.Uses[p] || w.reserve(p, p.code)
}

// Currency is the only money that is accepted from a provider.
func Currency(provider string) string { return currencies[provider] }
