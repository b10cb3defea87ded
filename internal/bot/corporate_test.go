package bot_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

// corporateAsked takes somebody to a step of the dialogue: 0 the company, 1 the contact, 2 the confirmation.
func (b *bundle) corporateAsked(t *testing.T, p *person.Person, steps int) botapi.ChatMessage {
	t.Helper()
	b.send(t, p, "/buy")
	b.waitLast(t, p, "Choose a plan")
	b.press(t, p, "For a company")
	b.waitLast(t, p, "For a team")
	b.press(t, p, "I agree")
	m := b.waitLast(t, p, "What is the company called")
	if steps > 0 {
		b.send(t, p, " Horns &\n Hooves ")
		m = b.waitLast(t, p, "How can we reach you?")
	}
	if steps > 1 {
		b.send(t, p, "Ostap <b>@ostap</b>")
		m = b.waitLast(t, p, "Send it to the admins?")
	}
	return m
}

func (b *bundle) corporateRequests(t *testing.T) int {
	t.Helper()
	return b.count(t, `select count(*)::int from account.corporate_request`)
}

func (b *bundle) noDialogue(t *testing.T, p *person.Person) {
	t.Helper()
	b.isInNoDialogue(t, p)
}

// TestCorporateRequest goes through the dialogue with something wrong at every step, and an admin gets the user's card.
func TestCorporateRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startWorker(t)
	boss := b.admin(t, "Boss", "en")
	bob := b.started(t, "Bob", "en")
	wrong := []string{"\u200b\u200b", "x", strings.Repeat("я", 201), strings.Repeat("<", 4000), "evil\u202Etxt", "a\u0007b"}
	b.corporateAsked(t, bob, 0)
	for _, text := range wrong {
		b.send(t, bob, text)
		b.waitLast(t, bob, "That cannot be used: it takes 2 to 200 ordinary characters.\n\nWhat is the company called")
		b.send(t, bob, "Horns & Hooves")
		b.waitLast(t, bob, "How can we reach you?")
		b.send(t, bob, text)
		b.waitLast(t, bob, "That cannot be used: it takes 2 to 200 ordinary characters.\n\nHow can we reach you?")
		b.corporateAsked(t, bob, 0)
	}
	b.corporateAsked(t, bob, 2)
	m := b.lastMessage(t, bob)
	require.Contains(t, m.Text, "Company: Horns & Hooves\nContact: Ostap <b>@ostap</b>")
	b.send(t, bob, "yes")
	b.waitLast(t, bob, "Send it to the admins?")
	require.Zero(t, b.corporateRequests(t))
	require.Equal(t, "Your request is sent", b.press(t, bob, "Send the request").Text)
	b.waitLast(t, bob, "Your request is waiting for an answer")
	b.noDialogue(t, bob)

	t.Log("the admin sees it with the card, and closes it")
	notice := b.sees(t, boss, "Corporate request no. 1")
	require.Contains(t, notice.Text, "Company: Horns & Hooves\nContact: Ostap <b>@ostap</b>")
	require.Contains(t, notice.Text, "No subscription")
	b.press(t, boss, "The user's card")
	b.sees(t, boss, "Subscriptions paid: 0")
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Withdrawals waiting")
	b.press(t, boss, "Corporate requests")
	list := b.waitLast(t, boss, "No. 1 of ")
	done := b.data(t, boss, "Done, no. 1")
	b.press(t, boss, "Done, no. 1")
	b.waitLast(t, boss, "Nobody is waiting for an answer")
	b.forge(t, boss, list.MessageID, done)
	b.waitLast(t, boss, "Nobody is waiting for an answer")
	for _, odd := range []string{"a_corp_done:", "a_corp_done:x:1", "a_corp_done:1", "a_corp_done:-1:1", "a_corp_done:1:-1"} {
		b.forge(t, boss, list.MessageID, odd)
	}
	b.send(t, bob, "/buy")
	b.press(t, bob, "For a company")
	b.waitLast(t, bob, "The admins dealt with your last request")
	b.forge(t, bob, b.lastMessage(t, bob).MessageID, done)
	require.Equal(t, 1, b.count(t, `select count(*)::int from audit.entry where action = 'account.close_corporate'`))
}

