package bot_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/tests/harness"
)

// figureScreens draws the screens of figures, before the first count and with the largest there can be.
func figureScreens(text *i18n.Text, screens map[string]screen.Screen, soon time.Time) {
	screens["no statistics"] = screen.Statistics(text, sqlapi.Statistics{})
	screens["no analytics"] = screen.Analytics(text, sqlapi.Analytics{})
	screens["no metrics"] = screen.Metrics(text, sqlapi.Metrics{})
	many, money, percent := int64(1)<<60, atlas.Kopecks(1_000_000_000_000), -100
	screens["statistics"] = screen.Statistics(text, sqlapi.Statistics{ComputedAt: &soon, Users: many, Active: many, Trials: many, Expired: many,
		Tariffs: map[atlas.Tariff]int64{"basic": many, "plus": 1, "other": 2}})
	analytics := sqlapi.Analytics{ComputedAt: &soon, Month: &soon, Revenue: money, Net: -money, Ways: map[string]atlas.Kopecks{
		"balance": money, "free": 0, "telegram": money, "stars": money, "cryptobot": money, "manual": money, "new": money}}
	screens["analytics without payers"] = screen.Analytics(text, analytics)
	analytics.ARPPU, analytics.ARPU, analytics.BeforeARPPU, analytics.LTV, analytics.Change = &money, &money, &money, &money, &percent
	screens["analytics"] = screen.Analytics(text, analytics)
	screens["metrics without payers"] = screen.Metrics(text, sqlapi.Metrics{ComputedAt: &soon, MedianToday: 90_500})
	percent = 100
	screens["metrics"] = screen.Metrics(text, sqlapi.Metrics{ComputedAt: &soon, RenewalsPerHundred: &many, ApprovedPercent: &percent})
}

// TestFigures: before the job has counted the screens say so; then they show the same as the books.
func TestFigures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	anna, boss := b.started(t, "Anna", "en"), b.admin(t, "Boss", "en")
	b.credit(t, anna, 500)
	b.press(t, anna, "Buy VPN")
	b.press(t, anna, "Basic")
	b.press(t, anna, "1 month — 149 ₽")
	b.press(t, anna, "Pay from the balance")
	b.waitCount(t, 1, `select count(*)::int from billing.purchase where status = 'paid'`)
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Withdrawals waiting")
	for _, label := range []string{"📊 Statistics", "💰 Money", "⏱ Metrics"} {
		b.press(t, boss, label)
		b.waitLast(t, boss, "Nothing is counted yet")
	}
	_, err := b.openDB(t, harness.WorkerLogin).Ops.FiguresDue(b.ctx, nil, 7)
	require.NoError(t, err)
	b.press(t, boss, "📊 Statistics")
	m := b.waitLast(t, boss, "Subscriptions in force: 1")
	require.Contains(t, m.Text, "Users: 3")
	require.Contains(t, m.Text, "As of ")
	b.press(t, boss, "💰 Money")
	m = b.waitLast(t, boss, "Revenue: 149 ₽")
	require.Contains(t, m.Text, "By each of them (LTV): 149 ₽")
	b.press(t, boss, "⏱ Metrics")
	b.waitLast(t, boss, "Purchases: 1, buyers: 1")
}
