package history_test

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/history"
)

// book is a small shop that is in order: what it was asked, and what it holds. Tests spoil a copy of it.
type book struct {
	ops      []history.Op
	snapshot *history.Snapshot
}

const anna = 1001

// op is an acknowledged operation from one second to another.
func op(function, key string, amount int64, from, to int, answer history.Args) history.Op {
	return history.Op{
		User: anna, Function: function, Key: key, Amount: amount, Args: history.Args{}, Answer: answer,
		Start: time.Duration(from) * time.Second, Last: time.Duration(from) * time.Second, End: time.Duration(to) * time.Second,
	}
}

func with(o history.Op, name string, value any) history.Op {
	o.Args = maps.Clone(o.Args)
	o.Args[name] = value
	return o
}

func inOrder() *book {
	renews := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	first := func(a history.Args) history.Args { a["is_replay"] = false; return a }
	b := &book{ops: []history.Op{
		op("wallet.credit", "a", 1000, 0, 1, first(history.Args{"transfer_id": 1, "available_kopecks": 1000, "held_kopecks": 0})),
		op("wallet.debit", "b", 300, 2, 3, first(history.Args{"transfer_id": 2, "available_kopecks": 700, "held_kopecks": 0})),
		op("withdrawal.request", "w", 200, 4, 5, first(history.Args{"withdrawal_id": 5, "available_kopecks": 500, "held_kopecks": 200})),
		with(op("withdrawal.approve", "5", 200, 6, 7, first(history.Args{"status": "approved"})), "p_withdrawal_id", 5),
		op("billing.open_purchase", "o", 0, 8, 9, first(history.Args{"purchase_id": "p1", "price_kopecks": 100})),
		with(op("billing.pay_from_balance", "p1", 100, 10, 11,
			first(history.Args{"purchase_id": "p1", "available_kopecks": 400})), "p_purchase_id", "p1"),
		with(with(op("billing.settle_payment", "c1", 0, 12, 13, first(history.Args{
			"payment_id": 7, "outcome": "credited", "credited_kopecks": 50})), "p_provider", "cryptobot"), "p_charge_id", "c1"),
		op("wallet.balance", "", 0, 16, 17, history.Args{
			"available_kopecks": 420, "held_kopecks": 0, "debt_kopecks": 0, "version": 7}),
		{User: anna, Function: "wallet.debit", Key: "much", Amount: 421, Code: "WA001", Start: 18 * time.Second,
			Last: 18 * time.Second, End: 19 * time.Second},
	}}
	b.snapshot = &history.Snapshot{
		Wallets: map[int64]history.Wallet{anna: {TelegramID: anna, Available: 420, Version: 7}},
		Transfers: map[int64][]history.Transfer{anna: {
			row(1, "adjustment", "available", "admin_credit", 1000, 1000, 0, history.Transfer{Key: "a"}),
			row(2, "available", "adjustment", "admin_debit", 300, 700, 0, history.Transfer{Key: "b"}),
			row(3, "available", "held", "withdrawal_hold", 200, 500, 200, history.Transfer{WithdrawalID: 5}),
			row(4, "held", "payout", "withdrawal_payout", 200, 500, 0, history.Transfer{WithdrawalID: 5}),
			row(5, "available", "revenue", "purchase", 100, 400, 0, history.Transfer{Purchase: "p1"}),
			row(6, "provider", "available", "topup", 50, 450, 0, history.Transfer{PaymentID: 7}),
			row(7, "available", "revenue", "purchase", 30, 420, 0, history.Transfer{Purchase: "p2"}),
		}},
		Purchases: map[string]history.Purchase{
			"p1": {TelegramID: anna, PurchaseID: "p1", Status: "paid", Price: 100, PromoID: 9, Key: "o"},
			"p2": {TelegramID: anna, PurchaseID: "p2", Status: "paid", Price: 30, Renews: &renews},
		},
		Payments: map[int64]history.Payment{7: {TelegramID: anna, PaymentID: 7, Provider: "cryptobot", ChargeID: "c1",
			Worth: 50, Credited: 50, Outcome: "credited"}},
		Charges:     map[history.Charge][]int64{{Provider: "cryptobot", ID: "c1"}: {7}},
		Codes:       map[int64]history.Code{9: {PromoID: 9, Code: "NINE", MaxUses: 1, PerUserLimit: 1}},
		Uses:        []history.Use{{PromoID: 9, UseNo: 1, TelegramID: anna, Purchase: "p1"}},
		Withdrawals: map[int64]history.Withdrawal{5: {TelegramID: anna, WithdrawalID: 5, Status: "approved", Amount: 200, Key: "w"}},
	}
	return b
}

