package property_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"atlas-secure/tests/property/model"
)

// deck is what a sequence is drawn from: a command as often as it weighs.
var deck []func(*run)

// toss gives a fair number below 2 to the power of coins: rapid's own numbers are small ones for the most part.
func toss(t *rapid.T, coins int) int {
	return rapid.Custom(func(t *rapid.T) int {
		n := 0
		for _, isHead := range rapid.SliceOfN(rapid.Bool(), coins, coins).Draw(t, "coins") {
			n *= 2
			if isHead {
				n++
			}
		}
		return n
	}).Draw(t, "toss")
}

// rarely is true once in sixteen times.
func (r *run) rarely() bool { return toss(r.rapid, 4) == 15 }

// deal puts a command into the deck.
func deal(weight int, command func(r *run)) {
	for range weight {
		deck = append(deck, command)
	}
}

// ask puts a call into the deck.
func ask(weight int, function string, args func(r *run) model.Args) {
	deal(weight, func(r *run) {
		if given := args(r); given != nil {
			r.do(call{function: function, args: given})
		}
	})
}

func init() {
	deal(6, wait)
	deal(4, again)
	deal(2, altered)
}

// wait lets time pass: some time, or until the very moment at which something becomes due, or just before it.
func wait(r *run) {
	jump := rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Minute, 30 * time.Minute, 6 * time.Hour, 24 * time.Hour,
		72 * time.Hour, 20 * 24 * time.Hour, 0, 0, 0, -step, -step}).Draw(r.rapid, "wait")
	until := r.world.Now.Add(jump)
	if jump <= 0 {
		moments := r.world.Moments()
		if len(moments) == 0 {
			return
		}
		slices.SortFunc(moments, time.Time.Compare)
		until = moments[r.pick("moment", min(len(moments), 4))].Add(jump - step) // the next command's step is still to come
	}
	r.do(call{until: until})
}

// again repeats an earlier call: a replay, or what the state makes of it.
func again(r *run) {
	if len(r.done) > 0 {
		r.do(r.earlier())
	}
}

// altered repeats an earlier call with one argument changed.
func altered(r *run) {
	if len(r.done) == 0 {
		return
	}
	c := r.earlier()
	if c.args["p_idempotency_key"] == nil {
		return
	}
	names := []string{}
	for _, name := range slices.Sorted(maps.Keys(c.args)) {
		if changed(name, c.args[name]) != nil {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	args := maps.Clone(c.args)
	name := rapid.SampledFrom(names).Draw(r.rapid, "altered")
	args[name] = changed(name, args[name])
	r.do(call{function: c.function, args: args})
}

// changed is another valid value for an argument; nil for one that stays.
func changed(name string, value any) any {
	n, isNumber := value.(int)
	switch name {
	case "p_amount_kopecks":
		return n + 1
	case "p_admin_id":
		if !isNumber {
			return nil
		}
		return boss + vice - n
	case "p_note", "p_reason":
		return "other words"
	case "p_tariff":
		return map[any]any{"basic": "plus", "plus": "basic"}[value]
	case "p_months":
		return map[any]any{1: 3, 3: 1, 6: 12, 12: 6}[value]
	default:
		return nil
	}
}

// earlier is a call that had an answer, more often a late one.
func (r *run) earlier() call { return r.done[len(r.done)-1-r.pick("back", min(len(r.done), 12))] }

// pick draws a number below n.
func (r *run) pick(label string, n int) int { return rapid.IntRange(0, n-1).Draw(r.rapid, label) }

// customer draws somebody; one in many is nobody.
func (r *run) customer() int {
	if r.rarely() {
		return 999
	}
	return rapid.SampledFrom([]int{anna, bert, carl, dora}).Draw(r.rapid, "user")
}

// subscriber draws somebody who has a subscription, if there is one; now and then anybody.
func (r *run) subscriber() int {
	list := []int{}
	for _, id := range []int{anna, bert, carl, dora} {
		if r.world.Users[id].Subscription != nil {
			list = append(list, id)
		}
	}
	if len(list) == 0 || r.rarely() {
		return r.customer()
	}
	return list[r.pick("subscriber", len(list))]
}

// admin draws who acts; one in many is no admin.
func (r *run) admin() int {
	if r.rarely() {
		return anna
	}
	return rapid.SampledFrom([]int{boss, vice}).Draw(r.rapid, "admin")
}

// key draws a key that nobody has used, so that what is drawn is new; repeats are commands of their own.
func (r *run) key() string { return fmt.Sprintf("key %d", len(r.calls)) }

// amount draws kopecks that collide with prices and with each other.
func (r *run) amount() int {
	return rapid.SampledFrom([]int{100000, 5000000, 29900, 14900, 50000, 10430, 1, 300000}).Draw(r.rapid, "amount")
}

// purchase draws one of some, more often a late one, with its owner or, now and then, somebody else; where there is
// none, rarely the id of nothing.
func (r *run) purchase(isOne func(*model.Purchase) bool) (int, model.Ref, bool) {
	list := []*model.Purchase{}
	anything := r.rarely()
	for _, p := range r.world.Purchases {
		if anything || isOne(p) {
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		return anna, model.Ref{Kind: "purchase"}, anything
	}
	p := list[len(list)-1-r.pick("back", min(len(list), 8))]
	owner := p.Owner
	if r.rarely() {
		owner = r.customer()
	}
	return owner, p.Ref(), true
}

func isAny(*model.Purchase) bool { return true }

func isOpen(p *model.Purchase) bool { return p.Status == "open" }

func isPaid(p *model.Purchase) bool { return p.Status == "paid" && p.Kind == "subscription" }

func mine(r *run) model.Args {
	owner, ref, isThere := r.purchase(isOpen)
	if !isThere {
		return nil
	}
	return model.Args{"p_telegram_id": owner, "p_purchase_id": ref}
}
