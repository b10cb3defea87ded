package contract_test

import (
	"context"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// books is a database where every kind of row is, and what the spoiling statements name.
func books(t *testing.T) (*bundle, map[string]any) {
	t.Helper()
	b := setup(t)
	names := map[string]any{
		"cash": b.Buy(anna, "basic", 1, "cash")["purchase_id"],
		"card": b.Open(anna, "basic", 1, "card"),
		"open": b.Open(anna, "basic", 1, "open"),
	}
	names["P1"] = b.Settle("P1", names["card"], desk.Basic1+5000)["payment_id"]
	names["P2"] = b.Settle("P2", names["card"], desk.Basic1)["payment_id"]
	names["P3"] = b.Settle("P3", b.Topup(anna, 25000, "topup"), 25000)["payment_id"]
	names["P4"] = b.Settle("P4", unknown, 25000)["payment_id"]
	b.Reconciled()
	return b, names
}

// fault is a way to spoil the books, and the rows of reconcile that it must give: check and subject.
type fault struct {
	name, spoil string
	found       []string
}

const ofAnna = "telegram_id:1001"

func TestReconcileFindsEveryFault(t *testing.T) {
	b, names := books(t)
	b.finds(names, []fault{
		{"a gap in the versions", `
			update ledger.transfer set version = 7 where telegram_id = 1001 and version = 6;
			update wallet.wallet set version = 7 where telegram_id = 1001`, []string{"version_chain " + ofAnna}},
		{"a balance in the middle", "update ledger.transfer set available_kopecks = available_kopecks + 1 where version = 3",
			[]string{"balance_chain " + ofAnna}},
		{"held from nowhere", `
			update ledger.transfer set held_kopecks = 1 where version = 6;
			update wallet.wallet set held_kopecks = 1 where telegram_id = 1001`,
			[]string{"balance_chain " + ofAnna, "held_is_pending_withdrawals " + ofAnna}},
		{"debt from nowhere", `
			update ledger.transfer set debt_kopecks = 1 where version = 6;
			update wallet.wallet set debt_kopecks = 1 where telegram_id = 1001`, []string{"balance_chain " + ofAnna}},
		{"money in a wallet", "update wallet.wallet set available_kopecks = available_kopecks + 1 where telegram_id = 1001",
			[]string{"wallet_equals_ledger " + ofAnna}},
		{"money in an empty wallet", "update wallet.wallet set available_kopecks = 1 where telegram_id = 1002",
			[]string{"wallet_equals_ledger telegram_id:1002"}},
		{"a ledger row that is gone", "delete from ledger.transfer where telegram_id = 1001 and version = 6",
			[]string{"payment_is_booked payment:{P3}", "wallet_equals_ledger " + ofAnna}},
		{"a negative balance", `
			alter domain core.balance_kopecks drop constraint balance_not_negative;
			insert into ledger.transfer (telegram_id, version, debit_account, credit_account, reason, amount_kopecks,
			  available_kopecks, held_kopecks, debt_kopecks, created_at)
			values (1002, 1, 'available', 'adjustment', 'admin_debit', 5, -5, 0, 0, core.now());
			update wallet.wallet set available_kopecks = -5, version = 1 where telegram_id = 1002`,
			[]string{"balance_not_negative telegram_id:1002"}},
		{"a user without a wallet", "delete from wallet.wallet where telegram_id = 1002",
			[]string{"user_has_wallet telegram_id:1002"}},
		{"a wallet without a user", "insert into wallet.wallet (telegram_id) values (4000)",
			[]string{"row_has_user wallet of telegram_id:4000"}},
		{"a task without a user", `insert into outbox.task (telegram_id, kind, name, due_at, created_at)
			values (4000, 'message', 'x', core.now(), core.now())`, []string{"row_has_user task of telegram_id:4000"}},
		{"a purchase without a user", `insert into billing.purchase (telegram_id, purchase_id, kind, status, list_kopecks,
			  discount_kind, discount_percent, price_kopecks, idempotency_key, opened_at, expires_at)
			values (4000, gen_random_uuid(), 'topup', 'open', 1, 'none', 0, 1, 'k', core.now(), core.now())`,
			[]string{"row_has_user purchase of telegram_id:4000"}},
		{"a subscription and a transfer without a user", `
			insert into subscription.subscription (telegram_id, tariff, started_at, expires_at, activation, vpn_uuid)
			values (4000, 'basic', core.now(), core.now(), 'none', gen_random_uuid());
			insert into ledger.transfer (telegram_id, version, debit_account, credit_account, reason, amount_kopecks,
			  available_kopecks, held_kopecks, debt_kopecks, created_at)
			values (4000, 1, 'adjustment', 'available', 'admin_credit', 5, 5, 0, 0, core.now())`,
			[]string{"row_has_user subscription of telegram_id:4000", "row_has_user transfer of telegram_id:4000",
				"subscription_ends_as_bought telegram_id:4000", "wallet_equals_ledger telegram_id:4000"}},
		{"a referrer who came later", "update account.account set referrer_id = 1002 where telegram_id = 1",
			[]string{"referrer_is_older telegram_id:1"}},
		{"a referrer who is no user", "update account.account set referrer_id = 4000 where telegram_id = 1",
			[]string{"referrer_is_older telegram_id:1"}},
		{"a referral code of two", "update account.account set referral_code = 'same' where telegram_id > 1000",
			[]string{"referral_code_unique code:same"}},
		{"another price than was charged", "update billing.purchase set price_kopecks = 1 where purchase_id = '{cash}'",
			[]string{"balance_purchase_charged_once purchase:{cash}"}},
		{"charged for nothing", "update ledger.transfer set purchase_id = '{open}' where reason = 'purchase'",
			[]string{"balance_purchase_charged_once purchase:{cash}", "balance_purchase_charged_once purchase:{open}"}},
		{"paid nobody knows how", "update billing.purchase set paid_with = null where purchase_id = '{card}'",
			[]string{"paid_purchase_says_how purchase:{card}"}},
		{"free for a price", "update billing.purchase set paid_with = 'free' where purchase_id = '{card}'",
			[]string{"paid_purchase_says_how purchase:{card}"}},
		{"paid and open", "update billing.purchase set paid_with = 'balance' where purchase_id = '{open}'",
			[]string{"paid_purchase_says_how purchase:{open}"}},
		{"paid without a job", "delete from outbox.task where kind = 'provision' and purchase_id = '{card}'",
			[]string{"paid_purchase_has_job purchase:{card}"}},
		{"another purchase's job", "update outbox.task set purchase_id = '{open}' where purchase_id = '{cash}'",
			[]string{"paid_purchase_has_job purchase:{cash}"}},
		{"access without a period", "update billing.purchase set months = null where purchase_id = '{card}'",
			[]string{"subscription_purchase_is_whole purchase:{card}"}},
		{"an end of what is not bought", "update billing.purchase set after_expires_at = core.now() where purchase_id = '{open}'",
			[]string{"subscription_purchase_is_whole purchase:{open}"}},
		{"a payment without its charge", "delete from billing.charge where charge_id = 'P4'",
			[]string{"payment_has_one_charge payment:{P4}"}},
		{"a charge without a payment", "insert into billing.charge values ('stars', 'lost', 1001, 99)",
			[]string{"payment_has_one_charge charge:lost"}},
		{"credited otherwise than booked", "update billing.payment set credited_kopecks = 1 where payment_id = {P1}",
			[]string{"payment_is_booked payment:{P1}"}},
		{"worth otherwise than booked", "update billing.payment set worth_kopecks = worth_kopecks + 1 where payment_id = {P1}",
			[]string{"payment_is_booked payment:{P1}"}},
		{"booked from suspense", "update billing.payment set outcome = 'suspense', suspense_reason = 'x' where payment_id = {P2}",
			[]string{"payment_is_booked payment:{P2}"}},
		{"two payments for one purchase", "update billing.payment set outcome = 'applied' where payment_id = {P2}",
			[]string{"payment_buys_its_purchase payment:{P2}"}},
		{"a payment that is not there", "update billing.purchase set payment_id = 99 where purchase_id = '{open}'",
			[]string{"purchase_names_its_payment purchase:{open}"}},
		{"a day for nothing", "update subscription.subscription set expires_at = expires_at + interval '1 day'",
			[]string{"subscription_ends_as_bought " + ofAnna}},
		{"a better tariff for nothing", "update subscription.subscription set tariff = 'plus'",
			[]string{"subscription_ends_as_bought " + ofAnna}},
		{"a subscription that is gone", "delete from subscription.subscription",
			[]string{"subscription_ends_as_bought " + ofAnna}},
		{"a period lost in between", `update billing.purchase set before_expires_at = before_expires_at - interval '1 s'
			where purchase_id = '{card}'`, []string{"period_follows_period purchase:{card}"}},
		{"an end nobody looks at", "update subscription.subscription set expiry_check_at = expires_at + interval '1 s'",
			[]string{"expiry_is_checked_in_time " + ofAnna}},
		{"a batch that gave up on something", `insert into ops.dead (job_name, subject, error, died_at)
			values ('billing.expire_due', 'telegram_id:1', 'x', core.now()), ('inbox', 'update:1', 'x', core.now())`,
			[]string{"dead_letter billing.expire_due telegram_id:1"}},
		{"a renewal that nobody wants", "update subscription.subscription set renew_check_at = core.now()",
			[]string{"renewal_is_checked " + ofAnna}},
	})
}

// proven are the checks of reconcile that a planted fault has shown to work.
var proven sync.Map

// finds plants each fault and expects exactly its rows; {name} in a statement stands for names[name].
func (b *bundle) finds(names map[string]any, faults []fault) {
	b.Helper()
	replaced := strings.NewReplacer(pairs(names)...)
	for _, f := range faults {
		want := []string{}
		for _, line := range f.found {
			want = append(want, replaced.Replace(line))
		}
		sort.Strings(want)
		require.Equal(b, want, b.spoiled(replaced.Replace(f.spoil)), f.name)
		for _, line := range want {
			proven.Store(strings.Fields(line)[0], true)
		}
	}
	b.Reconciled()
}

// checksNeverProven are the checks that reconcile's comments name and no planted fault has shown.
func checksNeverProven() []string {
	missing := []string{}
	for name := range namedChecks() {
		if _, ok := proven.Load(name); !ok {
			missing = append(missing, name)
		}
	}
	sort.Strings(missing)
	return missing
}

// spoiled is what reconcile finds after some statements, which are undone.
func (b *bundle) spoiled(sql string) []string {
	b.Helper()
	ctx := context.Background()
	tx, err := b.harness.Owner.Begin(ctx)
	require.NoError(b, err)
	defer func() { _ = tx.Rollback(ctx) }()
	_, err = tx.Exec(ctx, "alter table ledger.transfer disable trigger transfer_is_append_only;"+sql)
	require.NoError(b, err, sql)
	found := map[string]bool{}
	for _, row := range b.On(b, tx).Query("select * from ops.reconcile()") {
		require.NotEmpty(b, row["detail"], "%v", row)
		found[fmt.Sprint(row["check_name"], " ", row["subject"])] = true
	}
	return keys(found)
}

var (
	checkName   = regexp.MustCompile(`\b[a-z]+(_[a-z]+)+`)
	parenthesis = regexp.MustCompile(`\([^)]*\)`)
)

// namedChecks are the names that the functions of reconcile list in their comments.
func namedChecks() map[string]bool {
	names := map[string]bool{"dead_letter": true}
	for name, s := range sources() {
		if !strings.HasPrefix(name, "ops._reconcile_") {
			continue
		}
		for _, check := range checkName.FindAllString(parenthesis.ReplaceAllString(s.comment, ""), -1) {
			names[check] = true
		}
	}
	return names
}

func keys(set map[string]bool) []string {
	list := []string{}
	for key := range set {
		list = append(list, key)
	}
	sort.Strings(list)
	return list
}

// pairs are the arguments of strings.NewReplacer for {name}.
func pairs(names map[string]any) []string {
	list := []string{}
	for name, value := range names {
		list = append(list, "{"+name+"}", fmt.Sprint(value))
	}
	return list
}
