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
	action := screen.UserAction{TelegramID: 12, Amount: 150050, Note: strings.Repeat("<&", 500)}
	draft := sqlapi.ActionDraft{DraftID: atlas.DraftID(purchaseID), ExpiresAt: soon}
	for name, steps := range map[string][]string{"credit": {"amount", "note"}, "debit": {"amount", "note"}} {
		for _, step := range steps {
			screens[fmt.Sprint("ask ", name, step)] = screen.AskAboutUser(text, full, screen.UserQuestion{
				Action: name, Step: step, IsWrong: true, Options: screen.OptionsOf(prices),
			})
		}
		screens["confirm "+name] = screen.ConfirmUserAction(text, full, name, screen.VerbAdminCreditYes, action, draft)
		screens["done "+name] = screen.UserActionDone(text, full, name, action, true)
	}
	for _, code := range []string{"US001", "WA001"} {
		screens["refused "+code] = screen.UserActionRefused(text, action, code)
	}
}
