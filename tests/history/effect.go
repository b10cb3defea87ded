package history

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// ever is the end of what may happen at any later time.
const ever = time.Duration(math.MaxInt64)

// effect is one thing that was done to a wallet, whoever asked for it and how often: all operations with its name share
// it. Rows are the ledger rows that it wrote, nil where it should have some and does not.
type effect struct {
	name string
	user int64
	rows []Transfer
	ops  []*Op
}

// window is when it must have happened: not before the first who asked, not after the first who was told. One of several
// who asked may have been told that the effect was theirs.
func (e *effect) window() (from, to time.Duration) {
	from, to = ever, ever
	var doer *Op
	for _, op := range e.ops {
		from = min(from, op.Start)
		if !op.IsAcknowledged() {
			continue
		}
		to = min(to, op.End)
		if _, tells := op.Answer["is_replay"]; tells && !op.isReplay() && op.isEnd() {
			doer = op
		}
	}
	if doer != nil && doer.Start <= to { // else somebody did it before, and Once says so
		from = max(from, doer.Start)
	}
	return from, to
}

// isEnd is false for the first of two approvals, which moves nothing.
func (o *Op) isEnd() bool {
	return o.Function != "withdrawal.approve" || o.text("status") == "approved"
}

// wanted says whether an acknowledged operation must have ledger rows.
func (o *Op) wanted() bool {
	switch o.Function {
	case "wallet.credit", "wallet.debit", "withdrawal.request", "withdrawal.submit", "withdrawal.reject",
		"withdrawal.cancel", "billing.resolve_suspense":
		return true
	case "withdrawal.approve":
		return o.isEnd()
	case "billing.pay_from_balance":
		return o.Amount > 0
	case "billing.refund_purchase":
		refunded, _ := o.number("refunded_kopecks")
		return refunded > 0
	case "billing.settle_payment", "billing.approve_manual":
		return o.text("outcome") == "applied" || o.text("outcome") == "credited"
	default:
		return false
	}
}

// charge is the provider's name of the money that the operation is about.
func (o *Op) charge() (Charge, bool) {
	switch o.Function {
	case "billing.settle_payment", "billing.reverse_payment":
		return Charge{o.argument("p_provider"), o.argument("p_charge_id")}, true
	case "billing.approve_manual":
		return Charge{"manual", "manual:" + o.argument("p_purchase_id")}, true
	default:
		return Charge{}, false
	}
}

// effectName is the same for all operations that can only have one effect together; empty for those that move no money,
// or whose subject the database does not know. See naming for withdrawals that are asked for.
func (s *Snapshot) effectName(op *Op) string {
	if charge, is := op.charge(); is {
		ids := s.Charges[charge]
		if len(ids) == 0 {
			return ""
		}
		if op.Function == "billing.reverse_payment" {
			return fmt.Sprint("reversal of payment ", ids[0])
		}
		return fmt.Sprint("payment ", ids[0])
	}
	switch op.Function {
	case "wallet.credit", "wallet.debit":
		return fmt.Sprintf("%s of %d, key %s", op.Function, op.User, op.Key)
	case "billing.pay_from_balance":
		return "purchase " + op.argument("p_purchase_id")
	case "billing.refund_purchase":
		return "refund of purchase " + op.argument("p_purchase_id")
	case "billing.resolve_suspense":
		return "suspense of payment " + op.argument("p_payment_id")
	case "withdrawal.approve", "withdrawal.reject", "withdrawal.cancel":
		return s.endName(op)
	}
	return ""
}

var endings = map[string]string{
	"withdrawal.approve": "approved", "withdrawal.reject": "rejected", "withdrawal.cancel": "cancelled",
}

// endName names the end of a withdrawal for those who brought it about: the others were told that it is not pending.
func (s *Snapshot) endName(op *Op) string {
	id, err := strconv.ParseInt(op.argument("p_withdrawal_id"), 10, 64)
	if err != nil || s.Withdrawals[id].Status != endings[op.Function] && !(op.IsAcknowledged() && op.isEnd()) {
		return ""
	}
	return fmt.Sprint("end of withdrawal ", id)
}

// rowName is the effect that a ledger row belongs to; empty for what jobs do on their own: renewals and cashback.
func (s *Snapshot) rowName(t Transfer) string {
	switch t.Reason {
	case "admin_credit":
		return fmt.Sprintf("wallet.credit of %d, key %s", t.TelegramID, t.Key)
	case "admin_debit":
		return fmt.Sprintf("wallet.debit of %d, key %s", t.TelegramID, t.Key)
	case "purchase":
		if s.Purchases[t.Purchase].Renews != nil {
			return ""
		}
		return "purchase " + t.Purchase
	case "refund":
		return "refund of purchase " + t.Purchase
	case "provider_purchase", "provider_excess", "topup":
		return fmt.Sprint("payment ", t.PaymentID)
	case "reversal":
		return fmt.Sprint("reversal of payment ", t.PaymentID)
	case "suspense":
		return fmt.Sprint("suspense of payment ", t.PaymentID)
	case "withdrawal_hold":
		return fmt.Sprint("withdrawal ", t.WithdrawalID)
	case "withdrawal_return", "withdrawal_payout":
		return fmt.Sprint("end of withdrawal ", t.WithdrawalID)
	default:
		return ""
	}
}

// effects brings operations and ledger rows together by name. What jobs did is given by row.
func (s *Snapshot) effects(ops []Op) (byName map[string]*effect, ofJobs []Transfer) {
	byName = map[string]*effect{}
	get := func(name string) *effect {
		if byName[name] == nil {
			byName[name] = &effect{name: name}
		}
		return byName[name]
	}
	names := s.naming()
	for i := range ops {
		if name := names(&ops[i]); name != "" {
			e := get(name)
			e.ops = append(e.ops, &ops[i])
			e.user = ops[i].User
		}
	}
	for _, rows := range s.Transfers {
		for _, row := range rows {
			name := s.rowName(row)
			if name == "" {
				ofJobs = append(ofJobs, row)
				continue
			}
			e := get(name)
			e.rows = append(e.rows, row)
			e.user = row.TelegramID
		}
	}
	return byName, ofJobs
}

// naming gives effectName, with withdrawals that are asked for: these are found by their key.
func (s *Snapshot) naming() func(op *Op) string {
	type request struct {
		user int64
		key  string
	}
	requests := map[request]int64{}
	for id, w := range s.Withdrawals {
		requests[request{w.TelegramID, w.Key + w.DraftID}] = id
	}
	return func(op *Op) string {
		if op.Function != "withdrawal.request" && op.Function != "withdrawal.submit" {
			return s.effectName(op)
		}
		if id, ok := requests[request{op.User, op.Key}]; ok {
			return fmt.Sprint("withdrawal ", id)
		}
		return ""
	}
}
