package bot_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

const purchaseID = atlas.PurchaseID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")

// allScreens draws every screen there is, in the states it can be in, with the worst that may stand on it.
func allScreens(t *testing.T, c *i18n.Catalogue, text *i18n.Text) map[string]screen.Screen {
	t.Helper()
	name := strings.Repeat("<&>\"", 10)
	soon := time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC)
	var prices []sqlapi.Price
	for _, tariff := range []atlas.Tariff{atlas.Basic, atlas.Plus, "other"} {
		for _, months := range []int{1, 3, 6, 12} {
			prices = append(prices, sqlapi.Price{Tariff: tariff, Months: months, List: 229900, DeviceLimit: 10})
		}
	}
	options := sqlapi.TopupOptions{Minimum: 10000, Maximum: 10000000, Presets: []atlas.Kopecks{25000, 75000, 99900, 100000}}
	screens := map[string]screen.Screen{
		"menu": screen.Menu(text, screen.MenuArgs{Name: name, HasTrial: true}), "menu without a name": screen.Menu(text, screen.MenuArgs{}), "settings": screen.Settings(text),
		"languages": screen.Languages(text, c, false), "unknown": screen.Unknown(text), "start again": screen.StartAgain(text),
		"old button": screen.OldButton(text, name), "instruction": screen.Instruction(text), "help": screen.Help(text),
		"info": screen.Info(text), "privacy": screen.Privacy(text), "support": screen.Support(text, "@x", 1),
		"support by mail": screen.Support(text, "a@b.example", 1), "support nowhere": screen.Support(text, "", 1),
		"payment support": screen.PaymentSupport(text, "https://x.example", 1), "tariffs": screen.Tariffs(text, prices),
		"not enough": screen.NotEnough(text, purchaseID, 5), "suspense": screen.InSuspense(text),
		"too often":     screen.TooOften(text, "payment", 12*time.Second, screen.ToPurchase(text, purchaseID)),
		"provider down": screen.ProviderDown(text, purchaseID),
		"topup":         screen.Topup(text, options), "ask amount": screen.AskAmount(text, options), "wrong amount": screen.WrongAmount(text, options),
		"out of range": screen.AmountOutOfRange(text, options),
		"cannot ask":   screen.CannotAsk(text, screen.VerbTopup), "history": screen.History(text, nil, screen.HistoryPages{}),
		"key failed": screen.KeyFailed(text), "referral": screen.ReferralJoined(text),
		"applied": screen.PaymentApplied(text, screen.PaymentAppliedArgs{Price: 1, Tariff: "plus", Months: 12, ExpiresAt: soon}),
		"alarm":   screen.Alarm(text, screen.AlarmArgs{Alarm: name, Subject: name, Detail: strings.Repeat("<", 5000)}),
		"failed":  screen.ActivationFailed(text, screen.ActivationFailedArgs{TelegramID: 1, Error: strings.Repeat("&", 5000)}),
		"bug":     screen.Failure(text, "", "u1"), "unknown code": screen.Failure(text, "ZZ999", "u1"),
		"key ready":      screen.KeyReady(text, screen.KeyReadyArgs{KeyURI: "vless://" + strings.Repeat("x", 400), Tariff: "plus", ExpiresAt: soon}),
		"long key ready": screen.KeyReady(text, screen.KeyReadyArgs{KeyURI: "https://" + strings.Repeat("&", 600), Tariff: "plus", ExpiresAt: soon}),
	}
	for _, reason := range []string{"topup", "overpaid", "underpaid", "already_paid", "other_payer", "blocked", "new"} {
		screens["credited "+reason] = screen.PaymentCredited(text, screen.PaymentCreditedArgs{Amount: 5, Available: 10, Reason: reason})
	}
	for _, platform := range []screen.Platform{"ios", "android", "windows", "macos", "linux", "android_tv"} {
		s, ok := screen.Guide(text, platform)
		require.True(t, ok)
		screens["guide "+string(platform)] = s
	}
	screens["plans"] = screen.Plans(text, prices, atlas.Plus)
	for _, kind := range []atlas.PurchaseKind{atlas.SubscriptionPurchase, atlas.TopupPurchase} {
		for _, status := range []atlas.PurchaseStatus{"open", "paid", "expired", "cancelled", "refunded"} {
			for _, discount := range []atlas.DiscountKind{"none", "promo", "vip", "personal"} {
				p := sqlapi.Purchase{
					PurchaseID: purchaseID, Kind: kind, Status: status, Tariff: atlas.Plus, Months: 12, List: 229900, Price: 160930,
					DiscountKind: discount, DiscountPercent: 30, ExpiresAt: soon, SubscriptionExpiresAt: &soon,
					OfferID: atlas.OfferID(purchaseID),
				}
				ways := screen.WaysToPay{Balance: true, Crypto: true, Card: true, Stars: 947}
				screens[fmt.Sprint("purchase ", kind, status, discount)] = screen.Purchase(text, p, ways, 5)
				screens[fmt.Sprint("no ways ", kind, status, discount)] = screen.Purchase(text, p, screen.WaysToPay{}, 5)
				screens["paid"] = screen.Paid(text, p, 5)
				p.KeepsKey = true
				screens["paid again"] = screen.Paid(text, p, 5)
				screens["crypto"] = screen.CryptoInvoice(text, p, "https://t.me/CryptoBot?start=IVx")
				screens["invoice "+string(kind)] = screen.Invoice(text, p, sqlapi.WayToPay{Currency: atlas.XTR, AmountMinor: 947}, "")
			}
		}
	}
	for _, status := range []atlas.SubscriptionStatus{"none", "trial", "active", "expired"} {
		for _, activation := range []atlas.Activation{"none", "pending", "active", "failed"} {
			s := sqlapi.CurrentSubscription{Status: status, Tariff: atlas.Basic, ExpiresAt: &soon, Activation: activation}
			if activation == atlas.ActivationDone {
				s.KeyURI = atlas.KeyURI("vless://" + strings.Repeat("x", 400))
				qr, err := screen.QR(text, s.KeyURI)
				require.NoError(t, err)
				screens["qr"] = qr
			}
			screens[fmt.Sprint("profile ", status, activation)] = screen.Profile(text, 1, s, sqlapi.Balance{Available: 1, Held: 2, Debt: 3})
			screens[fmt.Sprint("key ", status, activation)] = screen.Key(text, s)
		}
	}
	dialogueScreens(text, screens, prices, soon)
	adminMoneyScreens(text, screens, soon)
	userScreens(text, screens, prices, soon)
	systemScreens(c, text, screens, soon)
	jobScreens(text, screens, soon)
	promoAdminScreens(text, screens, soon)
	exportScreens(text, screens, soon)
	referralAdminScreens(text, screens, soon)
	peopleScreens(text, screens, soon)
	broadcastScreens(text, screens, soon)
	var lines []sqlapi.StatementLine
	for _, reason := range []string{"admin_credit", "admin_debit", "purchase", "provider_purchase", "topup", "provider_excess", "suspense", "refund",
		"reversal", "cashback", "clawback", "withdrawal_hold", "withdrawal_return", "withdrawal_payout", "new"} {
		lines = append(lines, sqlapi.StatementLine{Reason: reason, CreatedAt: soon, Amount: atlas.Kopecks(len(lines)) * 100000000, Moved: 1, Available: 1_000_000_000_000})
	}
	screens["every movement"] = screen.History(text, lines, screen.HistoryPages{Newer: 75, Older: 55})
	for i := range lines {
		lines[i].Note = strings.Repeat("&", 1000)
	}
	screens["long history"] = screen.History(text, lines[:screen.HistoryPage], screen.HistoryPages{Newer: 75})
	return screens
}

