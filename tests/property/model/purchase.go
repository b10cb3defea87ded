package model

import (
	"fmt"
	"time"
)

func init() {
	rules["billing.quote"] = quote
	rules["billing.open_purchase"] = openPurchase
	rules["billing.open_topup"] = openTopup
	rules["billing.pay_from_balance"] = payFromBalance
	rules["billing.cancel_purchase"] = cancelPurchase
	rules["billing.attach_invoice"] = attachInvoice
	rules["billing.precheck"] = precheck
	rules["billing.expire_due"] = expirePurchases
}

const (
	lifetime     = 30 * time.Minute
	topupMinimum = 10000
	topupMaximum = 10000000
	starKopecks  = 170
)

// Purchase is what a user is buying or has bought.
type Purchase struct {
	Name          string
	Owner         int
	Kind          string // subscription, topup
	Status        string // open, paid, refunded, expired, cancelled
	Tariff        string
	Months, Price int
	Expires       time.Time
	code          *Code // whose use it holds or held
	paidWith      string
	payment       *Payment
	answer        Answer // of pay_from_balance
	starts, ends  time.Time
	invoices      map[string]*invoice
	refundedBy    int
	refundAnswer  Answer
	refunded      int
	takenBackBy   *link
	cashback      int // that its referrer has
}

type invoice struct {
	amount int
	ids    map[string]bool
}

// Ref is the purchase's id.
func (p *Purchase) Ref() Ref { return Ref{"purchase", p.Name} }

// find gives the purchase that a call names, if it is this user's.
func (w *World) find(u *User, ref Ref) *Purchase {
	p := w.Purchase(ref)
	if p == nil || p.Owner != u.ID {
		refuse("PU001")
	}
	return p
}

// Purchase gives the purchase of an id; nil for none.
func (w *World) Purchase(ref Ref) *Purchase {
	for _, p := range w.Purchases {
		if p.Ref() == ref {
			return p
		}
	}
	return nil
}

func quote(w *World, a Args) Answer {
	var code *Code
	if value := canonical(a["p_promo_code"]); value != nil {
		code = w.usable(a.int("p_telegram_id"), value)
	}
	u := w.user(a)
	if list[a.text("p_tariff")][a.int("p_months")] == 0 {
		refuse("PU004")
	}
	return u.offer(w.Now, a.text("p_tariff"), a.int("p_months"), code)
}

// offer is what a tariff and period would cost, and until when it would be.
func (u *User) offer(now time.Time, tariff string, months int, code *Code) Answer {
	listed, percent, price, kind := u.price(now, tariff, months, code)
	return Answer{"list_kopecks": listed, "discount_percent": percent, "price_kopecks": price, "discount_kind": kind,
		"subscription_expires_at": addMonths(u.startAfter(now, tariff), months)}
}

func openPurchase(w *World, a Args) Answer {
	a = withCode(a, "p_promo_code")
	u := w.user(a)
	return w.once(u.ID, "open_purchase", a, "", func() Answer {
		if u.IsBlocked {
			refuse("US002")
		}
		tariff, months := a.text("p_tariff"), a.int("p_months")
		if list[tariff][months] == 0 {
			refuse("PU004")
		}
		var code *Code
		if a["p_promo_code"] != nil {
			code = w.usable(u.ID, a["p_promo_code"])
		}
		answer := u.offer(w.Now, tariff, months, code)
		p := &Purchase{Owner: u.ID}
		if answer["discount_kind"] == "promo" {
			w.reserve(p, code)
		}
		w.open(p, a, "subscription", answer["price_kopecks"].(int))
		p.Tariff, p.Months = tariff, months
		answer["purchase_id"], answer["expires_at"] = p.Ref(), p.Expires
		return answer
	})
}

func openTopup(w *World, a Args) Answer {
	u := w.user(a)
	return w.once(u.ID, "open_topup", a, "", func() Answer {
		amount := a.int("p_amount_kopecks")
		if u.IsBlocked {
			refuse("US002")
		}
		if amount < topupMinimum || amount > topupMaximum {
			refuse("PU006")
		}
		p := w.open(&Purchase{Owner: u.ID}, a, "topup", amount)
		return Answer{"purchase_id": p.Ref(), "price_kopecks": amount, "expires_at": p.Expires}
	})
}

func (w *World) open(p *Purchase, a Args, kind string, price int) *Purchase {
	p.Name = fmt.Sprint(p.Owner, " ", kind, " ", a["p_idempotency_key"])
	p.Kind, p.Status, p.Price = kind, "open", price
	p.Expires, p.invoices = w.Now.Add(lifetime), map[string]*invoice{}
	w.Purchases = append(w.Purchases, p)
	return p
}

