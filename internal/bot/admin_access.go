package bot

import (
	"context"
	"strconv"
	"strings"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

// An admin gives a user access for some time, or ends it.
var (
	grantDialogue = kindOf("grant")
	grantLength   = step{kind: grantDialogue, name: "length"}
	grantUnit     = step{kind: grantDialogue, name: "unit"} // of a length that is typed
	grantValue    = step{kind: grantDialogue, name: "value"}
	grantTariff   = step{kind: grantDialogue, name: "tariff"}
	grantNotify   = step{kind: grantDialogue, name: "notify"}

	revokeDialogue = kindOf("revoke")
	revokeNotify   = step{kind: revokeDialogue, name: "notify"}
	revokeReason   = step{kind: revokeDialogue, name: "reason"}
)

// grantReason is what the books say of a grant: the dialogue asks for no words.
const grantReason = "given in the bot"

// maxMinutes is the longest grant (subscription._require_duration).
const maxMinutes = 3650 * screen.MinutesADay

func grantFlow() *userFlow {
	return &userFlow{
		action: "grant", begin: screen.VerbAdminGrant, confirm: screen.VerbAdminGrantYes,
		questions: []question{
			{step: grantLength, verb: screen.VerbAdminGrantLength, pressed: lengthPressed, next: afterLength},
			{step: grantUnit, verb: screen.VerbAdminGrantUnit, pressed: unitPressed, next: to(grantValue)},
			{step: grantValue, typed: valueTyped, next: to(grantTariff)},
			{step: grantTariff, verb: screen.VerbAdminGrantTariff, pressed: tariffPressed, next: to(grantNotify)},
			{step: grantNotify, verb: screen.VerbAdminGrantNotify, pressed: notifyPressed},
		},
		do: func(ctx context.Context, b *Bot, admin atlas.TelegramID, a screen.UserAction, c confirmation) (bool, error) {
			granted, err := b.DB.Subscription.GrantTime(ctx, sqlapi.GrantParams{
				AdminID: admin, TelegramID: a.TelegramID, Tariff: a.Tariff, Duration: time.Duration(a.Minutes) * time.Minute,
				Reason: grantReason, IsTold: !a.IsQuiet, Key: c.key,
			})
			return granted.IsReplay, err //nolint:wrapcheck // the caller says what it was
		},
	}
}

// to is the way to a question that always follows.
func to(next step) func(screen.UserAction) string {
	return func(screen.UserAction) string { return next.name }
}

// lengthPressed takes one of the lengths on the screen, or, after the last, another.
func lengthPressed(place int, _ screen.UserOptions, a *screen.UserAction) bool {
	a.Minutes = 0
	if place < 0 || place > len(screen.GrantLengths) {
		return false
	}
	if place < len(screen.GrantLengths) {
		a.Minutes = screen.GrantLengths[place].Minutes()
	}
	return true
}

func afterLength(a screen.UserAction) string {
	if a.Minutes == 0 {
		return grantUnit.name
	}
	return grantTariff.name
}

func unitPressed(place int, _ screen.UserOptions, a *screen.UserAction) bool {
	if place < 0 || place >= len(screen.GrantUnits) {
		return false
	}
	a.Unit = screen.GrantUnits[place].Unit
	return true
}

func valueTyped(text string, a *screen.UserAction) bool {
	value, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || value < 1 || value > maxMinutes {
		return false
	}
	a.Minutes = screen.Length{Unit: a.Unit, Value: value}.Minutes()
	return a.Minutes >= 1 && a.Minutes <= maxMinutes
}

func tariffPressed(place int, o screen.UserOptions, a *screen.UserAction) bool {
	if place < 0 || place >= len(o.Tariffs) {
		return false
	}
	a.Tariff = o.Tariffs[place]
	return true
}

// notifyPressed: yes, or no.
func notifyPressed(place int, _ screen.UserOptions, a *screen.UserAction) bool {
	a.IsQuiet = place == 1
	return place == 0 || place == 1
}

func revokeFlow() *userFlow {
	return &userFlow{
		action: "revoke", begin: screen.VerbAdminRevoke, confirm: screen.VerbAdminRevokeYes,
		questions: []question{
			{step: revokeNotify, verb: screen.VerbAdminRevokeNotify, pressed: notifyPressed, next: to(revokeReason)},
			{step: revokeReason, typed: noted},
		},
		do: func(ctx context.Context, b *Bot, admin atlas.TelegramID, a screen.UserAction, c confirmation) (bool, error) {
			revoked, err := b.DB.Subscription.Revoke(ctx, sqlapi.RevokeParams{
				AdminID: admin, TelegramID: a.TelegramID, Reason: a.Note, IsTold: !a.IsQuiet, Key: c.key,
			})
			return revoked.IsReplay, err //nolint:wrapcheck // the caller says what it was
		},
	}
}
