package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/dialogue"
	"atlas-secure/internal/obs"
)

// An admin looks for a user.
var (
	userSearchDialogue = dialogue.Kind{Name: "a_search", Version: 1}
	userSearchQuery    = step{kind: userSearchDialogue, name: "query"}
)

// userSearchState is what the search remembers: nothing, since its one answer is the query.
type userSearchState struct{}

// findAtMost is how many of those who are found are listed; maxQuery is the most that is looked for, in characters.
const (
	findAtMost = 10
	maxQuery   = 64
)

// users asks whom to look for.
func (b *Bot) users(ctx context.Context, r *request) (screen.Screen, error) {
	err := b.Dialogues.Begin(ctx, int64(r.user), userSearchDialogue, userSearchQuery.name, userSearchState{})
	if err != nil {
		b.Log.WarnContext(ctx, "could not begin a dialogue", obs.Operation(r.operation), obs.Err(err))
		return screen.CannotAsk(r.text, screen.VerbAdmin), nil
	}
	return screen.AskUser(r.text), nil
}

// userSearched shows the one who was found, or those among whom to choose.
func (b *Bot) userSearched(ctx context.Context, r *request) (screen.Screen, error) {
	query := userQuery(r.argument)
	if query == "" {
		return screen.WrongUser(r.text), nil
	}
	found, err := b.DB.Account.FindUsers(ctx, r.user, query, findAtMost+1)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("looking for users: %w", err)
	}
	if len(found) == 0 {
		return screen.NobodyFound(r.text), nil
	}
	r.isOver = true
	if len(found) == 1 {
		return b.drawCard(ctx, r, found[0].TelegramID)
	}
	return screen.FoundUsers(r.text, found[:min(len(found), findAtMost)], len(found) > findAtMost), nil
}

// userQuery is what was typed, without what people put round a name; "" if it can be no name.
func userQuery(text string) string {
	text = strings.TrimSpace(text)
	for _, prefix := range []string{"https://t.me/", "http://t.me/", "t.me/", "@"} {
		text = strings.TrimPrefix(text, prefix)
	}
	if utf8.RuneCountInString(text) > maxQuery || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return ""
	}
	return strings.TrimLeft(text, "@")
}

// userCard shows a user: the one that the button names.
func (b *Bot) userCard(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := telegramID(r.argument)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.drawCard(ctx, r, id)
}

// telegramID is the user whom a button names.
func telegramID(argument string) (atlas.TelegramID, error) {
	id, err := strconv.ParseInt(argument, 10, 64)
	if err != nil || !atlas.TelegramID(id).IsValid() {
		return 0, errOldButton
	}
	return atlas.TelegramID(id), nil
}

func (b *Bot) drawCard(ctx context.Context, r *request, id atlas.TelegramID) (screen.Screen, error) {
	card, err := b.DB.Account.Card(ctx, r.user, id)
	if errors.Is(err, atlas.ErrNoSuchUser) {
		return screen.NobodyFound(r.text), nil
	}
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading a user: %w", err)
	}
	return screen.UserCard(r.text, card), nil
}
