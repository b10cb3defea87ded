package model

import (
	"fmt"
	"slices"
	"time"
)

func init() {
	rules["subscription.current"] = current
	rules["subscription.start_trial"] = startTrial
	rules["subscription.grant_time"] = grantTime
	rules["subscription.revoke"] = revoke
	rules["subscription.set_auto_renew"] = setAutoRenew
	rules["subscription.renew_due"] = renewDue
	rules["subscription.expire_due"] = expireDue
	rules["vpn.reissue"] = reissue
}

const (
	renewalWindow = 6 * time.Hour
	trial         = 3 * day
)

// Subscription is a user's one subscription. Never changed in place but for its switches: a change makes a new one.
type Subscription struct {
	Tariff, Period string // paid, trial, grant
	Ends           time.Time
	AutoRenew      bool
	identity       int
	isDeclined     bool // and no money came since
	isOver         bool // its end was worked
}

// link is one change of a subscription; purchase is nil where nothing was bought.
type link struct {
	before, after *Subscription
	purchase      *Purchase
	at            time.Time
	isUndoing     bool // a refund, a reversal, a new key: nothing that could be restored
	isErased      bool // by a restored state
}

// follows tells whether something was in force before it.
func (l *link) follows() bool { return l.before.isActive(l.at) }

func (s *Subscription) isActive(now time.Time) bool { return s != nil && s.Ends.After(now) }

// startAfter is where bought time begins: now, or the end in force; a trial is replaced, and another tariff converts
// what remains when it ranks higher.
func (u *User) startAfter(now time.Time, tariff string) time.Time {
	s := u.Subscription
	switch {
	case !s.isActive(now) || s.Period == "trial":
		return now
	case s.Tariff == tariff:
		return s.Ends
	default:
		return now.Add(convert(s.Ends.Sub(now), s.Tariff, tariff))
	}
}

// convert: moving up, by the one-month prices, rounded down to a second; moving down it stays.
func convert(remaining time.Duration, from, to string) time.Duration {
	if slices.Index(tariffs, to) <= slices.Index(tariffs, from) {
		return remaining
	}
	seconds := remaining.Microseconds() * int64(list[from][1]) / int64(list[to][1]) / 1_000_000
	return time.Duration(seconds) * time.Second
}

// changed puts a subscription into a new state, null for none. The identity stays as long as it is in force.
func (u *User) changed(w *World, p *Purchase, after *Subscription) {
	before := u.Subscription
	if after != nil {
		switch {
		case before.isActive(w.Now) || before != nil && !after.isActive(w.Now):
			after.identity = before.identity
		default:
			w.identities++
			after.identity = w.identities
		}
		after.isOver = !after.isActive(w.Now)
		after.AutoRenew = after.AutoRenew && after.isActive(w.Now)
	}
	u.chain = append(u.chain, &link{before: before, after: after, purchase: p, at: w.Now})
	u.Subscription = after
}

func current(w *World, a Args) Answer {
	u := w.user(a)
	s := u.Subscription
	if s == nil {
		return Answer{"status": "none", "tariff": nil, "expires_at": nil, "auto_renew": false, "vpn_uuid": nil}
	}
	status := "active"
	switch {
	case !s.isActive(w.Now):
		status = "expired"
	case s.Period == "trial":
		status = "trial"
	}
	return Answer{"status": status, "tariff": s.Tariff, "expires_at": s.Ends, "auto_renew": s.AutoRenew,
		"vpn_uuid": Ref{"vpn", fmt.Sprint(s.identity)}}
}

// startTrial: once per user ever, and only while nothing is in force.
func startTrial(w *World, a Args) Answer {
	u := w.user(a)
	return w.once(u.ID, "start_trial", a, "", func() Answer {
		switch {
		case u.IsBlocked:
			refuse("US002")
		case u.hasHadTrial:
			refuse("SU002")
		case u.Subscription.isActive(w.Now):
			refuse("SU003")
		}
		u.hasHadTrial = true
		u.changed(w, nil, &Subscription{Tariff: "basic", Period: "trial", Ends: w.Now.Add(trial), AutoRenew: u.renews()})
		return Answer{"expires_at": w.Now.Add(trial)}
	})
}

func (u *User) renews() bool { return u.Subscription != nil && u.Subscription.AutoRenew }

