package bot

import (
	"context"
	"fmt"
	"slices"

	"github.com/mymmrac/telego"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/dialogue"
)

// handler answers one command, button or typed text with one screen.
type handler func(ctx context.Context, r *request) (screen.Screen, error)

// route leads from a command, a button's verb or what is typed at a dialogue's step to its handler. A command with a
// listed place is offered in Telegram's menu of commands. A verb that has a step, too, is a button inside a dialogue: it
// leaves its own dialogue as it is, wherever that stands, and the handler looks whether the person is at that step.
type route struct {
	command  string
	isListed bool
	verb     screen.Verb
	step     step
	handle   handler
	// registers says that the handler makes the person known itself; for all others that has happened before.
	registers bool
	// isAdmin says that only admins have it; its handler is wrapped by forAdmins.
	isAdmin bool
}

// step is a question of a dialogue.
type step struct {
	kind dialogue.Kind
	name string
}

// The dialogues of this release.
var (
	topupDialogue = dialogue.Kind{Name: "topup", Version: 1}
	topupAmount   = step{kind: topupDialogue, name: "amount"}

	promoDialogue = dialogue.Kind{Name: "promo", Version: 1}
	promoCode     = step{kind: promoDialogue, name: "code"}   // the code is asked for
	promoPlan     = step{kind: promoDialogue, name: "plan"}   // a plan to use it for
	promoOpened   = step{kind: promoDialogue, name: "opened"} // the purchase is open: a second press shows it again

	withdrawDialogue   = dialogue.Kind{Name: "withdraw", Version: 1}
	withdrawAmount     = step{kind: withdrawDialogue, name: "amount"}
	withdrawRequisites = step{kind: withdrawDialogue, name: "requisites"}
	withdrawConfirm    = step{kind: withdrawDialogue, name: "confirm"} // from here on there is a draft in the database
	withdrawFinal      = step{kind: withdrawDialogue, name: "final"}
)

// allRoutes is everything that can be said to the bot; the only other way in is a payment (see dispatch).
func (b *Bot) allRoutes() []route {
	return slices.Concat(b.shopRoutes(), b.peopleRoutes(), b.corporateRoutes(), b.newsRoutes(), b.adminRoutes())
}

// shopRoutes is what everybody has.
func (b *Bot) shopRoutes() []route {
	return []route{
		{command: "start", isListed: true, handle: b.bannered(b.start), registers: true},
		{command: "buy", isListed: true, handle: b.bannered(b.buy)},
		{command: "profile", isListed: true, handle: b.profile},
		{command: "instruction", isListed: true, handle: b.instruction},
		{command: "language", isListed: true, handle: b.languages},
		{command: "help", isListed: true, handle: b.help},
		{command: "info", isListed: true, handle: b.info},
		{command: "support", isListed: true, handle: b.support},
		{command: "paysupport", isListed: true, handle: b.paymentSupport},
		{command: "privacy", isListed: true, handle: b.privacy},

		{verb: screen.VerbMenu, handle: b.bannered(b.menu)},
		{verb: screen.VerbSettings, handle: b.settings},
		{verb: screen.VerbLanguages, handle: b.languages},
		{verb: screen.VerbLanguage, handle: b.bannered(b.chooseLanguage)},
		{verb: screen.VerbHelp, handle: b.help},
		{verb: screen.VerbInfo, handle: b.info},
		{verb: screen.VerbPrivacy, handle: b.privacy},
		{verb: screen.VerbSupport, handle: b.support},
		{verb: screen.VerbInstruction, handle: b.instruction},
		{verb: screen.VerbGuide, handle: b.guide},

		{verb: screen.VerbProfile, handle: b.profile},
		{verb: screen.VerbHistory, handle: b.history},
		{verb: screen.VerbKey, handle: b.key},
		{verb: screen.VerbQR, handle: b.qr},

		{verb: screen.VerbBuy, handle: b.bannered(b.buy)},
		{verb: screen.VerbTariff, handle: b.tariff},
		{verb: screen.VerbPlan, handle: b.openPurchase},
		{verb: screen.VerbShow, handle: b.showPurchase},
		{verb: screen.VerbCheck, handle: b.checkPurchase},
		{verb: screen.VerbPay, handle: b.payFromBalance},
		{verb: screen.VerbCrypto, handle: b.payByCrypto},
		{verb: screen.VerbStars, handle: b.payByStars},
		{verb: screen.VerbCard, handle: b.payByCard},
		{verb: screen.VerbCancel, handle: b.cancelPurchase},

		{verb: screen.VerbTopup, handle: b.topup},
		{verb: screen.VerbPreset, handle: b.topupPreset},
		{verb: screen.VerbTyped, handle: b.askAmount},
		{step: topupAmount, handle: b.topupTyped},

		{verb: screen.VerbPromo, handle: b.askPromo},
		{step: promoCode, handle: b.promoTyped},
		{step: promoPlan, handle: b.promoWaits},
		{verb: screen.VerbPromoTariffs, step: promoPlan, handle: b.promoTariffs},
		{verb: screen.VerbPromoTariff, step: promoPlan, handle: b.promoTariff},
		{verb: screen.VerbPromoPlan, step: promoPlan, handle: b.promoPurchase},
		{step: promoOpened, handle: b.promoOver},

		{verb: screen.VerbWithdraw, handle: b.withdraw},
		{verb: screen.VerbWithdrawTake, handle: b.withdrawCancel},
		{verb: screen.VerbWithdrawAsk, handle: b.withdrawAsk},
		{step: withdrawAmount, handle: b.withdrawAmountTyped},
		{step: withdrawRequisites, handle: b.withdrawRequisitesTyped},
		{step: withdrawConfirm, handle: b.withdrawWaits},
		{verb: screen.VerbWithdrawConfirm, step: withdrawConfirm, handle: b.withdrawConfirmed},
		{step: withdrawFinal, handle: b.withdrawWaits},
		{verb: screen.VerbWithdrawSubmit, step: withdrawFinal, handle: b.withdrawSubmit},
	}
}

