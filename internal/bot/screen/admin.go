package screen

import (
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// VerbAdmin is the admins' first screen. Verbs of admins begin with a_.
const VerbAdmin Verb = "a"

// AdminMenu shows what waits for the admins. Each part of the admins' screens has its row.
func AdminMenu(t *i18n.Text, d sqlapi.Dashboard) Screen {
	lines := []i18n.HTML{
		t.HTML("admin.head", i18n.Args{"state": stateName(t, d.ServiceState)}),
		t.HTML("admin.waiting", i18n.Args{
			"withdrawals": d.PendingWithdrawals, "suspense": d.SuspendedPayments, "keys": d.WaitingKeys,
			"dead": d.DeadLetters, "broadcasts": d.RunningBroadcasts,
		}),
	}
	for _, name := range d.FeaturesOff {
		lines = append(lines, t.HTML("admin.feature_off", i18n.Args{"feature": featureName(t, name)}))
	}
	return Screen{Text: i18n.Join("\n", lines...), Rows: [][]Button{
		// Users.
		row(press(t, "button.a_users", VerbAdminUsers), press(t, "button.corporate_list", VerbAdminCorporate)),
		row(press(t, "button.a_audit", VerbAdminAudit)),

		// Money.
		row(press(t, "button.payouts", VerbPayouts), press(t, "button.suspense", VerbSuspense)),
		row(press(t, "button.vpn_keys", VerbVPNKeys), press(t, "button.manual", VerbManual)),
		row(press(t, "button.statistics", VerbStatistics), press(t, "button.analytics", VerbAnalytics),
			press(t, "button.metrics", VerbMetrics)),

		// Promo codes and referrals.
		row(press(t, "button.promos", VerbPromos), press(t, "button.referrals", VerbReferrals)),

		// Broadcasts and exports.
		row(press(t, "button.broadcasts", VerbBroadcasts), press(t, "button.exports", VerbExports)),

		// Incidents, switches, system.
		row(press(t, "button.incident", VerbIncident), press(t, "button.features", VerbFeatures)),
		row(press(t, "button.system", VerbSystem)),

		row(press(t, "button.refresh", VerbAdmin)),
		toMenu(t),
	}}
}

// stateName is how a component, or the service, is.
func stateName(t *i18n.Text, state string) string {
	if key := "word.state_" + state; t.Has(key) {
		return t.Plain(key)
	}
	return state
}

// featureName is what a switch switches.
func featureName(t *i18n.Text, feature string) string {
	if key := "word.feature_" + feature; t.Has(key) {
		return t.Plain(key)
	}
	return feature
}

// DraftOver says that a confirmation came too late and nothing was done.
func DraftOver(t *i18n.Text) Screen {
	return Screen{Text: t.HTML("admin.draft_over"), Rows: [][]Button{toAdmin(t)}}
}

// toAdmin leads back to the admins' first screen.
func toAdmin(t *i18n.Text) []Button { return row(press(t, "button.admin", VerbAdmin)) }