// TestCorporateIsLeft leaves at every step; what was pressed or typed then means nothing any more.
func TestCorporateIsLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	leave := map[string]func(){
		"/start": func() { b.send(t, bob, "/start"); b.waitLast(t, bob, "Atlas Secure") },
		"button": func() { b.press(t, bob, "Never mind"); b.waitLast(t, bob, "For a team") },
	}
	for name, out := range leave {
		for steps := range 3 {
			t.Log(name, "after step", steps)
			before := b.corporateAsked(t, bob, steps)
			out()
			b.noDialogue(t, bob)
			b.send(t, bob, "Horns & Hooves")
			b.waitLast(t, bob, "I understand buttons and commands")
			if button, ok := person.FindButton(before, "Send the request"); ok {
				b.forge(t, bob, before.MessageID, button.CallbackData)
			}
		}
	}
	require.Zero(t, b.corporateRequests(t))
}

// TestCorporateOutlivesTheBot: another process goes on where one died, between any two steps.
func TestCorporateOutlivesTheBot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bot := b.startBot(t)
	again := func() { bot.stop(); bot = b.startBot(t) }
	bob := b.started(t, "Bob", "en")
	b.corporateAsked(t, bob, 0)
	again()
	b.send(t, bob, "Horns & Hooves")
	b.waitLast(t, bob, "How can we reach you?")
	again()
	b.send(t, bob, "Ostap")
	b.waitLast(t, bob, "Send it to the admins?")
	again()
	b.press(t, bob, "Send the request")
	b.waitLast(t, bob, "Your request is waiting for an answer")
	require.Equal(t, 1, b.corporateRequests(t))
	b.noDialogue(t, bob)
}

// TestCorporateOnTwoDevices: the same answer and the same buttons at once make one request.
func TestCorporateOnTwoDevices(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	old := b.corporateAsked(t, bob, 2)
	oldSend := b.data(t, bob, "Send the request")
	b.corporateAsked(t, bob, 1)
	b.send(t, bob, "Kisa")
	m := b.waitLast(t, bob, "Contact: Kisa")
	t.Log("the button of an earlier confirmation shows what stands now, and sends nothing")
	b.forge(t, bob, old.MessageID, oldSend)
	b.sees(t, bob, "Contact: Kisa")
	require.Zero(t, b.corporateRequests(t))
	send := b.data(t, bob, "Send the request")
	b.together(t, bob, m.MessageID, send)
	b.waitLast(t, bob, "Your request is waiting for an answer")
	b.together(t, bob, m.MessageID, send)
	b.waitLast(t, bob, "Your request is waiting for an answer")
	require.Equal(t, 1, b.corporateRequests(t))
	require.Equal(t, 1, b.count(t, `select count(*)::int from account.corporate_request where contact = 'Kisa'`))
	b.noDialogue(t, bob)

	t.Log("there is one open request; it can be taken back, once")
	b.forge(t, bob, m.MessageID, "corp_ask")
	b.waitLast(t, bob, "What is the company called")
	b.send(t, bob, "Another")
	b.waitLast(t, bob, "How can we reach you?")
	b.send(t, bob, "Another")
	b.waitLast(t, bob, "Send it to the admins?")
	b.press(t, bob, "Send the request")
	b.waitLast(t, bob, "Contact: Kisa")
	require.Equal(t, 1, b.corporateRequests(t))
	take := b.data(t, bob, "Take the request back")
	b.together(t, bob, b.lastMessage(t, bob).MessageID, take)
	b.waitLast(t, bob, "For a team")
	require.Zero(t, b.count(t, `select count(*)::int from account.corporate_request where closed_at is null`))
	for _, data := range []string{"corp_yes:", "corp_yes:x", "corp_back:", "corp_back:-1", "corp_yes:7"} {
		b.forge(t, bob, m.MessageID, data)
	}
	require.Equal(t, 1, b.corporateRequests(t))
}
