package screen

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// Figures for admins.
const (
	VerbStatistics Verb = "a_stats"
	VerbAnalytics  Verb = "a_money"
	VerbMetrics    Verb = "a_metrics"
)

// figures is one of these screens; nothing is known before the job has counted.
func figures(t *i18n.Text, verb Verb, computedAt *time.Time, lines ...i18n.HTML) Screen {
	if computedAt == nil {
		lines = []i18n.HTML{t.HTML("figures.none")}
	} else {
		lines = append(lines, "", t.HTML("figures.as_of", i18n.Args{"at": *computedAt}))
	}
	return Screen{Text: i18n.Join("\n", lines...), Rows: [][]Button{
		row(press(t, "button.statistics", VerbStatistics), press(t, "button.analytics", VerbAnalytics),
			press(t, "button.metrics", VerbMetrics)),
		row(press(t, "button.refresh", verb)), toAdmin(t),
	}}
}

// Statistics shows how many users and subscriptions there are.
func Statistics(t *i18n.Text, f sqlapi.Statistics) Screen {
	lines := []i18n.HTML{
		t.HTML("figures.users", i18n.Args{
			"users": f.Users, "today": f.NewToday, "week": f.New7Days, "month": f.New30Days, "blocked": f.Blocked,
			"unreachable": f.Unreachable,
		}),
		"\n" + t.HTML("figures.subscriptions", i18n.Args{"active": f.Active, "trials": f.Trials, "expired": f.Expired}),
	}
	for _, tariff := range slices.Sorted(maps.Keys(f.Tariffs)) {
		lines = append(lines, t.HTML("figures.tariff", i18n.Args{"tariff": tariffName(t, tariff), "number": f.Tariffs[tariff]}))
	}
	return figures(t, VerbStatistics, f.ComputedAt, lines...)
}

// Analytics shows what came in, by month and by way.
func Analytics(t *i18n.Text, f sqlapi.Analytics) Screen {
	lines := []i18n.HTML{t.HTML("figures.month", i18n.Args{
		"revenue": f.Revenue, "refunded": f.Refunded, "net": f.Net, "payers": f.Payers,
		"arppu": moneyOrNone(t, f.ARPPU), "arpu": moneyOrNone(t, f.ARPU),
	})}
	for _, way := range slices.Sorted(maps.Keys(f.Ways)) {
		lines = append(lines, t.HTML("figures.way", i18n.Args{"way": wayName(t, way), "amount": f.Ways[way]}))
	}
	change := t.Plain("word.none")
	if f.Change != nil {
		change = percent(*f.Change)
	}
	lines = append(lines,
		"\n"+t.HTML("figures.before", i18n.Args{
			"revenue": f.BeforeRevenue, "net": f.BeforeNet, "payers": f.BeforePayers,
			"arppu": moneyOrNone(t, f.BeforeARPPU), "change": change,
		}),
		"\n"+t.HTML("figures.ever", i18n.Args{"payers": f.PayersEver, "net": f.NetEver, "ltv": moneyOrNone(t, f.LTV)}),
	)
	return figures(t, VerbAnalytics, f.ComputedAt, lines...)
}

// percent writes a change with its sign.
func percent(n int) string {
	if n > 0 {
		return "+" + strconv.Itoa(n) + " %"
	}
	return strconv.Itoa(n) + " %"
}

func moneyOrNone(t *i18n.Text, amount *atlas.Kopecks) string {
	if amount == nil {
		return t.Plain("word.none")
	}
	return t.Money(*amount)
}

// Metrics shows how the service does.
func Metrics(t *i18n.Text, f sqlapi.Metrics) Screen {
	renewals, approved := t.Plain("word.none"), t.Plain("word.none")
	if f.RenewalsPerHundred != nil {
		renewals = strconv.FormatInt(*f.RenewalsPerHundred, 10)
	}
	if f.ApprovedPercent != nil {
		approved = strconv.Itoa(*f.ApprovedPercent) + " %"
	}
	return figures(t, VerbMetrics, f.ComputedAt,
		t.HTML("figures.keys_today", keyTimes(f.KeysToday, f.MedianToday, f.P95Today)),
		t.HTML("figures.keys_yesterday", keyTimes(f.KeysYesterday, f.MedianYesterday, f.P95Yesterday)),
		"\n"+t.HTML("figures.renewals", i18n.Args{"sales": f.Sales, "buyers": f.Buyers, "renewals": renewals}),
		"\n"+t.HTML("figures.withdrawals", i18n.Args{"approved": f.Approved, "rejected": f.Rejected, "share": approved}),
	)
}

func keyTimes(keys, median, p95 int64) i18n.Args {
	in := func(milliseconds int64) string { return (time.Duration(milliseconds) * time.Millisecond).String() }
	return i18n.Args{"keys": keys, "median": in(median), "p95": in(p95)}
}
