package model

import (
	"fmt"
	"time"
)

func init() {
	rules["withdrawal.request"] = request
	rules["withdrawal.draft"] = draft
	rules["withdrawal.submit"] = submit
	rules["withdrawal.approve"] = approve
	rules["withdrawal.reject"] = reject
	rules["withdrawal.cancel"] = cancel
}

const (
	withdrawalMinimum = 50000
	withdrawalsPerDay = 3
	fourEyes          = 5000000
	draftLife         = 15 * time.Minute
)

// Withdrawal is money that a user takes out; held from the request to the end.
type Withdrawal struct {
	Name          string
	Owner, Amount int
	Status        string // pending, approved, rejected, cancelled
	approvals     map[int]Answer
	endedBy       int
}

// Ref is the withdrawal's id.
func (d *Withdrawal) Ref() Ref { return Ref{"withdrawal", d.Name} }

// Draft is a withdrawal that waits for its last confirmation.
type Draft struct {
	Name          string
	Owner, amount int
	ends          time.Time
	answer        Answer
}

// Ref is the draft's id.
func (d *Draft) Ref() Ref { return Ref{"draft", d.Name} }

// mayWithdraw: not blocked, not too little, none pending, not too many in a day, no debt, and money enough.
func (w *World) mayWithdraw(u *User, amount int) {
	recent := 0
	for _, at := range u.withdrawalsAt {
		if at.After(w.Now.Add(-day)) {
			recent++
		}
	}
	isPending := false
	for _, d := range w.Withdrawals {
		isPending = isPending || d.Owner == u.ID && d.Status == "pending"
	}
	switch {
	case u.IsBlocked:
		refuse("US002")
	case amount < withdrawalMinimum:
		refuse("WD003")
	case isPending || recent >= withdrawalsPerDay:
		refuse("WD004")
	case u.Debt > 0 || u.Available < amount:
		refuse("WA001")
	}
}

func (w *World) hold(u *User, name string, amount int) Answer {
	w.mayWithdraw(u, amount)
	d := &Withdrawal{Name: name, Owner: u.ID, Amount: amount, Status: "pending", approvals: map[int]Answer{}}
	w.Withdrawals = append(w.Withdrawals, d)
	u.withdrawalsAt = append(u.withdrawalsAt, w.Now)
	w.move(u, -amount, amount, 0)
	return Answer{"withdrawal_id": d.Ref(), "status": "pending", "available_kopecks": u.Available, "held_kopecks": u.Held,
		"is_replay": false}
}

func request(w *World, a Args) Answer {
	u := w.user(a)
	return w.once(u.ID, "request", a, "p_requisites", func() Answer {
		return w.hold(u, fmt.Sprint(u.ID, " ", a["p_idempotency_key"]), a.int("p_amount_kopecks"))
	})
}

func draft(w *World, a Args) Answer {
	u := w.user(a)
	return w.once(u.ID, "draft", a, "p_requisites", func() Answer {
		w.mayWithdraw(u, a.int("p_amount_kopecks"))
		d := &Draft{Name: fmt.Sprint(u.ID, " draft ", a["p_idempotency_key"]), Owner: u.ID, amount: a.int("p_amount_kopecks"),
			ends: w.Now.Add(draftLife)}
		w.Drafts = append(w.Drafts, d)
		return Answer{"draft_id": d.Ref(), "expires_at": d.ends}
	})
}

func submit(w *World, a Args) Answer {
	u := w.user(a)
	for _, d := range w.Drafts {
		if d.Ref() != a["p_draft_id"] || d.Owner != u.ID {
			continue
		}
		switch {
		case d.answer != nil:
			return replay(d.answer)
		case !d.ends.After(w.Now):
			refuse("WD001")
		}
		d.answer = w.hold(u, d.Name, d.amount)
		return d.answer
	}
	refuse("WD001")
	return nil
}

func (w *World) withdrawal(a Args) *Withdrawal {
	for _, d := range w.Withdrawals {
		if d.Ref() == a["p_withdrawal_id"] {
			return d
		}
	}
	refuse("WD001")
	return nil
}

// approve: a large one needs two admins, and nobody approves their own.
func approve(w *World, a Args) Answer {
	admin := w.admin(a)
	d := w.withdrawal(a)
	switch {
	case d.Owner == admin:
		refuse("WD005")
	case d.approvals[admin] != nil:
		return replay(d.approvals[admin])
	case d.Status != "pending":
		refuse("WD002")
	}
	needed := 1
	if d.Amount >= fourEyes {
		needed = 2
	}
	answer := Answer{"withdrawal_id": d.Ref(), "status": "pending", "approvals": len(d.approvals) + 1, "is_replay": false}
	if len(d.approvals)+1 >= needed {
		answer["status"] = "approved"
		d.Status, d.endedBy = "approved", admin
		w.move(w.Users[d.Owner], 0, -d.Amount, 0)
	}
	d.approvals[admin] = answer
	return answer
}

func reject(w *World, a Args) Answer {
	admin := w.admin(a)
	return w.giveBack(w.withdrawal(a), "rejected", admin)
}

func cancel(w *World, a Args) Answer {
	u := w.user(a)
	d := w.withdrawal(a)
	if d.Owner != u.ID {
		refuse("WD001")
	}
	return w.giveBack(d, "cancelled", u.ID)
}

func (w *World) giveBack(d *Withdrawal, status string, by int) Answer {
	answer := Answer{"withdrawal_id": d.Ref(), "status": status, "is_replay": d.Status == status && d.endedBy == by}
	switch {
	case answer["is_replay"] == true:
		return answer
	case d.Status != "pending":
		refuse("WD002")
	}
	d.Status, d.endedBy = status, by
	w.move(w.Users[d.Owner], d.Amount, -d.Amount, 0)
	return answer
}
