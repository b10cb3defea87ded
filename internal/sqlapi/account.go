package sqlapi

import (
	"context"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// Account holds the functions of schema account: people, languages, admins.
type Account struct{ db *DB }

// RegisterParams is a first or repeated /start. Username, Language and StartPayload may be empty.
type RegisterParams struct {
	TelegramID   atlas.TelegramID
	Username     string
	Language     string // as Telegram reports it
	StartPayload string // what follows /start, such as "ref_<code>"
}

// Registration is what /start found or made. ReferrerID is 0 and BindRefusal empty where there is none.
type Registration struct {
	TelegramID       atlas.TelegramID `db:"telegram_id"`
	IsNew            bool             `db:"is_new"`
	Language         atlas.Language   `db:"language"`
	ReferrerID       atlas.TelegramID `db:"referrer_id"`
	BindRefusal      string           `db:"bind_refusal"`
	IsLanguageChosen bool             `db:"is_language_chosen"`
	IsTrialOffered   bool             `db:"is_trial_offered"`
}

var accountRegister = define(`select telegram_id, is_new, language, coalesce(referrer_id, 0) as referrer_id,
  coalesce(bind_refusal, '') as bind_refusal, is_language_chosen, is_trial_offered
from account.register(p_telegram_id => @p_telegram_id, p_username => @p_username, p_language => @p_language,
  p_start_payload => @p_start_payload)`, false)

// Register makes the user at the first /start and keeps the row up to date at later ones.
func (a Account) Register(ctx context.Context, p RegisterParams) (Registration, error) {
	return one[Registration](ctx, a.db, accountRegister, pgx.StrictNamedArgs{
		"p_telegram_id":   int64(p.TelegramID),
		"p_username":      textOrNull(p.Username),
		"p_language":      textOrNull(p.Language),
		"p_start_payload": textOrNull(p.StartPayload),
	}, about(p.TelegramID))
}

type touched struct {
	TelegramID atlas.TelegramID `db:"telegram_id"`
}

var accountSetLanguage = define(`select telegram_id
from account.set_language(p_telegram_id => @p_telegram_id, p_language => @p_language)`, false)

// SetLanguage records the language that the user chose.
func (a Account) SetLanguage(ctx context.Context, user atlas.TelegramID, language atlas.Language) error {
	_, err := one[touched](ctx, a.db, accountSetLanguage, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_language": string(language),
	}, about(user))
	return err
}

var accountSetReachable = define(`select telegram_id
from account.set_reachable(p_telegram_id => @p_telegram_id, p_is_reachable => @p_is_reachable)`, false)

// SetReachable records whether the user takes messages (403: not; a message from them: again).
func (a Account) SetReachable(ctx context.Context, user atlas.TelegramID, isReachable bool) error {
	_, err := one[touched](ctx, a.db, accountSetReachable, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_is_reachable": isReachable,
	}, about(user))
	return err
}

// AdminState says whether a user is an admin now.
type AdminState struct {
	TelegramID atlas.TelegramID `db:"telegram_id"`
	IsAdmin    bool             `db:"is_admin"`
}

var accountGrantAdmin = define(`select telegram_id, is_admin
from account.grant_admin(p_telegram_id => @p_telegram_id, p_note => @p_note)`, false)

// GrantAdmin makes a registered user an admin. Only the owner and DBAs may call it.
func (a Account) GrantAdmin(ctx context.Context, user atlas.TelegramID, note string) (AdminState, error) {
	return one[AdminState](ctx, a.db, accountGrantAdmin, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_note": textOrNull(note),
	}, about(user))
}

var accountRevokeAdmin = define(`select telegram_id, is_admin
from account.revoke_admin(p_telegram_id => @p_telegram_id, p_note => @p_note)`, false)

// RevokeAdmin takes the admin's rights away. Only the owner and DBAs may call it.
func (a Account) RevokeAdmin(ctx context.Context, user atlas.TelegramID, note string) (AdminState, error) {
	return one[AdminState](ctx, a.db, accountRevokeAdmin, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_note": textOrNull(note),
	}, about(user))
}

// Profile is what screens need to know about a user. ReferrerID is 0 where there is none.
type Profile struct {
	TelegramID       atlas.TelegramID `db:"telegram_id"`
	Language         atlas.Language   `db:"language"`
	IsLanguageChosen bool             `db:"is_language_chosen"`
	IsAdmin          bool             `db:"is_admin"`
	IsBlocked        bool             `db:"is_blocked"`
	IsReachable      bool             `db:"is_reachable"` // false after the bot was blocked there
	ReferralCode     string           `db:"referral_code"`
	ReferrerID       atlas.TelegramID `db:"referrer_id"`
}

var accountProfile = define(`select telegram_id, language, is_language_chosen, is_admin, is_blocked, is_reachable,
  referral_code, coalesce(referrer_id, 0) as referrer_id
from account.profile(p_telegram_id => @p_telegram_id)`, false).reading()

// Profile reads a user.
func (a Account) Profile(ctx context.Context, user atlas.TelegramID) (Profile, error) {
	return one[Profile](ctx, a.db, accountProfile, pgx.StrictNamedArgs{"p_telegram_id": int64(user)}, about(user))
}