func row(version int64, debit, credit, reason string, amount, available, held int64, more history.Transfer) history.Transfer {
	more.TelegramID, more.Version, more.TransferID = anna, version, version
	more.Debit, more.Credit, more.Reason, more.Amount = debit, credit, reason, amount
	more.Available, more.Held = available, held
	return more
}

func (b *book) rows() []history.Transfer { return b.snapshot.Transfers[anna] }

func (b *book) find(function string) *history.Op {
	i := slices.IndexFunc(b.ops, func(o history.Op) bool { return o.Function == function && o.Code == "" })
	return &b.ops[i]
}

func (b *book) purchase(id string, change func(p *history.Purchase)) {
	p := b.snapshot.Purchases[id]
	change(&p)
	b.snapshot.Purchases[id] = p
}

func nowhere(t *testing.T) func() (string, error) {
	return func() (string, error) { return t.TempDir(), nil }
}

func (b *book) checkers(t *testing.T) map[string]func() []history.Violation {
	return map[string]func() []history.Violation{
		"SomeDone":           func() []history.Violation { return history.SomeDone(b.ops) },
		"AllKnown":           func() []history.Violation { return history.AllKnown(b.ops) },
		"Expected":           func() []history.Violation { return history.Expected(b.ops) },
		"NoDeadlock":         func() []history.Violation { return history.NoDeadlock(b.ops) },
		"SameAnswers":        func() []history.Violation { return history.SameAnswers(b.ops) },
		"OnlyOneEnd":         func() []history.Violation { return history.OnlyOneEnd(b.ops) },
		"Conserved":          func() []history.Violation { return history.Conserved(b.snapshot) },
		"Chained":            func() []history.Violation { return history.Chained(b.snapshot) },
		"PromosWithinLimits": func() []history.Violation { return history.PromosWithinLimits(b.snapshot) },
		"WithdrawalsEndOnce": func() []history.Violation { return history.WithdrawalsEndOnce(b.snapshot) },
		"PeriodsChargedOnce": func() []history.Violation { return history.PeriodsChargedOnce(b.snapshot) },
		"PaymentsAccounted":  func() []history.Violation { return history.PaymentsAccounted(b.snapshot) },
		"Once":               func() []history.Violation { return history.Once(b.ops, b.snapshot) },
		"Kept":               func() []history.Violation { return history.Kept(b.ops, b.snapshot) },
		"Linearizable":       func() []history.Violation { return history.Linearizable(b.ops, b.snapshot, nowhere(t)) },
	}
}

func TestAShopInOrderPasses(t *testing.T) {
	t.Parallel()
	b := inOrder()
	require.Empty(t, history.Judge(b.ops, b.snapshot, nowhere(t)))
	for name, check := range b.checkers(t) {
		require.Empty(t, check(), name)
	}
}

