package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
)

// The dialogue AdminReferralSearch: by code, link, number or @username.
var (
	referralSearchDialogue = adminKind("referral_search")
	referralSearchQuery    = step{kind: referralSearchDialogue, name: "query"}
)

// referrals shows the totals, by level.
func (b *Bot) referrals(ctx context.Context, r *request) (screen.Screen, error) {
	overview, err := b.DB.Referral.Overview(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading referrals: %w", err)
	}
	levels, err := b.DB.Referral.Levels(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading levels: %w", err)
	}
	return screen.Referrals(r.text, overview, levels), nil
}

// referralTop lists those with the most paying referrals, a page at a time.
func (b *Bot) referralTop(ctx context.Context, r *request) (screen.Screen, error) {
	after, err := r.number(true)
	if err != nil {
		return screen.Screen{}, err
	}
	best, err := b.DB.Referral.Top(ctx, r.user, atlas.TelegramID(after), pageSize+1)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the best referrers: %w", err)
	}
	return screen.ReferralTop(r.text, screen.PageOf(best, pageSize, after == 0)), nil
}

// referralFind asks whom to look for.
func (b *Bot) referralFind(ctx context.Context, r *request) (screen.Screen, error) {
	return b.ask(ctx, r, referralSearchQuery, asked{UpdateID: r.updateID}, screen.AskReferrer(r.text, screen.ReferrerAsked),
		screen.VerbReferrals)
}

func (b *Bot) referralFindTyped(ctx context.Context, r *request) (screen.Screen, error) {
	query := strings.TrimSpace(r.argument)
	if _, link, isLink := strings.Cut(query, "start=ref_"); isLink {
		query = link
	} else {
		query = userQuery(query)
	}
	if query == "" || len(query) > maxQuery*4 || userQuery(query) == "" {
		return screen.AskReferrer(r.text, screen.ReferrerNoName), nil
	}
	found, err := b.DB.Referral.Search(ctx, r.user, query, findAtMost)
	switch {
	case err != nil:
		return screen.Screen{}, fmt.Errorf("looking for a referrer: %w", err)
	case len(found) == 0:
		return screen.AskReferrer(r.text, screen.ReferrerNobody), nil
	}
	r.isOver = true
	if len(found) == 1 {
		return b.drawReferrer(ctx, r, found[0].TelegramID)
	}
	return screen.FoundReferrers(r.text, found), nil
}

// referrer shows one person as a referrer.
func (b *Bot) referrer(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := telegramID(r.argument)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.drawReferrer(ctx, r, id)
}

func (b *Bot) drawReferrer(ctx context.Context, r *request, id atlas.TelegramID) (screen.Screen, error) {
	detail, err := b.DB.Referral.Detail(ctx, r.user, id)
	switch {
	case errors.Is(err, atlas.ErrNoSuchUser):
		return screen.NobodyFound(r.text), nil
	case err != nil:
		return screen.Screen{}, fmt.Errorf("reading a referrer: %w", err)
	}
	return screen.Referrer(r.text, detail), nil
}

// invited lists whom a person has invited, a page at a time. The button has the person, and where the page begins.
func (b *Bot) invited(ctx context.Context, r *request) (screen.Screen, error) {
	whose, from, isLater := strings.Cut(r.argument, ".")
	user, err := telegramID(whose)
	if err != nil {
		return screen.Screen{}, err
	}
	var before atlas.TelegramID
	if isLater {
		if before, err = telegramID(from); err != nil {
			return screen.Screen{}, err
		}
	}
	people, err := b.DB.Referral.Invited(ctx, r.user, user, before, pageSize+1)
	switch {
	case errors.Is(err, atlas.ErrNoSuchUser):
		return screen.NobodyFound(r.text), nil
	case err != nil:
		return screen.Screen{}, fmt.Errorf("reading who was invited: %w", err)
	}
	return screen.Invited(r.text, user, screen.PageOf(people, pageSize, before == 0)), nil
}
