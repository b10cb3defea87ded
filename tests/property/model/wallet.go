package model

import (
	"slices"
	"time"
)

func init() {
	rules["wallet.credit"] = func(w *World, a Args) Answer { return w.adjust(a, "credit", 1) }
	rules["wallet.debit"] = func(w *World, a Args) Answer { return w.adjust(a, "debit", -1) }
	rules["wallet.balance"] = balance
	rules["wallet.balance_at"] = balanceAt
}

// adjust: an admin adds money to a balance or takes it; nobody goes below zero.
func (w *World) adjust(a Args, function string, sign int) Answer {
	w.admin(a)
	u := w.user(a)
	return w.once(u.ID, function, a, "", func() Answer {
		amount := a.int("p_amount_kopecks")
		if sign < 0 && u.Available < amount {
			refuse("WA001")
		}
		w.move(u, sign*amount, 0, 0)
		return Answer{"available_kopecks": u.Available, "held_kopecks": u.Held}
	})
}

// move is one movement of a user's money. Money that comes lets a declined renewal be tried again.
func (w *World) move(u *User, available, held, debt int) {
	if u.Available+available < 0 || u.Held+held < 0 || u.Debt+debt < 0 {
		panic("the model would go below zero")
	}
	u.Available += available
	u.Held += held
	u.Debt += debt
	u.history = append(u.history, moment{w.Now, u.Available, u.Held})
	if available > 0 && u.Subscription != nil {
		u.Subscription.isDeclined = false
	}
}

// take takes back what should not have been given: what is there, and the rest becomes debt. It gives the new debt.
func (w *World) take(u *User, amount int) int {
	taken := min(amount, u.Available)
	if amount > 0 {
		w.move(u, -taken, 0, amount-taken)
	}
	return amount - taken
}

func balance(w *World, a Args) Answer {
	u := w.user(a)
	return Answer{"available_kopecks": u.Available, "held_kopecks": u.Held, "debt_kopecks": u.Debt}
}

// balanceAt: the balances as they were at a moment, the movements of that very moment included.
func balanceAt(w *World, a Args) Answer {
	u := w.user(a)
	at, _ := a["p_at"].(time.Time)
	for _, m := range slices.Backward(u.history) {
		if !m.at.After(at) {
			return Answer{"available_kopecks": m.available, "held_kopecks": m.held}
		}
	}
	return Answer{"available_kopecks": 0, "held_kopecks": 0}
}