// TestEveryCheckerFindsItsMistake plants, for each checker, what it is there to find.
func TestEveryCheckerFindsItsMistake(t *testing.T) {
	t.Parallel()
	for _, mistake := range []struct {
		checker, name string
		plant         func(b *book)
	}{
		{"SomeDone", "nothing was asked", func(b *book) { b.ops = nil }},
		{"SomeDone", "a function that always declines", func(b *book) {
			for range 30 {
				b.ops = append(b.ops, history.Op{Function: "subscription.start_trial", Code: "SU003"})
			}
		}},
		{"AllKnown", "an outcome that nobody knows", func(b *book) { b.find("wallet.credit").IsOpen = true }},
		{"Expected", "an error of the server", func(b *book) { b.find("wallet.credit").Code = "23505" }},
		{"Expected", "a key used for something else", func(b *book) { b.find("wallet.credit").Code = "ID001" }},
		{"NoDeadlock", "a deadlock", func(b *book) { b.find("wallet.credit").Retried = []string{"lost", "40P01"} }},
		{"SameAnswers", "two firsts", func(b *book) { b.ops = append(b.ops, *b.find("wallet.credit")) }},
		{"SameAnswers", "a replay that answers something else", func(b *book) {
			again := *b.find("wallet.credit")
			again.Answer = history.Args{"transfer_id": 1, "available_kopecks": 999, "held_kopecks": 0, "is_replay": true}
			b.ops = append(b.ops, again)
		}},
		{"OnlyOneEnd", "approved and rejected", func(b *book) {
			other := *b.find("withdrawal.approve")
			other.Function, other.Answer = "withdrawal.reject", history.Args{"status": "rejected", "is_replay": false}
			b.ops = append(b.ops, other)
		}},
		{"Conserved", "money from nowhere", func(b *book) {
			b.snapshot.Wallets[anna] = history.Wallet{TelegramID: anna, Available: 421, Version: 7}
		}},
		{"Conserved", "less than nothing", func(b *book) {
			b.snapshot.Wallets[anna] = history.Wallet{TelegramID: anna, Available: -1, Version: 7}
		}},
		{"Conserved", "a ledger of nobody", func(b *book) { delete(b.snapshot.Wallets, anna) }},
		{"Chained", "a gap", func(b *book) { b.rows()[3].Version = 40 }},
		{"Chained", "a lost update", func(b *book) { b.rows()[3].Available += 5 }},
		{"Chained", "a wallet behind its ledger", func(b *book) {
			b.snapshot.Wallets[anna] = history.Wallet{TelegramID: anna, Available: 450, Version: 6}
		}},
		{"PromosWithinLimits", "a use above the limit", func(b *book) { b.snapshot.Uses[0].UseNo = 2 }},
		{"PromosWithinLimits", "one use too many", func(b *book) {
			b.snapshot.Uses = append(b.snapshot.Uses, history.Use{PromoID: 9, UseNo: 1, TelegramID: 5, Purchase: "of another"})
		}},
		{"PromosWithinLimits", "too many by one user", func(b *book) {
			b.snapshot.Codes[9] = history.Code{PromoID: 9, Code: "NINE", PerUserLimit: 1}
			b.snapshot.Uses = append(b.snapshot.Uses, history.Use{PromoID: 9, UseNo: 2, TelegramID: anna, Purchase: "another"})
		}},
		{"PromosWithinLimits", "a use that a cancelled purchase keeps", func(b *book) {
			b.purchase("p1", func(p *history.Purchase) { p.Status = "cancelled" })
		}},
		{"PromosWithinLimits", "a purchase without its use", func(b *book) { b.snapshot.Uses = nil }},
		{"WithdrawalsEndOnce", "paid out and still pending", func(b *book) {
			b.snapshot.Withdrawals[5] = history.Withdrawal{TelegramID: anna, WithdrawalID: 5, Status: "pending", Amount: 200}
		}},
		{"WithdrawalsEndOnce", "paid out and given back", func(b *book) {
			b.snapshot.Transfers[anna] = append(b.rows(),
				row(8, "held", "available", "withdrawal_return", 200, 620, 0, history.Transfer{WithdrawalID: 5}))
		}},
		{"WithdrawalsEndOnce", "held for nothing", func(b *book) {
			b.snapshot.Wallets[anna] = history.Wallet{TelegramID: anna, Available: 420, Held: 1, Version: 7}
		}},
		{"PeriodsChargedOnce", "a period renewed twice", func(b *book) {
			b.snapshot.Purchases["p3"] = b.snapshot.Purchases["p2"]
		}},
		{"PaymentsAccounted", "a charge with two payments", func(b *book) {
			b.snapshot.Charges[history.Charge{Provider: "cryptobot", ID: "c1"}] = []int64{7, 8}
		}},
		{"PaymentsAccounted", "more credited than came", func(b *book) {
			p := b.snapshot.Payments[7]
			p.Worth = 40
			b.snapshot.Payments[7] = p
		}},
		{"PaymentsAccounted", "suspense with money", func(b *book) {
			p := b.snapshot.Payments[7]
			p.Outcome = "suspense"
			b.snapshot.Payments[7] = p
		}},
		{"Once", "one key, two rows", func(b *book) {
			b.snapshot.Transfers[anna] = append(b.rows(),
				row(8, "adjustment", "available", "admin_credit", 1000, 1420, 0, history.Transfer{Key: "a"}))
		}},
		{"Once", "a row that nobody asked for", func(b *book) { b.find("wallet.credit").Code = "US003" }},
		{"Once", "another amount than was asked for", func(b *book) { b.find("wallet.debit").Amount = 299 }},
		{"Once", "another transfer than was told", func(b *book) { b.find("wallet.debit").Answer["transfer_id"] = 9 }},
		{"Once", "two who were the first", func(b *book) { b.ops = append(b.ops, *b.find("billing.pay_from_balance")) }},
		{"Kept", "a lost credit", func(b *book) { b.snapshot.Transfers[anna] = b.rows()[1:] }},
		{"Kept", "a lost purchase", func(b *book) { delete(b.snapshot.Purchases, "p1") }},
		{"Kept", "a lost charge", func(b *book) { b.snapshot.Charges = nil }},
		{"Kept", "a purchase that is not paid after all", func(b *book) {
			b.purchase("p1", func(p *history.Purchase) { p.Status = "expired" })
		}},
		{"Linearizable", "an answer from another time", func(b *book) { b.find("wallet.debit").Answer["available_kopecks"] = 701 }},
		{"Linearizable", "a balance that forgets what was acknowledged", func(b *book) {
			late := b.find("wallet.balance")
			late.Answer = history.Args{"available_kopecks": 700, "held_kopecks": 0, "debt_kopecks": 0, "version": 2}
		}},
		{"Linearizable", "a refusal although there was money", func(b *book) { b.ops[len(b.ops)-1].Amount = 420 }},
		{"Linearizable", "an order against real time", func(b *book) {
			b.find("wallet.debit").Start, b.find("wallet.debit").End = 100*time.Second, 101*time.Second
		}},
		{"Linearizable", "a lost credit", func(b *book) {
			b.ops = append(b.ops, op("wallet.credit", "lost", 5, 14, 15,
				history.Args{"transfer_id": 99, "available_kopecks": 455, "held_kopecks": 0, "is_replay": false}))
		}},
	} {
		t.Run(mistake.checker+"/"+mistake.name, func(t *testing.T) {
			t.Parallel()
			b := inOrder()
			mistake.plant(b)
			found := b.checkers(t)[mistake.checker]()
			require.NotEmpty(t, found)
			t.Log(found[0])
		})
	}
}