// dialogueScreens draws the screens of the promo and withdrawal dialogues.
func dialogueScreens(text *i18n.Text, screens map[string]screen.Screen, prices []sqlapi.Price, soon time.Time) {
	code := strings.Repeat("Z", 32)
	screens["ask promo"], screens["ask promo for"] = screen.AskPromo(text, ""), screen.AskPromo(text, purchaseID)
	screens["wrong promo"], screens["wrong promo for"] = screen.WrongPromo(text, "PR006", ""), screen.WrongPromo(text, "PR001", purchaseID)
	screens["promo tariffs"] = screen.PromoTariffs(text, prices, sqlapi.PromoCode{Code: code, DiscountPercent: 100, ExpiresAt: &soon})
	screens["promo plans"] = screen.PromoPlans(text, prices, atlas.Plus, code)
	for _, kind := range []atlas.DiscountKind{"promo", "vip", "personal"} {
		screens["promo result "+string(kind)] = screen.WithPromo(text, screens["purchase subscriptionopenpromo"],
			sqlapi.OpenedPurchase{DiscountKind: kind, DiscountPercent: 30})
	}
	options := sqlapi.WithdrawalOptions{Minimum: 50000, PerDay: 3, FourEyes: 5000000}
	balance := sqlapi.Balance{Available: 139900, Held: 2, Debt: 3}
	screens["withdraw"] = screen.Withdraw(text, options, balance, nil)
	for _, status := range []string{"pending", "approved", "rejected", "cancelled"} {
		latest := sqlapi.OwnWithdrawal{WithdrawalID: 12, Status: status, Amount: 60000, RequestedAt: soon}
		screens["withdraw "+status] = screen.Withdraw(text, options, balance, []sqlapi.OwnWithdrawal{latest})
		latest.Reason = strings.Repeat("<", 5000)
		screens["withdraw because "+status] = screen.Withdraw(text, options, balance, []sqlapi.OwnWithdrawal{latest})
	}
	for _, reason := range []screen.WithdrawalAsk{screen.WithdrawalAmount, screen.WithdrawalNoAmount, screen.WithdrawalTooSmall, screen.WithdrawalTooLarge} {
		screens["ask withdrawal "+string(reason)] = screen.AskWithdrawal(text, reason, options, balance)
	}
	draft := sqlapi.ShownDraft{DraftID: atlas.DraftID(purchaseID), Amount: 139900, ExpiresAt: soon}
	screens["ask requisites"] = screen.AskRequisites(text, sqlapi.PossibleWithdrawal{Amount: 139900, Left: 1})
	screens["wrong requisites"], screens["draft expired"] = screen.WrongRequisites(text), screen.DraftExpired(text)
	screens["requisites lost"] = screen.RequisitesLost(text)
	screens["confirm withdrawal"] = screen.ConfirmWithdrawal(text, draft, "••••<&>1")
	screens["final withdrawal"] = screen.FinalWithdrawal(text, draft)
	screens["not enough to withdraw"] = screen.NotEnoughToWithdraw(text, balance)
}

