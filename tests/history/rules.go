package history

import (
	"fmt"
	"maps"
	"slices"
)

// PromosWithinLimits demands that no code has more uses than it allows, in all and per user, that every use is of one
// purchase that is open or was paid, and that every such purchase with a code has exactly one use.
func PromosWithinLimits(s *Snapshot) []Violation {
	var violations []Violation
	wrong := func(subject, format string, args ...any) {
		violations = append(violations, Violation{"promo", subject, fmt.Sprintf(format, args...)})
	}
	type pair struct{ promo, user int64 }
	uses, perUser, perPurchase := map[int64]int64{}, map[pair]int64{}, map[string]int{}
	for _, use := range s.Uses {
		uses[use.PromoID]++
		perUser[pair{use.PromoID, use.TelegramID}]++
		perPurchase[use.Purchase]++
		code := s.Codes[use.PromoID]
		if use.UseNo < 1 || code.MaxUses > 0 && use.UseNo > code.MaxUses {
			wrong("code "+code.Code, "use %d of %d", use.UseNo, code.MaxUses)
		}
		if p, ok := s.Purchases[use.Purchase]; ok && (p.PromoID != use.PromoID || !slices.Contains(usesCode, p.Status)) {
			wrong("purchase "+use.Purchase, "has a use of %s and is %s, with code %d", code.Code, p.Status, p.PromoID)
		}
	}
	for id, n := range uses {
		if code := s.Codes[id]; code.MaxUses > 0 && n > code.MaxUses {
			wrong("code "+code.Code, "%d uses, limit %d", n, code.MaxUses)
		}
	}
	for of, n := range perUser {
		if code := s.Codes[of.promo]; n > code.PerUserLimit {
			wrong("code "+code.Code, "%d uses by %s, limit %d", n, user(of.user), code.PerUserLimit)
		}
	}
	for id, p := range s.Purchases {
		if n := perPurchase[id]; p.PromoID != 0 && slices.Contains(usesCode, p.Status) && n != 1 {
			wrong("purchase "+id, "is %s with code %d and has %d uses", p.Status, p.PromoID, n)
		}
	}
	return violations
}

// usesCode are the states in which a purchase has a use of its code: reserved while it is open, then consumed.
var usesCode = []string{"open", "paid", "refunded"}

// WithdrawalsEndOnce demands that a withdrawal holds its amount once and lets it go at most once, the way its state says,
// and that what a user has on hold is what is pending.
func WithdrawalsEndOnce(s *Snapshot) []Violation {
	var violations []Violation
	type rows struct{ holds, payouts, returns int64 }
	booked := map[int64]rows{}
	for _, list := range s.Transfers {
		for _, t := range list {
			b := booked[t.WithdrawalID]
			switch t.Reason {
			case "withdrawal_hold":
				b.holds++
			case "withdrawal_payout":
				b.payouts++
			case "withdrawal_return":
				b.returns++
			}
			booked[t.WithdrawalID] = b
		}
	}
	want := map[string]rows{"pending": {1, 0, 0}, "approved": {1, 1, 0}, "rejected": {1, 0, 1}, "cancelled": {1, 0, 1}}
	pending := map[int64]int64{}
	for _, id := range slices.Sorted(maps.Keys(s.Withdrawals)) {
		w := s.Withdrawals[id]
		if w.Status == "pending" {
			pending[w.TelegramID] += w.Amount
		}
		if booked[id] != want[w.Status] {
			violations = append(violations, Violation{"withdrawal", fmt.Sprint("withdrawal ", id),
				fmt.Sprintf("%s, and the ledger has %+v", w.Status, booked[id])})
		}
	}
	for id, w := range s.Wallets {
		if w.Held != pending[id] {
			violations = append(violations, Violation{"withdrawal", user(id),
				fmt.Sprintf("%d held, %d pending", w.Held, pending[id])})
		}
	}
	return violations
}

// OnlyOneEnd demands that of those who decided about one withdrawal only one kind was told that it is done.
func OnlyOneEnd(ops []Op) []Violation {
	ends := map[string]map[string]bool{}
	for i := range ops {
		op := &ops[i]
		if ending, is := endings[op.Function]; is && op.IsAcknowledged() && op.isEnd() {
			id := op.argument("p_withdrawal_id")
			if ends[id] == nil {
				ends[id] = map[string]bool{}
			}
			ends[id][ending] = true
		}
	}
	var violations []Violation
	for id, kinds := range ends {
		if len(kinds) > 1 {
			violations = append(violations, Violation{"withdrawal", "withdrawal " + id,
				fmt.Sprintf("its clients were told %v", slices.Sorted(maps.Keys(kinds)))})
		}
	}
	return violations
}

// PeriodsChargedOnce demands that auto-renewal has bought no period of a subscription twice.
func PeriodsChargedOnce(s *Snapshot) []Violation {
	type period struct {
		user int64
		ends int64
	}
	charges := map[period][]string{}
	for id, p := range s.Purchases {
		if p.Renews != nil {
			key := period{p.TelegramID, p.Renews.UnixMicro()}
			charges[key] = append(charges[key], id)
		}
	}
	var violations []Violation
	for of, ids := range charges {
		if len(ids) > 1 {
			violations = append(violations, Violation{"period", user(of.user),
				fmt.Sprintf("one period was renewed by %v", slices.Sorted(slices.Values(ids)))})
		}
	}
	return violations
}

// PaymentsAccounted demands that every charge is one payment with one outcome, and that no more of it was credited than
// came.
func PaymentsAccounted(s *Snapshot) []Violation {
	var violations []Violation
	wrong := func(subject, format string, args ...any) {
		violations = append(violations, Violation{"payment", subject, fmt.Sprintf(format, args...)})
	}
	for charge, ids := range s.Charges {
		if len(ids) != 1 {
			wrong("charge "+charge.ID, "payments %v", ids)
		}
	}
	credited, came := map[int64]int64{}, map[int64]int64{}
	for _, list := range s.Transfers {
		for _, t := range list {
			if t.Debit != "provider" {
				continue
			}
			came[t.PaymentID] += t.Amount
			if t.Credit == "available" {
				credited[t.PaymentID] += t.Amount
			}
		}
	}
	for id, p := range s.Payments {
		subject := fmt.Sprint("payment ", id)
		isBooked := p.Outcome == "applied" || p.Outcome == "credited"
		switch {
		case p.Credited > p.Worth:
			wrong(subject, "credited %d of %d", p.Credited, p.Worth)
		case p.Credited != credited[id]:
			wrong(subject, "credited %d, the ledger has %d", p.Credited, credited[id])
		case isBooked && came[id] != p.Worth, p.Outcome == "suspense" && came[id] != 0:
			wrong(subject, "%s, worth %d, the ledger has %d", p.Outcome, p.Worth, came[id])
		}
	}
	return violations
}