// TestALateEffectIsNoMistake: who lost an answer and was then told that there is too little money may be charged later, by
// the attempt that was still waiting.
func TestALateEffectIsNoMistake(t *testing.T) {
	t.Parallel()
	b := inOrder()
	debit := b.find("wallet.debit")
	debit.Answer, debit.Code, debit.Unknown, debit.Retried = nil, "WA001", 1, []string{"lost"}
	debit.Start, debit.Last, debit.End = 0, 0, time.Millisecond
	require.Empty(t, history.Judge(b.ops, b.snapshot, nowhere(t)))
	debit.Unknown = 0
	require.NotEmpty(t, history.Once(b.ops, b.snapshot), "an effect of a call that was refused each time")
}

// TestConcurrentOrder: what overlaps may have happened in any order, and one is found.
func TestConcurrentOrder(t *testing.T) {
	t.Parallel()
	b := inOrder()
	for i := range b.ops[:7] {
		b.ops[i].Start, b.ops[i].Last, b.ops[i].End = 0, 0, 15*time.Second
	}
	slices.Reverse(b.ops)
	require.Empty(t, history.Judge(b.ops, b.snapshot, nowhere(t)))
}

func TestARecordIsSaved(t *testing.T) {
	t.Parallel()
	h := history.New(anna, anna, 42)
	h.Add(inOrder().ops...)
	path, err := h.Save(t.TempDir())
	require.NoError(t, err)
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	n := 0
	for ; lines.Scan(); n++ {
		var read history.Op
		require.NoError(t, json.Unmarshal(lines.Bytes(), &read))
		require.Equal(t, h.Ops()[n].Function, read.Function)
	}
	require.Equal(t, h.Len(), n)
}

func TestTheSearchIsDrawn(t *testing.T) {
	t.Parallel()
	b := inOrder()
	b.find("wallet.debit").Answer["available_kopecks"] = 701
	folder := t.TempDir()
	found := history.Linearizable(b.ops, b.snapshot, func() (string, error) { return folder, nil })
	require.Len(t, found, 1)
	require.Contains(t, found[0].Text, folder)
	page, err := os.ReadFile(folder + "/wallet-1001.html")
	require.NoError(t, err)
	require.Contains(t, string(page), "wallet.debit")
}

// TestTwoFirstsOneAfterTheOther: the search for an order survives two who say that they did the same.
func TestTwoFirstsOneAfterTheOther(t *testing.T) {
	t.Parallel()
	b := inOrder()
	again := *b.find("wallet.debit")
	again.Start, again.Last, again.End = 20*time.Second, 20*time.Second, 21*time.Second
	again.Answer = history.Args{"transfer_id": 2, "available_kopecks": 120, "held_kopecks": 0, "is_replay": false}
	b.ops = append(b.ops, again)
	require.Len(t, history.Linearizable(b.ops, b.snapshot, nowhere(t)), 1)
}

func TestASummaryNamesEveryFunction(t *testing.T) {
	t.Parallel()
	text := history.Summary(inOrder().ops)
	require.Contains(t, text, "9 operations")
	require.Contains(t, text, "declined: WA001 1")
}