// peopleScreens draws the screens of trial, renewal, loyalty, new keys and the service's status.
func peopleScreens(text *i18n.Text, screens map[string]screen.Screen, soon time.Time) {
	for _, refusal := range []string{"", "SU002", "SU003", "US002", "OP003", "ZZ999"} {
		screens["trial "+refusal] = screen.Trial(text, sqlapi.TrialOffer{Refusal: refusal, Days: 3, Tariff: atlas.Basic, DeviceLimit: 3})
	}
	screens["trial started"] = screen.TrialStarted(text, atlas.Basic, soon)
	running := sqlapi.CurrentSubscription{Status: atlas.TrialSubscription, Tariff: atlas.Basic, ExpiresAt: &soon, Activation: "pending"}
	screens["trial runs"] = screen.TrialRuns(text, running)
	for name, renewal := range map[string]sqlapi.Renewal{
		"on":         {AutoRenew: true, ExpiresAt: &soon, RenewsAt: &soon, Tariff: atlas.Plus, Months: 12, IsSold: true, Price: 160930},
		"off":        {ExpiresAt: &soon, RenewsAt: &soon, Tariff: atlas.Plus, Months: 1, IsSold: true, Price: 1, Available: 2},
		"not bought": {ExpiresAt: &soon, RenewsAt: &soon}, "not sold": {ExpiresAt: &soon, RenewsAt: &soon, Tariff: "gone", Months: 3}, "nothing": {},
	} {
		screens["renewal "+name] = screen.Renewal(text, renewal)
	}
	for _, status := range []atlas.SubscriptionStatus{"none", "trial", "active", "expired"} {
		for _, activation := range []atlas.Activation{"none", "pending", "active", "failed"} {
			s := sqlapi.CurrentSubscription{Status: status, ExpiresAt: &soon, Activation: activation}
			screens[fmt.Sprint("ask reissue ", status, activation)] = screen.AskReissue(text, s, "12")
			screens[fmt.Sprint("reissued ", status, activation)] = screen.Reissued(text, s)
		}
	}
	for _, level := range []string{"silver", "gold", "platinum", "diamond"} {
		screens["loyalty "+level] = screen.Loyalty(text, sqlapi.ReferralStats{
			Code: "0123456789abcdef", Level: level, Percent: 10, Earned: 1_000_000_000_000, NextLevel: "gold", NextFromPaying: 25, NextPercent: 25,
		}, "atlas_bot")
	}
	screens["loyalty highest"] = screen.Loyalty(text, sqlapi.ReferralStats{Code: "x", Level: "platinum"}, "atlas_bot")
	worst := strings.Repeat("&", 200)
	own := sqlapi.OwnCorporate{RequestID: 12, Company: worst, Contact: worst, RequestedAt: soon}
	closed := sqlapi.OwnCorporate{RequestID: 12, ClosedAt: &soon}
	screens["corporate"], screens["corporate waits"] = screen.Corporate(text, nil), screen.Corporate(text, []sqlapi.OwnCorporate{own})
	screens["corporate closed"] = screen.Corporate(text, []sqlapi.OwnCorporate{closed})
	screens["ask company"], screens["wrong contact"] = screen.AskCompany(text, false), screen.AskContact(text, true)
	screens["confirm corporate"] = screen.ConfirmCorporate(text, worst, worst, "12")
	screens["corporate too often"] = screen.TooOften(text, "corporate", 8*time.Hour)
	request := sqlapi.WaitingCorporate{RequestID: 12, TelegramID: 12, Company: worst, Contact: worst, Username: strings.Repeat("&", 64), RequestedAt: soon}
	screens["corporate list"] = screen.CorporateList(text, []sqlapi.WaitingCorporate{request, request, request, request})
	screens["corporate list empty"] = screen.CorporateList(text, nil)
	args := screen.CorporateArgs{RequestID: 12, TelegramID: 12, Company: worst, Contact: worst, RegisteredAt: soon}
	screens["corporate requested"] = screen.CorporateRequested(text, args)
	args.Tariff, args.ExpiresAt = atlas.Basic, &soon
	screens["corporate requested with"] = screen.CorporateRequested(text, args)
	for _, state := range []string{"up", "degraded", "down", "unknown", "odd"} {
		states := []sqlapi.ServiceState{{Component: "service", State: state, Since: &soon}}
		for _, component := range []string{"database", "redis", "telegram", "vpn", "cryptopay", "other"} {
			states = append(states, sqlapi.ServiceState{Component: component, State: state, Since: &soon})
		}
		screens["status "+state] = screen.Status(text, states)
	}
}