// peopleRoutes is what everybody has beside buying and paying: trial, renewal, loyalty, corporate access, status.
func (b *Bot) peopleRoutes() []route {
	return []route{
		{verb: screen.VerbTrial, handle: b.trial},
		{verb: screen.VerbTrialStart, handle: b.startTrial},
		{verb: screen.VerbRenew, handle: b.renew},
		{verb: screen.VerbRenewal, handle: b.renewal},
		{verb: screen.VerbRenewalSet, handle: b.setRenewal},
		{verb: screen.VerbReissue, handle: b.reissue},
		{verb: screen.VerbReissueNow, handle: b.reissueNow},
		{command: "referral", isListed: true, handle: b.loyalty},
		{verb: screen.VerbLoyalty, handle: b.loyalty},
		{command: "status", isListed: true, handle: b.bannered(b.status)},
		{verb: screen.VerbStatus, handle: b.bannered(b.status)},
	}
}

// adminRoutes is what only admins have.
func (b *Bot) adminRoutes() []route {
	all := slices.Concat([]route{
		{command: "admin", handle: b.adminMenu},
		{verb: screen.VerbAdmin, handle: b.adminMenu},
	}, b.adminUserRoutes(), b.adminCorporateRoutes(), b.adminMoneyRoutes(), b.adminPromoRoutes(), b.adminBroadcastRoutes(), b.adminSystemRoutes())
	for i := range all {
		all[i].isAdmin = true
		all[i].handle = b.forAdmins(all[i].handle)
	}
	return all
}

// adminUserRoutes: users, their keys, the audit.
func (b *Bot) adminUserRoutes() []route {
	all := []route{
		{verb: screen.VerbAdminUsers, handle: b.users},
		{step: userSearchQuery, handle: b.userSearched},
		{verb: screen.VerbAdminUser, handle: b.userCard},
		{verb: screen.VerbAdminHistory, handle: b.userHistory},
		{verb: screen.VerbAdminPurchases, handle: b.userPurchases},
		{verb: screen.VerbAdminAudit, handle: b.auditAll},
		{verb: screen.VerbAdminAuditOn, handle: b.auditOn},
		{verb: screen.VerbAdminAuditBy, handle: b.auditBy},
	}
	for _, f := range userFlows() {
		all = append(all, f.routes(b)...)
	}
	return all
}

// adminMoneyRoutes: figures, withdrawals, suspense, activations, manual payments, export.
func (b *Bot) adminMoneyRoutes() []route {
	return slices.Concat(b.adminPayoutRoutes(), b.adminSuspenseRoutes(), b.adminPurchaseRoutes(), b.adminKeyRoutes(), b.adminVPNRoutes(),
		b.adminFigureRoutes())
}

// adminPromoRoutes: promo codes and referrals.
func (b *Bot) adminPromoRoutes() []route {
	return []route{
		{verb: screen.VerbPromos, handle: b.promos},
		{verb: screen.VerbPromosOver, handle: b.promosOver},
		{verb: screen.VerbPromoCard, handle: b.promoCard},
		{verb: screen.VerbPromoFind, handle: b.promoFind},
		{step: promoFindCode, handle: b.promoFindTyped},
		{verb: screen.VerbPromoOff, handle: b.promoOff},
		{verb: screen.VerbPromoOffYes, handle: b.promoOffConfirmed},
		{verb: screen.VerbPromoLimit, handle: b.promoLimit},
		{step: promoLimitUses, handle: b.promoLimitTyped},
		{verb: screen.VerbPromoLimitNone, step: promoLimitUses, handle: b.promoLimitNone},
		{step: promoLimitConfirm, handle: b.promoLimitStands},
		{verb: screen.VerbPromoLimitYes, step: promoLimitConfirm, handle: b.promoLimitConfirmed},

		{verb: screen.VerbPromoCreate, handle: b.promoCreate},
		{verb: screen.VerbPromoCreateMany, handle: b.promoCreateMany},
		{step: promoNewCode, handle: b.promoNewTyped},
		{step: promoNewCount, handle: b.promoNewTyped},
		{step: promoNewPercent, handle: b.promoNewTyped},
		{step: promoNewUnit, handle: b.promoNewWaits},
		{step: promoNewValue, handle: b.promoNewTyped},
		{step: promoNewUses, handle: b.promoNewTyped},
		{step: promoNewPerUser, handle: b.promoNewTyped},
		{step: promoNewConfirm, handle: b.promoNewWaits},
		{verb: screen.VerbPromoAnswer, step: promoNewUnit, handle: b.promoNewPressed},
		{verb: screen.VerbPromoCreateYes, step: promoNewConfirm, handle: b.promoNewConfirmed},
		{verb: screen.VerbBatches, handle: b.batches},
		{verb: screen.VerbBatch, handle: b.batch},
		{verb: screen.VerbBatchFile, handle: b.batchFile},

		{verb: screen.VerbReferrals, handle: b.referrals},
		{verb: screen.VerbReferralTop, handle: b.referralTop},
		{verb: screen.VerbReferralFind, handle: b.referralFind},
		{step: referralSearchQuery, handle: b.referralFindTyped},
		{verb: screen.VerbReferrer, handle: b.referrer},
		{verb: screen.VerbInvited, handle: b.invited},
	}
}

