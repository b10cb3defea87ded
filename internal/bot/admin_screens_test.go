package bot_test

import (
	"fmt"
	"strings"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// fullCard is a user of whom there is everything to say, in the worst words.
func fullCard(soon time.Time) sqlapi.Card {
	return sqlapi.Card{
		TelegramID: 12, Username: strings.Repeat("<\u202e&", 20), Language: "ru", RegisteredAt: soon, IsAdmin: true, IsBlocked: true,
		BlockedAt: &soon, BlockedReason: strings.Repeat("<", 5000), IsVIP: true, PersonalPercent: 50, PersonalExpiresAt: &soon,
		Available: 1_000_000_000_000, Held: 1, Debt: 1, Status: "active", Tariff: "plus", ExpiresAt: &soon, AutoRenew: true,
		Activation: "failed", ReferrerID: 13, Invited: 1, Paying: 1, Earned: 5, Purchases: 2, Spent: 7, LastTariff: "basic", LastMonths: 12,
		LastPrice: 5, LastPaidAt: &soon, LastPaidWith: "balance", PaymentFrom: "new", PaymentWorth: 7, PaymentOutcome: "applied",
		PaymentAt: &soon, WithdrawalID: 3, Withdrawal: 50000,
	}
}

// userScreens draws what admins see of users.
func userScreens(text *i18n.Text, screens map[string]screen.Screen, prices []sqlapi.Price, soon time.Time) {
	full, empty := fullCard(soon), sqlapi.Card{TelegramID: 12, RegisteredAt: soon, Status: "none", IsBlocked: true, PersonalPercent: 5}
	screens["admin menu"] = screen.AdminMenu(text, sqlapi.Dashboard{ServiceState: "up", FeaturesOff: []string{"trials", "new"}})
	screens["draft over"] = screen.DraftOver(text)
	screens["ask user"], screens["wrong user"], screens["nobody"] = screen.AskUser(text), screen.WrongUser(text), screen.NobodyFound(text)
	var found []sqlapi.FoundUser
	for i := range 10 {
		found = append(found, sqlapi.FoundUser{TelegramID: atlas.TelegramID(i + 10), Username: full.Username, IsBlocked: i == 0})
	}
	screens["found users"] = screen.FoundUsers(text, found, true)
	screens["card"], screens["empty card"] = screen.UserCard(text, full), screen.UserCard(text, empty)
	actionScreens(text, screens, full, prices, soon)
	var lines []sqlapi.StatementLine
	var purchases []sqlapi.ListedPurchase
	for i := range 9 {
		lines = append(lines, sqlapi.StatementLine{
			Version: int64(20 - i), Reason: "admin_credit", CreatedAt: soon, Amount: 5, Note: full.BlockedReason,
		})
	}
	for i := range 6 {
		p := sqlapi.ListedPurchase{PurchaseID: purchaseID, Kind: "subscription", Tariff: "plus", Months: 12, Price: 229900, OpenedAt: soon, CanBeRefunded: true}
		if i > 0 {
			p.PaidAt, p.PaidWith, p.TakenBackAt, p.TakenBackReason = &soon, "balance", &soon, full.BlockedReason
		}
		p.TakenBackBy = atlas.TelegramID(i % 2)
		purchases = append(purchases, p)
	}
	var events []sqlapi.AuditEvent
	for i, action := range []string{"account.block", "refused.ledger.admin_credit", "new.one", "ledger.new", "x", "x", "x"} {
		events = append(events, sqlapi.AuditEvent{
			EventID: "e55", OccurredAt: soon, ActorID: atlas.TelegramID(i), ActorName: full.Username, Action: action, SubjectID: full.BlockedReason,
			Details: map[string]any{"amount_kopecks": 5.0, "n": 7.0, "reason": full.BlockedReason, "z": nil},
		})
	}
	screens["audit"] = screen.Audit(text, screen.VerbAdminAudit, sqlapi.AuditFilter{Before: "e55"}, events)
	screens["audit on"] = screen.Audit(text, screen.VerbAdminAuditOn, sqlapi.AuditFilter{Subject: 12}, events)
	screens["audit by"] = screen.Audit(text, screen.VerbAdminAuditBy, sqlapi.AuditFilter{Actor: 12}, nil)
	screens["user history"], screens["no history"] = screen.UserHistory(text, full, lines, false), screen.UserHistory(text, empty, nil, true)
	screens["purchases"], screens["no purchases"] = screen.UserPurchases(text, full, purchases, false), screen.UserPurchases(text, empty, nil, true)
}

// actionScreens draws what admins are asked, confirm and have done.
func actionScreens(text *i18n.Text, screens map[string]screen.Screen, full sqlapi.Card, prices []sqlapi.Price, soon time.Time) {
	action := screen.UserAction{
		TelegramID: 12, Amount: 150050, Note: strings.Repeat("<&", 500), Tariff: "plus", Months: 12, Minutes: 61, IsQuiet: true,
		Percent: 50, Until: &soon, IsVIP: true, PurchaseID: purchaseID,
	}
	draft := sqlapi.ActionDraft{DraftID: atlas.DraftID(purchaseID), ExpiresAt: soon}
	for name, steps := range map[string]map[string]screen.Verb{
		"credit": {"amount": "", "note": ""}, "debit": {"amount": "", "note": ""}, "set_vip": {}, "reissue": {},
		"grant": {"length": screen.VerbAdminGrantLength, "unit": screen.VerbAdminGrantUnit, "value": "", "tariff": screen.VerbAdminGrantTariff,
			"notify": screen.VerbAdminGrantNotify},
		"revoke": {"notify": screen.VerbAdminRevokeNotify, "reason": ""}, "block": {"reason": ""}, "unblock": {"reason": ""},
		"refund": {"reason": ""}, "set_discount": {"percent": "", "expiry": screen.VerbAdminDiscountExpiry},
	} {
		for step, verb := range steps {
			screens[fmt.Sprint("ask ", name, step)] = screen.AskAboutUser(text, full, screen.UserQuestion{
				Action: name, Step: step, Verb: verb, IsWrong: true, Options: screen.OptionsOf(prices),
			})
		}
		for i, a := range []screen.UserAction{action, {TelegramID: 12, Minutes: 1440}, {TelegramID: 12, Minutes: 60, Percent: 5}} {
			screens[fmt.Sprint("confirm ", name, i)] = screen.ConfirmUserAction(text, full, name, screen.VerbAdminCreditYes, a, draft)
			screens[fmt.Sprint("done ", name, i)] = screen.UserActionDone(text, full, name, a, i == 0)
		}
	}
	for _, code := range []string{"US001", "WA001", "SU001", "PU001", "PU003"} {
		screens["refused "+code] = screen.UserActionRefused(text, action, code)
	}
}