func payFromBalance(w *World, a Args) Answer {
	u := w.user(a)
	p := w.find(u, a.ref("p_purchase_id"))
	switch {
	case p.answer != nil:
		return replay(p.answer)
	case p.Kind == "topup" || p.Status == "paid" || p.Status == "refunded" || p.Status == "cancelled":
		refuse("PU003")
	case p.Status == "expired" || !p.Expires.After(w.Now):
		refuse("PU002")
	case u.IsBlocked:
		refuse("US002")
	case u.Available < p.Price:
		refuse("WA001")
	}
	if p.Price > 0 {
		w.move(u, -p.Price, 0, 0)
	}
	w.fulfil(u, p, "balance")
	p.answer = Answer{"purchase_id": p.Ref(), "status": "paid", "available_kopecks": u.Available,
		"subscription_expires_at": p.ends, "is_replay": false}
	return p.answer
}

// fulfil gives what was paid for, and promises the cashback.
func (w *World) fulfil(u *User, p *Purchase, with string) {
	p.Status, p.paidWith = "paid", with
	p.starts = u.startAfter(w.Now, p.Tariff)
	p.ends = addMonths(p.starts, p.Months)
	u.changed(w, p, &Subscription{Tariff: p.Tariff, Period: "paid", Ends: p.ends,
		AutoRenew: u.Subscription != nil && u.Subscription.AutoRenew})
	if u.Referrer != 0 && p.Price > 0 {
		w.tasks = append(w.tasks, &task{kind: "reward", referrer: u.Referrer, purchase: p})
	}
}

func cancelPurchase(w *World, a Args) Answer {
	u := w.user(a)
	p := w.find(u, a.ref("p_purchase_id"))
	answer := Answer{"purchase_id": p.Ref(), "status": "cancelled", "is_replay": p.Status == "cancelled"}
	if p.Status != "open" && p.Status != "cancelled" {
		refuse("PU003")
	}
	if p.Status == "open" {
		w.close(p, "cancelled")
	}
	return answer
}

// close ends a purchase that was not paid, and gives its use of a code back.
func (w *World) close(p *Purchase, status string) {
	p.Status = status
	if p.code != nil {
		delete(p.code.Uses, p)
	}
}

// Asks is what a provider's invoice has to ask: kopecks, or whole Stars rounded up.
func (p *Purchase) Asks(provider string) int {
	if earlier := p.invoices[provider]; earlier != nil {
		return earlier.amount
	}
	if provider == "stars" {
		return (p.Price + starKopecks - 1) / starKopecks
	}
	return p.Price
}

func attachInvoice(w *World, a Args) Answer {
	p, provider := w.Purchase(a.ref("p_purchase_id")), a.text("p_provider")
	if currencies[provider] == "" || provider == "manual" {
		refuse("PY001")
	}
	if p == nil {
		refuse("PU001")
	}
	id := a.text("p_invoice_id")
	if a.int("p_amount_minor") != p.Asks(provider) || a.text("p_currency") != currencies[provider] {
		refuse("22023")
	}
	earlier := p.invoices[provider]
	answer := Answer{"purchase_id": p.Ref(), "is_replay": earlier != nil && earlier.ids[id]}
	if answer["is_replay"] == true {
		return answer
	}
	switch {
	case p.Status != "open" || !p.Expires.After(w.Now), p.Price == 0:
		refuse("PU003")
	case provider == "telegram" && p.Price < 6400:
		refuse("PU005")
	}
	for _, other := range w.Purchases {
		if there := other.invoices[provider]; there != nil && there.ids[id] {
			refuse("22023") // an invoice is for one purchase
		}
	}
	if earlier == nil {
		earlier = &invoice{amount: p.Asks(provider), ids: map[string]bool{}}
		p.invoices[provider] = earlier
	}
	earlier.ids[id] = true
	return answer
}

func precheck(w *World, a Args) Answer {
	p := w.Purchase(a.ref("p_purchase_id"))
	if p == nil || p.Owner != a.int("p_telegram_id") {
		return Answer{"is_payable": false, "refusal": "unknown_purchase"}
	}
	u := w.Users[p.Owner]
	isAttached := false
	for provider, i := range p.invoices {
		isAttached = isAttached || i.amount == a.int("p_amount_minor") && currencies[provider] == a.text("p_currency")
	}
	var why any
	switch {
	case u.IsBlocked:
		why = "blocked"
	case p.Status == "expired" || p.Status == "open" && !p.Expires.After(w.Now):
		why = "expired"
	case p.Status != "open":
		why = "not_open"
	case !isAttached:
		why = "amount_differs"
	}
	return Answer{"is_payable": why == nil, "refusal": why}
}

func expirePurchases(w *World, _ Args) Answer {
	expired := 0
	for _, p := range w.Purchases {
		if p.Status == "open" && !p.Expires.After(w.Now) {
			w.close(p, "expired")
			expired++
		}
	}
	return Answer{"expired": expired}
}
