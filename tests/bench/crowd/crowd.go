// Package crowd fills a database with users whose books are right, and with purchases that wait to be paid. Rows are
// inserted by sets, as the superuser: only what is measured goes through the functions.
package crowd

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
)

//go:embed users.sql
var users string

//go:embed purchases.sql
var purchases string

// Admin is the one admin; the users' ids begin at FirstUser.
const (
	Admin     = 1
	FirstUser = 1_000_000
)

// Executor runs statements, one after another.
type Executor interface {
	Exec(ctx context.Context, statements ...string) error
}

// Fill makes the admin and so many users. Each has money for ten million purchases and a paid subscription that ends
// in {ends} (an interval); every second one was referred by the one before. With isRenewing they have automatic renewal on,
// and are due for it now if their end is near enough.
func Fill(ctx context.Context, db Executor, count int, ends string, isRenewing bool) error {
	named := strings.NewReplacer("{admin}", fmt.Sprint(Admin), "{first}", fmt.Sprint(FirstUser),
		"{last}", fmt.Sprint(FirstUser+count-1), "{ends}", ends, "{renews}", fmt.Sprint(isRenewing))
	if err := db.Exec(ctx, strings.Split(named.Replace(users), ";\n\n")...); err != nil {
		return fmt.Errorf("fill with users: %w", err)
	}
	return nil
}

// Open opens the purchases of the numbers, from one up to another without it: the purchase's id is the number in
// 32 digits, the buyer's FirstUser + number modulo the users. They do not expire for a day.
func Open(ctx context.Context, db Executor, from, to, users int) error {
	named := strings.NewReplacer("{from}", fmt.Sprint(from), "{to}", fmt.Sprint(to-1), "{first}", fmt.Sprint(FirstUser),
		"{users}", fmt.Sprint(users))
	// Autovacuum would have analyzed, and without it the planner believes that each user has one purchase.
	if err := db.Exec(ctx, named.Replace(purchases), "analyze billing.purchase"); err != nil {
		return fmt.Errorf("open purchases: %w", err)
	}
	return nil
}
