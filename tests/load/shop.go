package load

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"atlas-secure/tests/history"
)

// Admins of the shop.
var admins = []int64{11, 12, 13}

// customer is a user and what is known about what belongs to him.
type customer struct {
	id int64

	mu          sync.Mutex
	open        []purchase // may have been paid, cancelled or expired since
	paid        []purchase
	charges     []charge
	withdrawals []withdrawal
}

type purchase struct {
	id    string
	price int
}

type charge struct {
	provider, id string
	minor        int
	currency     string
}

type withdrawal struct{ id, amount int }

// most is how many things of a kind are remembered of a customer.
const most = 20

// keep remembers a thing and forgets an old one.
func keep[T any](c *customer, list *[]T, thing T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(*list) == most {
		*list = slices.Delete(*list, 0, 1)
	}
	*list = append(*list, thing)
}

// pick gives one of the things; false if there is none.
func pick[T any](random *rand.Rand, c *customer, list *[]T) (T, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var none T
	if len(*list) == 0 {
		return none, false
	}
	return (*list)[random.IntN(len(*list))], true
}

// last gives the latest of the things; false if there is none.
func last[T any](c *customer, list *[]T) (T, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var none T
	if len(*list) == 0 {
		return none, false
	}
	return (*list)[len(*list)-1], true
}

// Prepare is Open without a test.
func Prepare(ctx context.Context, options Options) (*Crowd, error) {
	options.defaults()
	through := options.First + int64(options.Users) - 1
	c := &Crowd{options: options, history: history.New(options.First, through, options.Seed)}
	for _, visit := range slices.Sorted(maps.Keys(options.Weights)) {
		if visits[visit] == nil {
			return nil, fmt.Errorf("there is no visit %q", visit)
		}
		for range options.Weights[visit] {
			c.visits = append(c.visits, visit)
		}
	}
	if err := c.furnish(ctx); err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	return c, nil
}

// furnish makes admins, settings, codes and users.
func (c *Crowd) furnish(ctx context.Context) error {
	o := c.options
	ask := func(function string, args history.Args) (map[string]any, error) {
		rows, err := history.Call(ctx, o.DBA, function, args)
		if err != nil || len(rows) == 0 {
			return nil, fmt.Errorf("%s: %d rows: %w", function, len(rows), err)
		}
		return rows[0], nil
	}
	for _, id := range admins {
		if _, err := ask("account.register", register(id, nil)); err != nil {
			return err
		}
		if _, err := ask("account.grant_admin", history.Args{"p_telegram_id": id, "p_note": "of the load"}); err != nil {
			return err
		}
	}
	for name, value := range map[string]int{
		"withdrawals_per_day": 1000, "purchase_lifetime_seconds": o.LifetimeSeconds, "withdrawal_draft_seconds": 60,
		"renewal_window_seconds": 604_800,
	} {
		if _, err := ask("ops.set_setting", history.Args{"p_name": name, "p_value": value}); err != nil {
			return err
		}
	}
	for i, code := range []struct{ percent, uses, perUser any }{{10, nil, 1000}, {25, 40, 2}, {50, 7, 1}, {100, 12, 1}} {
		text := strings.ToUpper(fmt.Sprintf("LOAD%dX%d", o.First, i))
		_, err := ask("promo.issue", history.Args{"p_admin_id": admins[0], "p_code": text, "p_discount_percent": code.percent,
			"p_max_uses": code.uses, "p_per_user_limit": code.perUser, "p_expires_at": nil, "p_idempotency_key": text})
		if err != nil {
			return err
		}
		c.codes = append(c.codes, text)
	}
	var referrer any
	for i := range o.Users {
		who := &customer{id: o.First + int64(i)}
		c.users = append(c.users, who)
		if _, err := ask("account.register", register(who.id, referrer)); err != nil {
			return err
		}
		// Every third invites the two after it.
		if i%3 == 0 {
			stats, err := ask("referral.stats", history.Args{"p_telegram_id": who.id})
			if err != nil {
				return err
			}
			referrer = fmt.Sprint("ref_", stats["code"])
		}
		c.client(-1).credit(ctx, o.DBA, who, o.Kopecks, fmt.Sprint("begin-", who.id))
	}
	if slices.Contains(c.visits, "trial") { // later a few people among many buyers might never get one
		who, key := c.users[0], "begin-trial"
		c.client(-1).callOn(ctx, o.DBA, who, "subscription.start_trial", key, 0,
			history.Args{"p_telegram_id": who.id, "p_idempotency_key": key})
	}
	return nil
}

func register(id int64, payload any) history.Args {
	return history.Args{"p_telegram_id": id, "p_username": nil, "p_language": "en", "p_start_payload": payload}
}

// credit gives money by an admin's hand.
func (c *client) credit(ctx context.Context, conn history.Conn, who *customer, kopecks int, key string) {
	c.callOn(ctx, conn, who, "wallet.credit", key, kopecks, history.Args{"p_telegram_id": who.id,
		"p_amount_kopecks": kopecks, "p_admin_id": admins[0], "p_note": "load", "p_idempotency_key": key})
}