var tags = regexp.MustCompile(`</?[a-z]+>`)

func TestEveryScreen(t *testing.T) {
	t.Parallel()
	b, err := bot.New(bot.Parts{})
	require.NoError(t, err)
	c, err := i18n.Load(func(err error) { t.Error(err) })
	require.NoError(t, err)
	for _, language := range c.Languages() {
		for name, s := range allScreens(t, c, c.In(language)) {
			name = string(language) + " " + name
			shown := tags.ReplaceAllString(string(s.Text), "")
			limit := screen.MaxText
			if s.PNG != nil {
				limit = screen.MaxCaption
			}
			require.LessOrEqual(t, utf8.RuneCountInString(shown), limit, name)
			require.LessOrEqual(t, utf8.RuneCountInString(s.Toast), screen.MaxToast, name)
			require.NotRegexp(t, `[<>]`, shown, "%s: something is not escaped", name)
			hasWayBack := false
			for _, row := range s.Rows {
				require.NotEmpty(t, row, name)
				for _, button := range row {
					require.NotEmpty(t, button.Label, name)
					require.LessOrEqual(t, utf8.RuneCountInString(button.Label), screen.MaxLabel, name)
					require.LessOrEqual(t, len(button.Data), screen.MaxData, name)
					if button.Data == "" {
						require.True(t, button.URL != "" || button.IsPay || button.Copy != "", name)
						require.LessOrEqual(t, utf8.RuneCountInString(button.Copy), screen.MaxCopy, name)
						continue
					}
					verb, argument := screen.Parse(button.Data)
					require.True(t, b.HasRoute(verb), "%s: a dead button: %s", name, button.Data)
					require.NotRegexp(t, `\d{3,}`, strings.ReplaceAll(argument, string(purchaseID), ""), "%s: a number like a price in %s", name, button.Data)
					hasWayBack = true
				}
			}
			require.NotContains(t, shown, "withdrawal.", "%s: a text that is not there", name)
			require.True(t, hasWayBack, "%s has no way back", name)
			if s.Invoice != nil {
				require.True(t, s.Rows[0][0].IsPay, "%s: Telegram wants Pay first", name)
				require.LessOrEqual(t, utf8.RuneCountInString(s.Invoice.Title), 32, name)
				require.LessOrEqual(t, utf8.RuneCountInString(s.Invoice.Description), 255, name)
			}
		}
		require.Contains(t, string(allScreens(t, c, c.In(language))["key activeactive"].Text), "<code>vless://")
		require.Nil(t, allScreens(t, c, c.In(language))["long key ready"].PNG, "too long for a caption")
	}
}

