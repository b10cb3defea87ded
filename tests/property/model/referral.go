package model

import "slices"

func init() {
	rules["referral.pay_due"] = payDue
	rules["referral.stats"] = stats
}

// Levels of cashback, as the test sets them: few referrals are enough.
var levels = []struct {
	name          string
	from, percent int
}{{"silver", 0, 10}, {"gold", 2, 25}, {"platinum", 3, 45}}

// task is cashback to be worked in the referrer's turn: reward or clawback.
type task struct {
	kind     string
	referrer int
	purchase *Purchase
	isDone   bool
}

// payDue works off what was promised: a reward that is taken back before it was paid is void together with its
// claw-back; debt is repaid before anything is paid.
func payDue(w *World, _ Args) Answer {
	paid, kopecks := 0, 0
	for _, t := range w.tasks {
		for _, c := range w.tasks {
			if t.kind == "reward" && c.kind == "clawback" && t.purchase == c.purchase && !t.isDone && !c.isDone {
				t.isDone, c.isDone = true, true
			}
		}
	}
	for _, t := range w.tasks {
		u := w.Users[t.referrer]
		switch {
		case t.isDone:
		case t.kind == "clawback":
			w.take(u, t.purchase.cashback)
			u.Earned -= t.purchase.cashback
			t.purchase.cashback = 0
		default:
			u.paying[t.purchase.Owner] = true
			_, percent := u.level()
			reward := t.purchase.Price * percent / 100
			t.purchase.cashback = reward
			repaid := min(u.Debt, reward)
			if repaid > 0 {
				w.move(u, 0, 0, -repaid)
			}
			if reward > repaid {
				w.move(u, reward-repaid, 0, 0)
			}
			u.Earned += reward
			kopecks += reward
			if reward > 0 {
				paid++
			}
		}
		t.isDone = true
	}
	w.tasks = slices.DeleteFunc(w.tasks, func(t *task) bool { return t.isDone })
	return Answer{"paid": paid, "paid_kopecks": kopecks}
}

func (u *User) level() (name string, percent int) {
	for _, l := range levels {
		if len(u.paying) >= l.from {
			name, percent = l.name, l.percent
		}
	}
	return name, percent
}

func stats(w *World, a Args) Answer {
	u := w.user(a)
	invited := 0
	for _, other := range w.Users {
		if other.Referrer == u.ID {
			invited++
		}
	}
	level, percent := u.level()
	return Answer{"invited": invited, "paying": len(u.paying), "level": level, "percent": percent, "earned_kopecks": u.Earned}
}
