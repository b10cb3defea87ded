package model

import "time"

func init() {
	rules["billing.refund_purchase"] = refundPurchase
	rules["billing.reverse_payment"] = reversePayment
	rules["billing.resolve_suspense"] = resolveSuspense
	rules["billing.approve_manual"] = approveManual
}

// refundPurchase: the whole price to the balance, the period away. The same admin's repeat is a replay.
func refundPurchase(w *World, a Args) Answer {
	admin := w.admin(a)
	p := w.Purchase(a.ref("p_purchase_id"))
	switch {
	case p == nil:
		refuse("PU001")
	case p.refundedBy == admin:
		return replay(p.refundAnswer)
	case p.Kind != "subscription" || p.Status != "paid":
		refuse("PU003")
	}
	u := w.Users[p.Owner]
	if p.Price > 0 {
		w.move(u, p.Price, 0, 0)
	}
	p.refundedBy, p.refunded = admin, p.Price
	p.refundAnswer = Answer{"purchase_id": p.Ref(), "refunded_kopecks": p.Price,
		"subscription_expires_at": w.takeBack(u, p), "is_replay": false}
	return p.refundAnswer
}

// takeBack ends what a purchase gave: its period, its cashback. It gives the end of the subscription after it.
func (w *World) takeBack(u *User, p *Purchase) any {
	p.Status = "refunded"
	if u.Referrer != 0 && p.Price > 0 {
		w.tasks = append(w.tasks, &task{kind: "clawback", referrer: u.Referrer, purchase: p})
	}
	s := u.Subscription
	if s == nil {
		return nil
	}
	s.AutoRenew = false
	if !s.isActive(w.Now) {
		return s.Ends
	}
	after, restoredFrom := u.without(p, w.Now)
	u.changed(w, nil, after)
	last := u.chain[len(u.chain)-1]
	last.isUndoing = true
	p.takenBackBy = last
	if restoredFrom != nil { // from here on it is as if nothing of it had been
		isErased := false
		for _, l := range u.chain {
			isErased = isErased || l == restoredFrom
			l.isErased = l.isErased || isErased
		}
	}
	if after == nil {
		return nil
	}
	return after.Ends
}

// without is the subscription without a purchase. The latest one's state before is restored; of an earlier one, what
// is left of its period is taken off the end, and the tariff stays.
func (u *User) without(p *Purchase, now time.Time) (after *Subscription, restoredFrom *link) {
	visible := u.visible()
	isFound := false
	for i := len(visible) - 1; i >= 0; i-- { // back over what is taken back
		l := visible[i]
		if l.purchase != p && !l.isUndoing && (l.purchase == nil || l.purchase.Status != "refunded") {
			break
		}
		if l.purchase == nil {
			continue
		}
		restoredFrom, isFound = l, isFound || l.purchase == p
		if !l.follows() {
			break
		}
	}
	var state *Subscription
	taken := time.Duration(0)
	if isFound {
		state = restoredFrom.before
		at := index(visible, restoredFrom)
		for _, l := range visible[:at] {
			if l.purchase != nil && l.purchase.takenBackBy != nil && index(u.chain, l.purchase.takenBackBy) > index(u.chain, restoredFrom) {
				taken += u.left(l, restoredFrom)
			}
		}
	} else {
		restoredFrom = nil
		state = u.Subscription
		for _, l := range visible {
			if l.purchase == p {
				taken = u.left(l, nil)
			}
		}
	}
	if state == nil {
		return nil, restoredFrom
	}
	floor := now
	if state.Ends.Before(now) {
		floor = state.Ends
	}
	ends := state.Ends.Add(-taken)
	if ends.Before(floor) {
		ends = floor
	}
	return &Subscription{Tariff: state.Tariff, Period: state.Period, Ends: ends}, restoredFrom
}

// left is what is left of a bought period at a later link: converted as often as the remaining time was, nothing once
// it had run out in between.
func (u *User) left(from, until *link) time.Duration {
	left := from.purchase.ends.Sub(from.purchase.starts)
	isPast := false
	for _, l := range u.visible() {
		switch {
		case l == until:
			return left
		case l == from:
			isPast = true
		case !isPast:
		case !l.follows():
			return 0
		case l.after != nil:
			left = convert(left, l.before.Tariff, l.after.Tariff)
		}
	}
	return left
}

func (u *User) visible() []*link {
	list := []*link{}
	for _, l := range u.chain {
		if !l.isErased {
			list = append(list, l)
		}
	}
	return list
}

func index(list []*link, wanted *link) int {
	for i, l := range list {
		if l == wanted {
			return i
		}
	}
	return -1
}

// reversePayment: the provider took a charge back, and so do we; what is not there any more is debt.
func reversePayment(w *World, a Args) Answer {
	provider, charge := a.text("p_provider"), a.text("p_charge_id")
	if currencies[provider] == "" || provider == "manual" {
		refuse("PY001")
	}
	m := w.charge(provider, charge)
	if m == nil {
		m = &Payment{provider: provider, charge: charge, Outcome: "suspense"}
		w.Payments = append(w.Payments, m)
	}
	answer := Answer{"payment_id": m.Ref(), "outcome": "reversed", "is_replay": m.Outcome == "reversed"}
	if m.Outcome != "reversed" {
		m.debt = w.reverse(m)
		m.Outcome = "reversed"
	}
	answer["debt_kopecks"] = m.debt
	return answer
}

func (w *World) reverse(m *Payment) (debt int) {
	if m.Outcome == "suspense" {
		return 0 // nobody has got anything for it
	}
	u := w.Users[m.Owner]
	if p := m.purchase; p != nil && p.Kind == "subscription" {
		if p.Status == "paid" {
			w.takeBack(u, p)
		} else { // refunded since: the money is on the balance, or was
			debt += w.take(u, max(m.revenue, p.refunded))
		}
	}
	return debt + w.take(u, m.Credited)
}

// resolveSuspense gives money in suspense to the user whose it is, once.
func resolveSuspense(w *World, a Args) Answer {
	admin := w.admin(a)
	u := w.user(a)
	var m *Payment
	for _, p := range w.Payments {
		if p.Ref() == a["p_payment_id"] {
			m = p
		}
	}
	if m == nil {
		refuse("PY002")
	}
	amount := a.int("p_amount_kopecks")
	if amount == 0 && m.currency == "RUB" {
		amount = m.amount
	}
	answer := Answer{"payment_id": m.Ref(), "outcome": "credited", "is_replay": false}
	switch {
	case m.resolvedBy == admin && m.Owner == u.ID && m.Credited == amount:
		return replay(answer)
	case m.Outcome != "suspense":
		refuse("PY002")
	case amount == 0, m.currency == "RUB" && amount > m.amount:
		refuse("22023")
	}
	m.Outcome, m.Owner, m.Credited, m.resolvedBy = "credited", u.ID, amount, admin
	w.move(u, amount, 0, 0)
	return answer
}

// approveManual: an admin saw the money come; once per purchase.
func approveManual(w *World, a Args) Answer {
	admin := w.admin(a)
	p := w.Purchase(a.ref("p_purchase_id"))
	if p == nil {
		refuse("PU001")
	}
	earlier := w.charge("manual", p.Name)
	if earlier != nil && earlier.approvedBy != admin {
		refuse("PU003")
	}
	answer := w.settle("manual", p.Name, p.Ref(), 0, a.int("p_amount_kopecks"), "RUB")
	w.charge("manual", p.Name).approvedBy = admin
	return answer
}