// refusalCodes are the SQLSTATEs that the code knows.
func refusalCodes(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile("../atlas/errors.go")
	require.NoError(t, err)
	var codes []string
	for _, match := range regexp.MustCompile(`Code: "(\w{5})"`).FindAllStringSubmatch(string(source), -1) {
		codes = append(codes, match[1])
	}
	require.Greater(t, len(codes), 30)
	return codes
}

func TestEveryRefusalHasAText(t *testing.T) {
	t.Parallel()
	codes := refusalCodes(t)
	c, err := i18n.Load(func(err error) { t.Error(err) })
	require.NoError(t, err)
	for _, language := range c.Languages() {
		text := c.In(language)
		for _, code := range codes {
			require.True(t, text.Has("error."+code), "%s in %s", code, language)
			s := screen.Failure(text, code, "u1")
			require.NotContains(t, string(s.Text), "u1")
			require.NotEmpty(t, s.Rows)
		}
		for _, refusal := range []string{"unknown_purchase", "blocked", "expired", "not_open", "amount_differs", "unavailable"} {
			require.True(t, text.Has("alert.check_"+refusal), refusal)
		}
	}
}

func TestEveryCommandIsInTheHelp(t *testing.T) {
	t.Parallel()
	b, err := bot.New(bot.Parts{})
	require.NoError(t, err)
	c, err := i18n.Load(func(err error) { t.Error(err) })
	require.NoError(t, err)
	for _, language := range c.Languages() {
		help := string(screen.Help(c.In(language)).Text)
		for _, command := range b.Commands() {
			if command != "help" && command != "admin" { // which only admins have, and know
				require.Contains(t, help, "/"+command+" ", language)
			}
		}
	}
}

func TestTypedAmounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]atlas.Kopecks{
		"500": 50000, " 1 500 ": 150000, "1500,5": 150050, "1500.50 ₽": 150050, "750 руб.": 75000, "750р": 75000, "100 RUB": 10000,
		"1\u00a0000": 100000, "0,01": 1,
	} {
		got, err := bot.ParseAmount(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "0", "-5", "+5", "1e3", "1,2,3", "0x10", "١٢٣", "5 $", "1.005", "99999999999999999999", "NaN", "½", "₽"} {
		_, err := bot.ParseAmount(text)
		require.ErrorIs(t, err, atlas.ErrMalformedAmount, text)
	}
}