func (b *Bot) adminBroadcastRoutes() []route {
	return slices.Concat(b.broadcastRoutes(), b.broadcastWriteRoutes())
}

// adminSystemRoutes: incidents, switches, exports, system.
func (b *Bot) adminSystemRoutes() []route {
	return []route{
		{verb: screen.VerbFeatures, handle: b.features},
		{verb: screen.VerbFeature, handle: b.feature},
		{verb: screen.VerbFeatureAsk, handle: b.featureAsk},
		{verb: screen.VerbFeatureOff, handle: b.featureOff},
		{verb: screen.VerbFeatureOn, handle: b.featureOn},

		{verb: screen.VerbIncident, handle: b.incident},
		{verb: screen.VerbIncidentAsk, handle: b.incidentAsk},
		{step: incidentRu, handle: b.incidentRuTyped},
		{step: incidentEn, handle: b.incidentEnTyped},
		{verb: screen.VerbIncidentSame, step: incidentEn, handle: b.incidentSame},
		{verb: screen.VerbIncidentAgain, handle: b.incidentAgain},
		{verb: screen.VerbIncidentEnd, handle: b.incidentEnd},
		{step: incidentConfirm, handle: b.incidentWaits},
		{verb: screen.VerbIncidentConfirm, step: incidentConfirm, handle: b.incidentConfirmed},

		{verb: screen.VerbExports, handle: b.exports},
		{verb: screen.VerbExport, handle: b.export},
		{verb: screen.VerbExportCancel, handle: b.exportCancel},

		{verb: screen.VerbSystem, handle: b.system},
		{verb: screen.VerbProcesses, handle: b.processes},
		{verb: screen.VerbLockWaits, handle: b.lockWaits},
		{verb: screen.VerbJobs, handle: b.jobs},
		{verb: screen.VerbJob, handle: b.job},
		{verb: screen.VerbJobRun, handle: b.jobRun},
		{verb: screen.VerbJobAsk, handle: b.jobAsk},
		{verb: screen.VerbJobOff, handle: b.jobOff},
		{verb: screen.VerbJobOn, handle: b.jobOn},
		{verb: screen.VerbDeadLetters, handle: b.deadLetters},
		{verb: screen.VerbDeadLetter, handle: b.deadLetter},
		{verb: screen.VerbLetterRetry, handle: b.deadLetterRetry},
		{verb: screen.VerbLetterAsk, handle: b.deadLetterAsk},
		{verb: screen.VerbLetterDropped, handle: b.deadLetterDropped},
	}
}

// routes is allRoutes, to look things up in.
type routes struct {
	all      []route
	commands map[string]route
	verbs    map[screen.Verb]route
	steps    map[step]route
	kinds    []dialogue.Kind
}

func index(all []route) (routes, error) {
	rs := routes{
		all: all, commands: map[string]route{}, verbs: map[screen.Verb]route{}, steps: map[step]route{},
	}
	for _, r := range all {
		var isTaken bool
		switch {
		case r.command != "":
			_, isTaken = rs.commands[r.command]
			rs.commands[r.command] = r
		case r.verb != "":
			_, isTaken = rs.verbs[r.verb]
			rs.verbs[r.verb] = r
		default:
			_, isTaken = rs.steps[r.step]
			rs.steps[r.step] = r
			if !slices.Contains(rs.kinds, r.step.kind) {
				rs.kinds = append(rs.kinds, r.step.kind)
			}
		}
		if isTaken {
			return routes{}, fmt.Errorf("two routes for command %q, button %q, step %q", r.command, r.verb, r.step.name)
		}
	}
	return rs, nil
}

// commandsIn lists the commands for Telegram's menu in a language.
func (b *Bot) commandsIn(language atlas.Language) *telego.SetMyCommandsParams {
	t := b.Texts.In(language)
	params := &telego.SetMyCommandsParams{LanguageCode: string(language)}
	for _, r := range b.routes.all {
		if r.isListed {
			params.Commands = append(params.Commands, telego.BotCommand{
				Command: r.command, Description: t.Plain("command." + r.command),
			})
		}
	}
	return params
}
