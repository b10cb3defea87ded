package scale_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// crowd fills a database with users whose books are right: each has a wallet, ten ledger rows and a subscription that
// one of these rows paid for. Rows are inserted by sets, as the owner: this is no test of the functions.
type crowd struct {
	conn  *pgx.Conn
	users int
}

const (
	firstUser = 10_000_000
	chunk     = 20_000
)

// grow adds users up to a total. The first of them, so many of each kind, are due: to be renewed, to expire, with an
// open purchase that is over, with a cashback to be paid to somebody, to be reminded.
func (c *crowd) grow(ctx context.Context, total, due int) error {
	started := time.Now()
	from := c.users
	for c.users < total {
		next := min(c.users+chunk, total)
		for _, statement := range strings.Split(fill, ";\n\n") {
			named := strings.NewReplacer("{from}", fmt.Sprint(firstUser+c.users), "{to}", fmt.Sprint(firstUser+next-1),
				"{step}", fmt.Sprint(firstUser+from), "{due}", fmt.Sprint(due))
			if _, err := c.conn.Exec(ctx, named.Replace(statement)); err != nil {
				return fmt.Errorf("users %d to %d: %w\n%s", c.users, next, err, statement)
			}
		}
		c.users = next
		fmt.Fprintf(os.Stderr, "scale: %d of %d users after %s\n", c.users, total, time.Since(started).Round(time.Second))
	}
	if _, err := c.conn.Exec(ctx, "vacuum (analyze)"); err != nil {
		return fmt.Errorf("vacuum: %w", err)
	}
	return nil
}

// fill inserts the users {from} to {to} of a step that begins at {step}. kind 0 is due for renewal, 1 for expiry, 2
// has an overdue purchase, 3 owes a cashback, 4 is due for a reminder; the others are not due for anything.
const fill = `
drop table if exists pg_temp.crowd;

create temporary table crowd as
select p.*, p.expires_at - interval '1 month' as starts_at, md5('bought by ' || p.id)::uuid as purchase_id,
       md5('vpn of ' || p.id)::uuid as vpn_uuid
from (
  select g.id, (g.id - {step}) / {due} as kind,
         case (g.id - {step}) / {due}
           when 0 then core.now() + interval '4 hours'
           when 1 then core.now() - interval '1 minute'
           when 4 then core.now() + interval '1 day' - interval '1 minute'
           else core.now() + make_interval(days => 5 + (g.id % 20)::int, secs => (g.id % 86400)::int) end as expires_at,
         nextval('outbox.task_id') as task_id
  from generate_series({from}::bigint, {to}) g (id)) p;

insert into account.account (telegram_id, username, language, referral_code, referrer_id, registered_at)
select c.id, 'user_' || c.id, 'ru', substr(md5('code of ' || c.id), 1, 16),
       case c.kind when 3 then c.id - {due} end, core.now() - interval '100 days' + make_interval(secs => c.id / 1e6)
from crowd c;

insert into wallet.wallet (telegram_id, available_kopecks, version) select c.id, 9 * 20000 - 14900, 10 from crowd c;

insert into ledger.transfer (
  telegram_id, version, debit_account, credit_account, reason, amount_kopecks, available_kopecks, held_kopecks,
  debt_kopecks, created_at, note)
select c.id, v.version, 'adjustment', 'available', 'admin_credit', 20000, v.version * 20000, 0, 0,
       c.starts_at - make_interval(hours => (10 - v.version)::int), 'crowd'
from crowd c cross join generate_series(1, 9) v (version);

insert into ledger.transfer (
  telegram_id, version, debit_account, credit_account, reason, amount_kopecks, available_kopecks, held_kopecks,
  debt_kopecks, created_at, purchase_id)
select c.id, 10, 'available', 'revenue', 'purchase', 14900, 9 * 20000 - 14900, 0, 0, c.starts_at, c.purchase_id from crowd c;

insert into outbox.task (
  telegram_id, task_id, kind, name, due_at, created_at, attempt, purchase_id, vpn_uuid, finished_at, outcome)
select c.id, c.task_id, 'provision', 'add', c.starts_at, c.starts_at, 1, c.purchase_id, c.vpn_uuid, c.starts_at, 'done'
from crowd c;

insert into billing.purchase (
  telegram_id, purchase_id, kind, status, tariff, months, list_kopecks, discount_kind, discount_percent, price_kopecks,
  idempotency_key, opened_at, expires_at, closed_at, paid_with, period_starts_at, after_expires_at, quoted_expires_at,
  available_after_kopecks, provision_task_id)
select c.id, c.purchase_id, 'subscription', 'paid', 'basic', 1, 14900, 'none', 0, 14900, 'bought', c.starts_at,
       c.starts_at + interval '30 minutes', c.starts_at, 'balance', c.starts_at, c.expires_at, c.expires_at,
       9 * 20000 - 14900, c.task_id
from crowd c;

insert into subscription.subscription (
  telegram_id, tariff, period, started_at, expires_at, auto_renew, activation, vpn_uuid, key_uri, expiry_check_at,
  renew_check_at, reminder_check_at)
select c.id, 'basic', 'paid', c.starts_at, c.expires_at, c.kind = 0 or c.kind > 4, 'active', c.vpn_uuid, 'vless://' || c.vpn_uuid,
       c.expires_at, case when c.kind = 0 or c.kind > 4 then c.expires_at - interval '6 hours' end,
       case c.kind when 0 then c.expires_at - interval '3 hours' when 1 then null
                   when 4 then c.expires_at - interval '1 day' else c.expires_at - interval '3 days' end
from crowd c;

insert into billing.purchase (
  telegram_id, purchase_id, kind, status, tariff, months, list_kopecks, discount_kind, discount_percent, price_kopecks,
  idempotency_key, opened_at, expires_at, expiry_check_at, quoted_expires_at)
select c.id, gen_random_uuid(), 'subscription', 'open', 'basic', 1, 14900, 'none', 0, 14900, 'forgotten',
       core.now() - interval '31 minutes', core.now() - interval '1 minute', core.now() - interval '1 minute', c.expires_at
from crowd c where c.kind = 2;

insert into outbox.task (
  telegram_id, kind, name, due_at, created_at, purchase_id, amount_kopecks, other_id)
select c.id - {due}, 'cashback', 'reward', core.now(), core.now(), c.purchase_id, 14900, c.id
from crowd c where c.kind = 3`
