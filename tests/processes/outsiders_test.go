package processes_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

// TestT13OutsidersHaveNoCommandsOfAdmins lets people who are no admins try to be taken for one, at a real bot: by the
// command, by an admin's name, by a forwarded message of an admin's, by a button that an admin has, in a group where an
// admin is, as a bot, and as somebody who was an admin until a moment ago. Nobody is shown anything, nothing changes, and the
// audit has those who asked for what only admins have.
func TestT13OutsidersHaveNoCommandsOfAdmins(t *testing.T) {
	b := setup(t)
	admin := b.comes(botapi.Person{ID: boss, FirstName: "Boss", Username: "the_boss"})
	eve := b.comes(botapi.Person{ID: bert, FirstName: "Boss", Username: "the_boss"}) // the name is spoofed
	former := b.comes(botapi.Person{ID: anna, FirstName: "Anna"})
	b.One("account.grant_admin", A{"p_telegram_id": anna, "p_note": "for a while"})
	b.start("bot")
	for _, p := range []*person.Person{admin, eve, former} {
		b.says(p, "/start", "Choose your language")
		_, err := p.Press(t.Context(), "English")
		require.NoError(t, err)
	}
	dashboard := b.says(admin, "/admin", "Withdrawals waiting")
	b.says(former, "/admin", "Withdrawals waiting")
	users, ok := person.FindButton(dashboard, "Users")
	require.True(t, ok)
	unknown := b.says(eve, "/nosuchcommand", "/help").Text

	t.Log("somebody with an admin's name: the command, with what is said in a group, a forwarded one, the button's data")
	before := b.state()
	for i, text := range []string{"/admin", "/ADMIN", "/admin@atlas_bot", "/admin now"} {
		require.Equal(t, unknown, b.says(eve, text, "/help").Text)
		require.Equal(t, i+1, b.refusals(bert), text)
	}
	b.forwards(eve, admin)
	b.until("the audit has the forwarded one", `select count(*) = 5 from audit.entry where actor_id = $1 and details ->> 'sqlstate' = 'US003'`, bert)
	id, err := eve.Tap(t.Context(), person.Tap{MessageID: b.last(eve).MessageID, Data: users.CallbackData, Forged: true})
	require.NoError(t, err)
	answer, err := eve.Answer(t.Context(), id)
	require.NoError(t, err)
	require.Contains(t, answer.Text, "from an earlier version")
	require.Equal(t, 6, b.refusals(bert))

	t.Log("an admin whose rights are taken away while the next word is being typed")
	_, err = former.Press(t.Context(), "Users")
	require.NoError(t, err)
	b.One("account.revoke_admin", A{"p_telegram_id": anna, "p_note": "over"})
	require.Equal(t, unknown, b.says(former, "1", "/help").Text)
	require.Equal(t, unknown, b.says(former, "/admin", "/help").Text)
	require.Equal(t, 2, b.refusals(anna))

	t.Log("an admin in a group, and a bot that calls itself one: nobody is answered")
	seen := b.chat(admin)
	b.posts(admin, map[string]any{"id": -100123, "type": "supergroup", "title": "g"}, map[string]any{"id": boss, "is_bot": false, "first_name": "Boss"})
	b.posts(admin, map[string]any{"id": boss, "type": "private"}, map[string]any{"id": boss, "is_bot": true, "first_name": "Boss"})
	b.says(eve, "/nosuchcommand", "/help")
	b.until("the bot has taken everything in hand", "select not exists (select from inbox.update where finished_at is null)")
	require.Equal(t, seen, b.chat(admin))
	require.Equal(t, before, b.state())
	require.NotContains(t, b.chat(eve), "Withdrawals waiting")
}

// comes makes somebody known to Telegram.
func (b *bundle) comes(who botapi.Person) *person.Person {
	b.Helper()
	who.LanguageCode = "en"
	p, err := b.people.Ensure(b.Context(), who)
	require.NoError(b, err)
	return p
}

// says writes something and waits for an answer to it that has a text.
func (b *bundle) says(p *person.Person, text, answer string) botapi.ChatMessage {
	b.Helper()
	sent, err := p.Send(b.Context(), text)
	require.NoError(b, err)
	m, err := p.WaitMessage(b.Context(), func(m botapi.ChatMessage) bool { return m.IsOutgoing && m.MessageID > sent.MessageID })
	require.NoError(b, err)
	require.Contains(b, m.Text, answer, "%s wrote %q", p.FirstName, text)
	return m
}

// forwards brings the bot what a person forwards of an admin's.
func (b *bundle) forwards(p, admin *person.Person) {
	b.Helper()
	author := map[string]any{"id": admin.ID, "is_bot": false, "first_name": admin.FirstName, "username": admin.Username}
	_, err := p.Update(b.Context(), "message", map[string]any{
		"message_id": 1_000_000, "date": 1, "text": "/admin", "chat": map[string]any{"id": p.ID, "type": "private"},
		"from":           map[string]any{"id": p.ID, "is_bot": false, "first_name": p.FirstName, "username": p.Username},
		"forward_origin": map[string]any{"type": "user", "date": 1, "sender_user": author},
		"reply_to_message": map[string]any{
			"message_id": 1, "date": 1, "text": "/admin", "from": author, "chat": map[string]any{"id": p.ID, "type": "private"},
		},
	})
	require.NoError(b, err)
}

// posts brings the bot an admin's command from a chat and a sender.
func (b *bundle) posts(p *person.Person, chat, from map[string]any) {
	b.Helper()
	_, err := p.Update(b.Context(), "message", map[string]any{
		"message_id": 1_000_001, "date": 1, "text": "/admin", "chat": chat, "from": from,
	})
	require.NoError(b, err)
}

func (b *bundle) chat(p *person.Person) string {
	b.Helper()
	view, err := p.Chat(b.Context())
	require.NoError(b, err)
	return person.Transcript(view)
}

// last is the newest message of the bot.
func (b *bundle) last(p *person.Person) botapi.ChatMessage {
	b.Helper()
	m, err := p.WaitMessage(b.Context(), func(m botapi.ChatMessage) bool { return m.IsOutgoing })
	require.NoError(b, err)
	return m
}

// refusals counts what the audit has of somebody who asked for what only admins have.
func (b *bundle) refusals(id int) int {
	b.Helper()
	return b.count("audit.entry where actor_id = $1 and details ->> 'sqlstate' = 'US003'", id)
}

// state is what an admin could have changed.
func (b *bundle) state() []Row {
	b.Helper()
	return b.owner.Query(`select (select count(*) from ledger.transfer) as transfers, (select count(*) from account.draft) as drafts,
		(select count(*) from promo.code) as codes, (select string_agg(f::text, '|' order by f.name) from ops.feature f) as features,
		(select string_agg(a::text, '|' order by a.telegram_id) from account.account a) as accounts,
		(select string_agg(w::text, '|') from withdrawal.withdrawal w) as withdrawals`)
}
