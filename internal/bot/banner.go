package bot

import (
	"context"
	"sync"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/obs"
)

// bannerAge is how long an incident's text is believed before the database is asked again. With it, whatever an admin
// sets is seen everywhere within five seconds, and a crowd of people costs one read per language.
const bannerAge = 3 * time.Second

// banners are the incident texts as this process read them last.
type banners struct {
	mu    sync.Mutex
	known map[atlas.Language]banner
}

type banner struct {
	text   string
	readAt time.Time
}

func (bs *banners) get(language atlas.Language, now time.Time) (text string, isFresh bool) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	kept, isKnown := bs.known[language]
	return kept.text, isKnown && now.Sub(kept.readAt) < bannerAge
}

func (bs *banners) put(language atlas.Language, text string, now time.Time) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if bs.known == nil {
		bs.known = map[atlas.Language]banner{}
	}
	bs.known[language] = banner{text: text, readAt: now}
}

// forget lets the next screen ask the database: this process has just changed it.
func (bs *banners) forget() {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	bs.known = nil
}

// bannered puts the incident that is on, if one is, above what a handler draws.
func (b *Bot) bannered(handle handler) handler {
	return func(ctx context.Context, r *request) (screen.Screen, error) {
		s, err := handle(ctx, r)
		if err == nil && s.Text != "" {
			s.Text = i18n.Join("\n\n", screen.Banner(r.text, b.incidentText(ctx, r)), s.Text)
		}
		return s, err
	}
}

// incidentText is what people are told now. Nobody goes without a screen because this could not be read: then it is what
// was known last.
func (b *Bot) incidentText(ctx context.Context, r *request) string {
	now := time.Now()
	text, isFresh := b.banners.get(r.text.Language(), now)
	if isFresh {
		return text
	}
	incident, err := b.DB.Ops.Incident(ctx, r.text.Language())
	if err != nil {
		b.Log.InfoContext(ctx, "could not read the incident", obs.Operation(r.operation), obs.Err(err))
		return text
	}
	b.banners.put(r.text.Language(), incident.Text, now)
	return incident.Text
}
