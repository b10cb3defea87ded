package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// Feature is a switch. ChangedAt is nil and ChangedBy 0 where nobody has moved it yet.
type Feature struct {
	Name              string           `db:"name"`
	IsOn              bool             `db:"is_on"`
	ChangedAt         *time.Time       `db:"changed_at"`
	ChangedBy         atlas.TelegramID `db:"changed_by"`
	ChangedByUsername string           `db:"changed_by_username"`
}

var opsListFeatures = define(`select name, is_on, changed_at, coalesce(changed_by, 0) as changed_by,
  coalesce(changed_by_username, '') as changed_by_username
from ops.list_features(p_admin_id => @p_admin_id)`, false).reading()

// ListFeatures lists the switches.
func (o Ops) ListFeatures(ctx context.Context, admin atlas.TelegramID) ([]Feature, error) {
	return many[Feature](ctx, o.db, opsListFeatures, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
}

// Incident is what people are told above their screens. Text is empty while there is nothing to tell.
type Incident struct {
	IsOn  bool       `db:"is_on"`
	Text  string     `db:"text"`
	Since *time.Time `db:"since"`
}

var opsIncident = define(`select is_on, coalesce(text, '') as text, since
from ops.incident(p_language => @p_language)`, false).reading()

// Incident reads what people are told now, in a language.
func (o Ops) Incident(ctx context.Context, language atlas.Language) (Incident, error) {
	return one[Incident](ctx, o.db, opsIncident, pgx.StrictNamedArgs{"p_language": string(language)}, bySystem())
}

// ShownIncident is the incident texts as they stand. SetAt is nil where nobody has set anything yet.
type ShownIncident struct {
	IsOn          bool             `db:"is_on"`
	TextRu        string           `db:"text_ru"`
	TextEn        string           `db:"text_en"`
	Since         *time.Time       `db:"since"`
	SetAt         *time.Time       `db:"set_at"`
	SetBy         atlas.TelegramID `db:"set_by"`
	SetByUsername string           `db:"set_by_username"`
}

var opsShowIncident = define(`select is_on, coalesce(text_ru, '') as text_ru, coalesce(text_en, '') as text_en, since, set_at,
  coalesce(set_by, 0) as set_by, coalesce(set_by_username, '') as set_by_username
from ops.show_incident(p_admin_id => @p_admin_id)`, false).reading()

// ShowIncident reads the texts for admins.
func (o Ops) ShowIncident(ctx context.Context, admin atlas.TelegramID) (ShownIncident, error) {
	return one[ShownIncident](ctx, o.db, opsShowIncident, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
}

// IncidentTexts is what people are to be told. Texts may be empty where IsOn is false: then they stay as they are.
type IncidentTexts struct {
	IsOn   bool   `json:"is_on"`
	TextRu string `json:"text_ru,omitempty"`
	TextEn string `json:"text_en,omitempty"`
}

type setIncident struct {
	IncidentID int64 `db:"incident_id"`
	IsOn       bool  `db:"is_on"`
	IsReplay   bool  `db:"is_replay"`
}

var opsSetIncident = define(`select incident_id, is_on, is_replay
from ops.set_incident(p_admin_id => @p_admin_id, p_is_on => @p_is_on, p_text_ru => @p_text_ru, p_text_en => @p_text_en,
  p_idempotency_key => @p_idempotency_key)`, false)

// SetIncident tells everybody of an incident, or ends it. True: that had been done already, with this key.
func (o Ops) SetIncident(ctx context.Context, admin atlas.TelegramID, texts IncidentTexts, key string) (bool, error) {
	answer, err := one[setIncident](ctx, o.db, opsSetIncident, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_is_on": texts.IsOn, "p_text_ru": textOrNull(texts.TextRu),
		"p_text_en": textOrNull(texts.TextEn), "p_idempotency_key": key,
	}, about(admin))
	return answer.IsReplay, err
}
