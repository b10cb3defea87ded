package bot_test

import (
	"strconv"
	"strings"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// systemScreens draws the admins' screens of switches and incidents.
func systemScreens(c *i18n.Catalogue, text *i18n.Text, screens map[string]screen.Screen, soon time.Time) {
	long := strings.Repeat("<&>\"", 10) + strings.Repeat("ы", 960)
	var features []sqlapi.Feature
	for _, name := range []string{"admin_actions", "auto_renewal", "broadcasts", "payments", "provisioning", "trials", "withdrawals", "workers", "other"} {
		for _, isOn := range []bool{true, false} {
			f := sqlapi.Feature{Name: name, IsOn: isOn}
			screens["untouched feature "+name] = screen.Feature(text, f)
			f.ChangedAt, f.ChangedBy, f.ChangedByUsername = &soon, 1, long[:64]
			screens["feature "+name] = screen.Feature(text, f)
			screens["ask feature "+name] = screen.AskFeatureOff(text, f)
			if !isOn {
				features = append(features, f)
			}
		}
	}
	screens["features"] = screen.Features(text, features)
	for _, question := range []screen.IncidentQuestion{screen.IncidentInRussian, screen.IncidentNoRussian, screen.IncidentInEnglish, screen.IncidentNoEnglish} {
		screens["ask incident "+string(question)] = screen.AskIncident(text, question)
	}
	screens["no incident"] = screen.Incident(text, sqlapi.ShownIncident{})
	shown := sqlapi.ShownIncident{TextRu: long, TextEn: long, SetAt: &soon, SetBy: 1}
	screens["old incident"] = screen.Incident(text, shown)
	shown.IsOn, shown.Since = true, &soon
	screens["incident"] = screen.Incident(text, shown)
	both := long + "\n\n" + long
	screens["broadcast of an incident"] = screen.AskIncidentBroadcast(text, screen.BroadcastSegment, true, both)
	screens["broadcast of its end"] = screen.AskIncidentBroadcast(text, screen.BroadcastTextOne, false, both)
	draft := atlas.DraftID(purchaseID)
	screens["confirm incident"] = screen.ConfirmIncident(text, c, sqlapi.IncidentTexts{IsOn: true, TextRu: long, TextEn: long}, draft)
	screens["confirm the end"] = screen.ConfirmIncident(text, c, sqlapi.IncidentTexts{}, draft)
	for _, name := range []string{"menu", "tariffs"} {
		s := screens[name]
		s.Text = i18n.Join("\n\n", screen.Banner(text, long), s.Text)
		screens[name+" in an incident"] = s
	}
}

// jobScreens draws the admins' screens of the system.
func jobScreens(text *i18n.Text, screens map[string]screen.Screen, soon time.Time) {
	long := strings.Repeat("<&>\"", 300)
	components := []sqlapi.Component{{Kind: "service", Name: "service", State: "degraded", Since: &soon, Detail: "vpn"}}
	for _, name := range []string{"database", "redis", "telegram", "vpn", "cryptopay"} {
		components = append(components, sqlapi.Component{Kind: "dependency", Name: name, State: "down", Detail: long})
	}
	for _, name := range []string{"bot", "worker", "vpn node", "cryptobot", "inbox", "provisioning", "messages", "cashback",
		"open purchases", "expiry", "renewals", "reminders", "seal", "other"} {
		components = append(components, sqlapi.Component{Kind: "part", Name: name, State: "behind", Detail: "12 waiting"})
	}
	server := sqlapi.System{SchemaVersion: 12, PostgresVersion: "15.18", PostgresStartedAt: soon, DatabaseBytes: 1 << 40, CheckedAt: soon}
	screens["system"] = screen.System(text, server, components)
	own := screen.OwnProcess{Holder: long[:60], Version: "(devel) abc go1.26", StartedAt: soon}
	screens["no processes"] = screen.Processes(text, own, server, nil)
	var leaders []sqlapi.Process
	var waits []sqlapi.LockWait
	var jobs []sqlapi.ListedJob
	for range 14 {
		leaders = append(leaders, sqlapi.Process{Holder: "host/12/aabb", Leads: strings.Split(strings.Repeat("a.job ", 14), " "), Since: soon})
		jobs = append(jobs, sqlapi.ListedJob{Name: "subscription.renew_due", Schedule: "20 seconds", IsEnabled: true, LastFinishedAt: &soon})
	}
	for range 4 {
		waits = append(waits, sqlapi.LockWait{Waited: time.Minute, WaitsFor: "row (1,2) of account.account", Query: long, BlockingQuery: long, Application: long, BlockingApp: "x"})
	}
	screens["processes"] = screen.Processes(text, own, server, leaders)
	screens["locks"], screens["no locks"] = screen.LockWaits(text, waits), screen.LockWaits(text, nil)
	screens["jobs"] = screen.Jobs(text, jobs)
	for name, job := range map[string]sqlapi.ListedJob{
		"new":     {Name: "vpn.provision", IsEnabled: true},
		"off":     {Name: "other.job", Description: "Does <this>.", LastFinishedAt: &soon},
		"failing": {Name: "audit.seal", IsEnabled: true, IsExclusive: true, NextRunAt: &soon, LastFinishedAt: &soon, LastError: long, ConsecutiveFailures: 3, Leader: "w"},
	} {
		screens["job "+name], screens["ask job "+name] = screen.Job(text, job), screen.AskJobOff(text, job)
	}
	letter := sqlapi.DeadLetter{ListedLetter: sqlapi.ListedLetter{DeadID: 7, JobName: "notify.send", Subject: long, Error: long, DiedAt: soon}, TelegramID: 1}
	screens["letter"], screens["no letter"] = screen.DeadLetter(text, letter), screen.NoDeadLetter(text)
	screens["ask letter"] = screen.AskLetterDropped(text, letter, atlas.DraftID(purchaseID))
	letter.Subject = "update:1"
	var letters []sqlapi.ListedLetter
	for range 9 {
		letters = append(letters, letter.ListedLetter)
	}
	screens["letters"] = screen.DeadLetters(text, screen.PageOf(letters, 8, false))
	screens["no letters"] = screen.DeadLetters(text, screen.PageOf(letters[:0], 8, true))
}

// promoAdminScreens draws the admins' screens of promo codes.
func promoAdminScreens(text *i18n.Text, screens map[string]screen.Screen, soon time.Time) {
	draft, code := atlas.DraftID(purchaseID), strings.Repeat("Z", 32)
	listed := sqlapi.ListedPromo{PromoID: 12, Code: code, Percent: 100, MaxUses: 1_000_000, ExpiresAt: &soon}
	var codes []sqlapi.ListedPromo
	var batches []sqlapi.PromoBatch
	var batch []sqlapi.BatchCode
	for range 9 {
		codes = append(codes, listed)
		batches = append(batches, sqlapi.PromoBatch{BatchID: 12, Codes: 100, Percent: 100, PerUserLimit: 1, IssuedAt: soon, IssuedBy: 1, IssuedByUsername: code})
	}
	for i := range 100 {
		batch = append(batch, sqlapi.BatchCode{BatchID: 12, Code: code[:10], IsActive: i%3 > 0, IsUsed: i%2 > 0})
	}
	screens["promos"], screens["promos over"] = screen.Promos(text, screen.PageOf(codes, 8, false), true), screen.Promos(text, screen.PageOf(codes[:0], 8, true), false)
	screens["batches"], screens["no batches"] = screen.Batches(text, screen.PageOf(batches, 8, false)), screen.Batches(text, screen.PageOf(batches[:0], 8, true))
	screens["batch"], screens["used batch"] = screen.Batch(text, batch), screen.Batch(text, batch[:1])
	left := int64(5)
	for name, card := range map[string]sqlapi.PromoCard{
		"active": {ListedPromo: listed, UsesLeft: &left, Uses: 20_000, Counted: 10_000, IssuedAt: soon}, "expired": {ListedPromo: listed, IsExpired: true},
		"disabled": {ListedPromo: listed, DisabledAt: &soon, DisabledBy: 1, BatchID: 3, Revenue: 1_000_000_000_000},
	} {
		card.IsActive = name == "active"
		screens["promo card "+name], screens["ask promo off "+name] = screen.PromoCard(text, card), screen.AskPromoOff(text, card, draft)
		for _, reason := range []screen.PromoLimitAsk{screen.PromoLimitAsked, screen.PromoLimitNoNumber, screen.PromoLimitTooLow} {
			screens["ask promo limit "+name+string(reason)] = screen.AskPromoLimit(text, card, reason)
		}
		screens["confirm promo limit "+name] = screen.ConfirmPromoLimit(text, card, 0, draft)
	}
	screens["no promo"], screens["find promo"], screens["find promo again"] = screen.NoSuchPromo(text), screen.AskPromoToFind(text, false), screen.AskPromoToFind(text, true)
	for _, step := range []string{"code", "count", "percent", "unit", "value", "uses", "per_user"} {
		screens["new promo "+step], screens["new promo wrong "+step] = screen.AskNewPromo(text, step, false), screen.AskNewPromo(text, step, true)
	}
	for name, wanted := range map[string]screen.NewPromo{"one": {Code: strings.Repeat("<", 5000), Percent: 1}, "generated": {MaxUses: 5}, "many": {Count: 100}} {
		screens["confirm promo "+name] = screen.ConfirmNewPromo(text, wanted, &soon, draft)
	}
	screens["endless promo"], screens["promo taken"] = screen.ConfirmNewPromo(text, screen.NewPromo{}, nil, draft), screen.PromoTaken(text, strings.Repeat("<", 5000))
}

// exportScreens draws the admins' screens of exports, and what stands under a file.
func exportScreens(text *i18n.Text, screens map[string]screen.Screen, soon time.Time) {
	long := strings.Repeat("<&>\"", 300)
	kinds := []string{sqlapi.ExportUsers, sqlapi.ExportSubscriptions, sqlapi.ExportLedger, sqlapi.ExportBatch}
	listed := func(change func(e *sqlapi.ListedExport)) screen.Page[sqlapi.ListedExport] {
		var found []sqlapi.ListedExport
		for i := range screen.ExportPage + 1 {
			e := sqlapi.ListedExport{ExportID: 12, Kind: kinds[i%4], RequestedAt: soon, ExpectedRows: 1 << 40, RowsRead: 1 << 40, Parts: 1 << 20, LastError: long}
			if e.Kind == sqlapi.ExportBatch {
				e.BatchID = 1 << 40
			}
			change(&e)
			found = append(found, e)
		}
		return screen.PageOf(found, screen.ExportPage, false)
	}
	screens["no exports"] = screen.Exports(text, screen.PageOf([]sqlapi.ListedExport{}, screen.ExportPage, true))
	screens["exports that wait again"] = screen.Exports(text, listed(func(*sqlapi.ListedExport) {}))
	screens["exports that run"] = screen.Exports(text, listed(func(e *sqlapi.ListedExport) { e.IsRunning = true }))
	screens["exports that wait"] = screen.Exports(text, listed(func(e *sqlapi.ListedExport) { e.LastError = "" }))
	for _, outcome := range []string{sqlapi.ExportDone, sqlapi.ExportCancelled, sqlapi.ExportUnreachable, sqlapi.ExportRefused, sqlapi.ExportFailed} {
		screens["exports "+outcome] = screen.Exports(text, listed(func(e *sqlapi.ListedExport) { e.Outcome = outcome }))
	}
	for _, kind := range kinds {
		for _, isLast := range []bool{true, false} {
			s := screen.ExportPart(text, sqlapi.ClaimedExport{Kind: kind, BatchID: 1, RequestedAt: soon}, sqlapi.ExportPart{Number: 3, IsLast: isLast, From: soon, To: soon})
			screens["part of "+kind+strconv.FormatBool(isLast)] = s
		}
	}
}

// referralAdminScreens draws the admins' screens of referrals.
func referralAdminScreens(text *i18n.Text, screens map[string]screen.Screen, soon time.Time) {
	name := strings.Repeat("<&>\"", 16)
	screens["referrals"] = screen.Referrals(text, sqlapi.ReferralOverview{Invited: 1_000_000, Owed: 1},
		[]sqlapi.ReferralLevel{{Level: "silver", Percent: 10}, {Level: "gold", Percent: 25}, {Level: "other", Percent: 45}, {Earned: 1_000_000_000_000}})
	var best []sqlapi.TopReferrer
	var people []sqlapi.InvitedPerson
	for i := range 9 {
		best = append(best, sqlapi.TopReferrer{TelegramID: 12, Username: name, Level: "gold", Paying: 30, Earned: 1_000_000_000_000})
		people = append(people, sqlapi.InvitedPerson{TelegramID: 12, Username: name, RegisteredAt: soon})
		if i%2 == 0 {
			people[i].PaysSince = &soon
		}
	}
	screens["referral top"], screens["no referral top"] = screen.ReferralTop(text, screen.PageOf(best, 8, false)), screen.ReferralTop(text, screen.PageOf(best[:0], 8, true))
	screens["invited"], screens["nobody invited"] = screen.Invited(text, 12, screen.PageOf(people, 8, false)), screen.Invited(text, 12, screen.PageOf(people[:0], 8, true))
	for _, reason := range []screen.ReferrerQuestion{screen.ReferrerAsked, screen.ReferrerNoName, screen.ReferrerNobody} {
		screens["ask referrer "+string(reason)] = screen.AskReferrer(text, reason)
	}
	screens["found referrers"] = screen.FoundReferrers(text, []sqlapi.FoundReferrer{{TelegramID: 1, Username: name}, {TelegramID: 2}})
	detail := sqlapi.ReferralDetail{TelegramID: 1, Username: name, Code: "0123456789abcdef", RegisteredAt: soon, Level: "gold"}
	screens["referrer alone"] = screen.Referrer(text, detail)
	detail.ReferrerID, detail.ReferrerUsername = 2, name
	screens["referrer"] = screen.Referrer(text, detail)
}