// grantTime adds to what is in force, a trial too; bought time stays bought.
func grantTime(w *World, a Args) Answer {
	w.admin(a)
	u := w.user(a)
	return w.once(u.ID, "grant_time", a, "", func() Answer {
		tariff, s := a.text("p_tariff"), u.Subscription
		duration, err := time.ParseDuration(a.text("p_duration"))
		if err != nil {
			panic(err)
		}
		starts, period := w.Now, "grant"
		if s.isActive(w.Now) {
			starts = w.Now.Add(convert(s.Ends.Sub(w.Now), s.Tariff, tariff))
			if s.Period == "paid" {
				period = "paid"
			}
		}
		u.changed(w, nil, &Subscription{Tariff: tariff, Period: period, Ends: starts.Add(duration), AutoRenew: u.renews()})
		return Answer{"expires_at": starts.Add(duration)}
	})
}

func revoke(w *World, a Args) Answer {
	w.admin(a)
	u := w.user(a)
	return w.once(u.ID, "revoke", a, "", func() Answer {
		s := u.Subscription
		if !s.isActive(w.Now) {
			refuse("SU001")
		}
		u.changed(w, nil, &Subscription{Tariff: s.Tariff, Period: s.Period, Ends: w.Now})
		return Answer{"expires_at": w.Now}
	})
}

func setAutoRenew(w *World, a Args) Answer {
	u := w.user(a)
	s := u.Subscription
	if s == nil {
		refuse("SU001")
	}
	isOn := a["p_is_on"] == true
	if s.AutoRenew != isOn {
		s.AutoRenew, s.isDeclined = isOn, false
	}
	return Answer{"auto_renew": isOn}
}

// renewDue: shortly before the end, the plan of the last purchase, from the balance; once per period, and after a
// refusal only when money has come.
func renewDue(w *World, _ Args) Answer {
	renewed, declined := 0, 0
	for _, u := range w.Users {
		s, plan := u.Subscription, u.plan()
		if s == nil || !s.AutoRenew || !s.isActive(w.Now) || s.Ends.Add(-renewalWindow).After(w.Now) ||
			u.IsBlocked || plan == nil || u.charged[s.Ends] || s.isDeclined {
			continue
		}
		_, _, price, _ := u.price(w.Now, plan.Tariff, plan.Months, nil)
		if u.Available < price {
			s.isDeclined = true
			declined++
			continue
		}
		p := &Purchase{Name: fmt.Sprint(u.ID, " renewal ", len(u.charged)+1), Owner: u.ID, Kind: "subscription",
			Tariff: plan.Tariff, Months: plan.Months, Price: price, invoices: map[string]*invoice{}}
		w.Purchases = append(w.Purchases, p)
		u.charged[s.Ends] = true
		if price > 0 {
			w.move(u, -price, 0, 0)
		}
		w.fulfil(u, p, "balance")
		p.answer = Answer{"purchase_id": p.Ref(), "status": "paid", "available_kopecks": u.Available,
			"subscription_expires_at": p.ends, "is_replay": false}
		renewed++
	}
	return Answer{"renewed": renewed, "declined": declined}
}

// plan is the last subscription purchase that still counts.
func (u *User) plan() *Purchase {
	for _, l := range slices.Backward(u.chain) {
		if l.purchase != nil && l.purchase.Status == "paid" {
			return l.purchase
		}
	}
	return nil
}

func expireDue(w *World, _ Args) Answer {
	expired := 0
	for _, u := range w.Users {
		if s := u.Subscription; s != nil && !s.isActive(w.Now) && !s.isOver {
			s.isOver = true
			expired++
		}
	}
	return Answer{"expired": expired}
}

// reissue gives a new key; the end is kept.
func reissue(w *World, a Args) Answer {
	if a["p_admin_id"] != nil {
		w.admin(a)
	}
	u := w.user(a)
	return w.once(u.ID, "reissue", a, "", func() Answer {
		switch {
		case u.IsBlocked && a["p_admin_id"] == nil:
			refuse("US002")
		case !u.Subscription.isActive(w.Now):
			refuse("SU001")
		}
		w.identities++
		again := *u.Subscription
		again.identity = w.identities
		u.chain = append(u.chain, &link{before: u.Subscription, after: &again, at: w.Now, isUndoing: true})
		u.Subscription = &again
		return Answer{"vpn_uuid": Ref{"vpn", fmt.Sprint(again.identity)}}
	})
}
