package history

import (
	"fmt"
	"maps"
	"slices"
)

// Conserved demands that no money appears or vanishes: every leg of a movement has its counterpart, and all that users
// have is what the ledger gave them, in sum and one by one. Nobody has less than nothing.
func Conserved(s *Snapshot) []Violation {
	var violations []Violation
	legs := map[string]int64{} // by account
	var have, given int64
	for id, w := range s.Wallets {
		have += w.Available + w.Held - w.Debt
		if min(w.Available, w.Held, w.Debt) < 0 {
			violations = append(violations, Violation{"not_negative", user(id),
				fmt.Sprintf("%d available, %d held, %d debt", w.Available, w.Held, w.Debt)})
		}
		var own int64
		for _, t := range s.Transfers[id] {
			legs[t.Debit] -= t.Amount
			legs[t.Credit] += t.Amount
			own += t.change("available") + t.change("held") + t.change("debt")
		}
		given += own
		if is := w.Available + w.Held - w.Debt; is != own {
			violations = append(violations, Violation{"conserved", user(id),
				fmt.Sprintf("has %d in all, the ledger gave %d", is, own)})
		}
	}
	var sum int64
	for _, leg := range legs {
		sum += leg
	}
	if sum != 0 {
		violations = append(violations, Violation{"conserved", "all legs", fmt.Sprintf("sum %d", sum)})
	}
	if have != given {
		violations = append(violations, Violation{"conserved", "all users",
			fmt.Sprintf("have %d, the ledger gave %d", have, given)})
	}
	for id := range s.Transfers {
		if _, ok := s.Wallets[id]; !ok {
			violations = append(violations, Violation{"conserved", user(id), "ledger rows and no wallet"})
		}
	}
	return violations
}

// Chained demands that every wallet's ledger rows are numbered 1, 2, 3 … without a gap, that the balances after each are
// those before it plus its amount, and that the wallet holds the last ones.
func Chained(s *Snapshot) []Violation {
	var violations []Violation
	for _, id := range slices.Sorted(maps.Keys(s.Wallets)) {
		var at wallet
		for _, t := range s.Transfers[id] {
			next := wallet{at.available + t.change("available"), at.held + t.change("held"), at.debt - t.change("debt"),
				at.version + 1}
			is := wallet{t.Available, t.Held, t.Debt, t.Version}
			if is != next {
				violations = append(violations, Violation{"chained", user(id),
					fmt.Sprintf("%s of %d leaves %+v, where %+v follows", t.Reason, t.Amount, is, next)})
			}
			at = is
		}
		w := s.Wallets[id]
		if (wallet{w.Available, w.Held, w.Debt, w.Version}) != at {
			violations = append(violations, Violation{"chained", user(id),
				fmt.Sprintf("the wallet is %+v, the ledger ends with %+v", w, at)})
		}
	}
	return violations
}

// Once demands that nothing was done twice or for nobody: an effect's rows are those of one call with the amounts that
// were asked for, and every row belongs to an operation that was acknowledged or whose outcome was unknown for a while.
func Once(ops []Op, s *Snapshot) []Violation {
	var violations []Violation
	effects, _ := s.effects(ops)
	for _, name := range slices.Sorted(maps.Keys(effects)) {
		e := effects[name]
		wrong := func(format string, args ...any) {
			violations = append(violations, Violation{"once", name, fmt.Sprintf(format, args...)})
		}
		if len(e.rows) > 0 && !slices.ContainsFunc(e.ops, func(op *Op) bool {
			return op.IsAcknowledged() || op.IsOpen || op.Unknown > 0
		}) {
			wrong("%d ledger rows of user %d that nobody asked for with success", len(e.rows), e.user)
		}
		if limit := mostRows(name); len(e.rows) > limit {
			wrong("%d ledger rows, at most %d for one call", len(e.rows), limit)
		}
		for i := 1; i < len(e.rows); i++ {
			if e.rows[i].Version != e.rows[i-1].Version+1 {
				wrong("ledger rows %d and %d are not of one call", e.rows[i-1].Version, e.rows[i].Version)
			}
		}
		for _, op := range e.ops {
			if why := op.disagrees(e.rows); why != "" {
				wrong("%s: %s", why, op)
			}
		}
		if first := firsts(e.ops); first > 1 {
			wrong("%d operations were told that it is not a replay", first)
		}
	}
	return violations
}

// mostRows is how many ledger rows one call can write for an effect.
func mostRows(name string) int {
	switch {
	case hasWord(name, "payment"):
		return 2 // what buys, and what is over
	case hasWord(name, "reversal"):
		return 6 // each of the parts from the balance, and as debt
	default:
		return 1
	}
}

func hasWord(name, word string) bool { return len(name) > len(word) && name[:len(word)] == word }

// firsts counts those who were told that they were the first.
func firsts(ops []*Op) int {
	n := 0
	for _, op := range ops {
		if _, tells := op.Answer["is_replay"]; tells && op.IsAcknowledged() && op.isEnd() && !op.isReplay() {
			n++
		}
	}
	return n
}

// disagrees says how an acknowledged operation differs from what the ledger has for it.
func (o *Op) disagrees(rows []Transfer) string {
	if !o.IsAcknowledged() || len(rows) == 0 {
		return ""
	}
	sum := func(pick func(Transfer) bool) (total int64) {
		for _, row := range rows {
			if pick(row) {
				total += row.Amount
			}
		}
		return total
	}
	all := func(Transfer) bool { return true }
	var want, is int64
	switch o.Function {
	case "wallet.credit", "wallet.debit", "billing.pay_from_balance", "withdrawal.request", "withdrawal.submit",
		"withdrawal.approve", "withdrawal.reject", "withdrawal.cancel":
		if !o.isEnd() {
			return ""
		}
		want, is = o.Amount, sum(all)
	case "billing.refund_purchase":
		want, _ = o.number("refunded_kopecks")
		is = sum(all)
	case "billing.settle_payment", "billing.approve_manual":
		if o.text("outcome") == "reversed" {
			return ""
		}
		want, _ = o.number("credited_kopecks")
		is = sum(func(t Transfer) bool { return t.Credit == "available" })
	case "billing.reverse_payment":
		want, _ = o.number("debt_kopecks")
		is = sum(func(t Transfer) bool { return t.Debit == "debt" })
	}
	if want != is {
		return fmt.Sprintf("the ledger has %d, the answer %d", is, want)
	}
	if id, ok := o.number("transfer_id"); ok && id != rows[0].TransferID {
		return fmt.Sprintf("the ledger's transfer is %d, the answer's %d", rows[0].TransferID, id)
	}
	return ""
}
