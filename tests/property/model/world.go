// Package model is the business in plain Go, written from its rules and not from the SQL: what each function of the
// contract answers or refuses, and what is then in the books. Slow, single-threaded, and short enough to be read
// against the rules; the property test compares the database with it, call by call.
package model

import (
	"fmt"
	"maps"
	"time"
)

// Args are a call's arguments by parameter name.
type Args map[string]any

// Answer is what a call must give, by column. A column that the model cannot know is a Ref or left out.
type Answer map[string]any

// Ref stands for an id that the database chooses: bound when it is first seen, the same ever after.
//
// Its name comes from the call that makes it, so that it means the same when other calls are left out.
type Ref struct {
	Kind, Name string
}

func (r Ref) String() string { return r.Kind + " " + r.Name }

// refusal is how a rule ends a call; it changes nothing before it.
type refusal string

func refuse(sqlstate string) { panic(refusal(sqlstate)) }

// World is everything that the rules speak of.
type World struct {
	Now         time.Time
	Users       map[int]*User
	Admins      map[int]bool
	Codes       []*Code
	Purchases   []*Purchase
	Payments    []*Payment
	Withdrawals []*Withdrawal
	Drafts      []*Draft
	tasks       []*task
	keys        map[string]first
	identities  int
}

// User is a customer with wallet and subscription.
type User struct {
	ID, Referrer          int
	IsBlocked, IsVIP      bool
	DiscountPercent       int
	DiscountEnds          *time.Time
	Available, Held, Debt int
	Subscription          *Subscription
	chain                 []*link
	hasHadTrial           bool
	paying                map[int]bool
	charged               map[time.Time]bool // ends that were renewed
	Earned                int
	history               []moment
	withdrawalsAt         []time.Time
}

type moment struct {
	at              time.Time
	available, held int
}

type first struct {
	args   Args
	answer Answer
}

// New is a world with users and nothing else. referrers says who invited whom.
func New(now time.Time, admins, users []int, referrers map[int]int) *World {
	w := &World{Now: now, Users: map[int]*User{}, Admins: map[int]bool{}, keys: map[string]first{}}
	for _, id := range admins {
		w.Admins[id] = true
	}
	for _, id := range append(append([]int{}, admins...), users...) {
		w.Users[id] = &User{ID: id, Referrer: referrers[id], paying: map[int]bool{}, charged: map[time.Time]bool{}}
	}
	return w
}

// rules are the functions that the model knows.
var rules = map[string]func(*World, Args) Answer{}

// Knows tells whether the model has rules for a function.
func Knows(function string) bool { return rules[function] != nil }

// Functions are the names of all that the model has rules for.
func Functions() []string {
	names := []string{}
	for name := range rules {
		names = append(names, name)
	}
	return names
}

// Call gives a call's answer, or the SQLSTATE it is refused with.
func (w *World) Call(function string, args Args) (answer Answer, sqlstate string) {
	rule := rules[function]
	if rule == nil {
		panic("no rule for " + function)
	}
	defer func() {
		if r := recover(); r != nil {
			code, isRefusal := r.(refusal)
			if !isRefusal {
				panic(r)
			}
			answer, sqlstate = nil, string(code)
		}
	}()
	return rule(w, args), ""
}

// user is the user that a call is about, and must be there.
func (w *World) user(args Args) *User {
	u := w.Users[args.int("p_telegram_id")]
	if u == nil {
		refuse("US001")
	}
	return u
}

// admin checks who acts; always before the user.
func (w *World) admin(args Args) int {
	id := args.int("p_admin_id")
	if !w.Admins[id] {
		refuse("US003")
	}
	return id
}

// once keeps a key's promise: the same arguments give the first answer again, others are refused.
func (w *World) once(scope int, function string, args Args, ignored string, do func() Answer) Answer {
	key := fmt.Sprint(function, " ", scope, " ", args["p_idempotency_key"])
	if earlier, isRepeat := w.keys[key]; isRepeat {
		for name, value := range args {
			if name != ignored && fmt.Sprint(earlier.args[name]) != fmt.Sprint(value) {
				refuse("ID001")
			}
		}
		return replay(earlier.answer)
	}
	answer := do()
	answer["is_replay"] = false
	w.keys[key] = first{args: maps.Clone(args), answer: maps.Clone(answer)}
	return answer
}

func replay(answer Answer) Answer {
	again := maps.Clone(answer)
	again["is_replay"] = true
	return again
}

func (a Args) int(name string) int {
	value, _ := a[name].(int)
	return value
}

func (a Args) text(name string) string {
	value, _ := a[name].(string)
	return value
}

func (a Args) ref(name string) Ref {
	value, isRef := a[name].(Ref)
	if !isRef {
		return Ref{}
	}
	return value
}

// State is everything that can be compared at rest: one line per wallet, subscription, purchase and so on.
func (w *World) State() map[string]string {
	lines := map[string]string{}
	for id, u := range w.Users {
		lines[fmt.Sprint("wallet ", id)] = fmt.Sprint(u.Available, " ", u.Held, " ", u.Debt)
		if s := u.Subscription; s != nil {
			lines[fmt.Sprint("subscription ", id)] = fmt.Sprint(s.Tariff, " ", s.Period, " ", Stamp(s.Ends), " ", s.AutoRenew)
		}
	}
	for _, p := range w.Purchases {
		lines[p.Ref().String()] = p.Status
	}
	for _, p := range w.Payments {
		lines[p.Ref().String()] = fmt.Sprint(p.Outcome, " ", p.Credited)
	}
	for _, d := range w.Withdrawals {
		lines[d.Ref().String()] = d.Status
	}
	for _, c := range w.Codes {
		lines["code "+c.Name] = fmt.Sprint(len(c.Uses))
	}
	return lines
}

// Stamp is a moment as text, to the microsecond.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000") }

// Moments are the times at which something becomes due, to stop the clock at.
func (w *World) Moments() []time.Time {
	list := []time.Time{}
	add := func(t time.Time) {
		if t.After(w.Now) {
			list = append(list, t)
		}
	}
	for _, p := range w.Purchases {
		if p.Status == "open" {
			add(p.Expires)
		}
	}
	for _, u := range w.Users {
		if s := u.Subscription; s != nil {
			add(s.Ends.Add(-renewalWindow))
			add(s.Ends)
		}
		if u.DiscountEnds != nil {
			add(*u.DiscountEnds)
		}
		for _, at := range u.withdrawalsAt {
			add(at.Add(day))
		}
	}
	for _, c := range w.Codes {
		if c.Ends != nil {
			add(*c.Ends)
		}
	}
	return list
}

const day = 24 * time.Hour
