package bot_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi/person"
)

// incidentAsked is an admin who is asked for the first text of an incident.
func (b *bundle) incidentAsked(t *testing.T) *person.Person {
	t.Helper()
	boss := b.admin(t, "Boss", "en")
	b.askIncident(t, boss)
	return boss
}

func (b *bundle) askIncident(t *testing.T, boss *person.Person) {
	t.Helper()
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Withdrawals waiting")
	b.press(t, boss, "Incident")
	b.waitLast(t, boss, "ncident")
	for _, label := range []string{"Write a text", "Change the text"} {
		if _, ok := person.FindButton(b.lastMessage(t, boss), label); ok {
			b.press(t, boss, label)
		}
	}
	b.waitLast(t, boss, "in Russian: up to")
}

func (b *bundle) incidents(t *testing.T) int {
	t.Helper()
	return b.count(t, `select count(*)::int from ops.incident`)
}

// TestIncident writes a text with something wrong at every step, shows it to everybody, changes it and ends it.
func TestIncident(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	anna, boris := b.started(t, "Anna", "en"), b.started(t, "Борис", "ru")
	boss := b.incidentAsked(t)
	for _, wrong := range []string{"\u202e\u200b", strings.Repeat("ы", 1001)} {
		b.send(t, boss, wrong)
		b.waitLast(t, boss, "That is no text I can show. Type 1 to 1000 characters in Russian.")
	}
	b.send(t, boss, "Карты <b>не</b> работают\u202e & мы\nчиним")
	b.waitLast(t, boss, "Now the same in English")
	for _, wrong := range []string{"\u200f", strings.Repeat("x", 1001)} {
		b.send(t, boss, wrong)
		b.waitLast(t, boss, "Type 1 to 1000 characters in English.")
	}
	b.send(t, boss, "Cards do not work")
	m := b.waitLast(t, boss, "So people will see it")
	require.Contains(t, m.Text, "🚨 Карты <b>не</b> работают & мы\nчиним\n\n🚨 Cards do not work")
	b.send(t, boss, "yes")
	b.waitLast(t, boss, "So people will see it")
	require.Zero(t, b.incidents(t), "not before it is confirmed")

	require.Equal(t, "Everybody sees it now", b.press(t, boss, "Tell everybody").Text)
	shown := b.waitLast(t, boss, "Incident: everybody is told")
	b.isInNoDialogue(t, boss)
	for _, command := range []string{"/start", "/buy"} {
		b.send(t, anna, command)
		require.True(t, strings.HasPrefix(b.waitLast(t, anna, "🚨 Cards do not work\n\n").Text, "🚨"), command)
		b.send(t, boris, command)
		b.waitLast(t, boris, "🚨 Карты <b>не</b> работают & мы\nчиним\n\n")
	}
	b.press(t, anna, "Main menu")
	b.waitLast(t, anna, "🚨 Cards do not work\n\n👋")

	t.Log("another text, the same in both languages")
	b.askIncident(t, boss)
	b.send(t, boss, "Скоро починим")
	b.waitLast(t, boss, "Now the same in English")
	b.press(t, boss, "The same text")
	b.waitLast(t, boss, "🚨 Скоро починим\n\n🚨 Скоро починим")
	b.press(t, boss, "Tell everybody")
	b.waitLast(t, boss, "everybody is told")
	b.send(t, anna, "/start")
	b.waitLast(t, anna, "🚨 Скоро починим")

	t.Log("the end, and the same once more")
	b.forge(t, boss, shown.MessageID, "a_incident_end")
	b.sees(t, boss, "Is the incident over?")
	b.pressThere(t, boss, shown.MessageID, "Yes, it is over")
	b.send(t, anna, "/start")
	require.NotContains(t, b.waitLast(t, anna, "👋").Text, "🚨")
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Withdrawals waiting")
	b.press(t, boss, "Incident")
	b.waitLast(t, boss, "No incident")
	b.press(t, boss, "Tell this again")
	b.waitLast(t, boss, "🚨 Скоро починим\n\n🚨 Скоро починим")
	b.press(t, boss, "Tell everybody")
	b.waitLast(t, boss, "everybody is told")
	require.Equal(t, 4, b.incidents(t))
}

// pressThere presses a button of a message that need not be the newest.
func (b *bundle) pressThere(t *testing.T, p *person.Person, message int, label string) {
	t.Helper()
	view, err := p.Chat(b.ctx)
	require.NoError(t, err)
	for _, m := range view.Messages {
		if button, ok := person.FindButton(m, label); ok && m.MessageID == message {
			b.forge(t, p, message, button.CallbackData)
			return
		}
	}
	t.Fatalf("message %d has no button %q", message, label)
}

// TestIncidentIsLeft leaves at every step with /start, and meets another bot process at every step.
func TestIncidentIsLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.startBot(t)
	boss := b.incidentAsked(t)
	for steps := range 3 {
		b.askIncident(t, boss)
		p.stop()
		p = b.startBot(t)
		if steps > 0 {
			b.send(t, boss, "Сбой")
			b.waitLast(t, boss, "Now the same in English")
			p.stop()
			p = b.startBot(t)
		}
		if steps > 1 {
			b.send(t, boss, "Trouble")
			b.waitLast(t, boss, "So people will see it")
			p.stop()
			p = b.startBot(t)
			b.send(t, boss, "?")
			b.waitLast(t, boss, "So people will see it")
		}
		b.send(t, boss, "/start")
		b.waitLast(t, boss, "👋")
		b.isInNoDialogue(t, boss)
		b.send(t, boss, "Сбой")
		b.waitLast(t, boss, "I understand buttons and commands")
	}
	require.Zero(t, b.incidents(t))
}

// TestIncidentOnTwoDevices presses each button on two devices at once: there is one incident; a draft whose time is over,
// another admin's and none at all do nothing.
func TestIncidentOnTwoDevices(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startBot(t)
	boss := b.incidentAsked(t)
	b.send(t, boss, "Сбой")
	m := b.waitLast(t, boss, "Now the same in English")
	b.together(t, boss, m.MessageID, "a_incident_same")
	m = b.waitLast(t, boss, "So people will see it")
	button, ok := person.FindButton(m, "Tell everybody")
	require.True(t, ok)
	b.together(t, boss, m.MessageID, button.CallbackData)
	b.waitLast(t, boss, "everybody is told")
	require.Equal(t, 1, b.incidents(t))
	require.Equal(t, "Done already", b.forge(t, boss, m.MessageID, button.CallbackData).Text)
	b.forge(t, boss, m.MessageID, "a_incident_same")
	b.waitLast(t, boss, "everybody is told")

	other := b.admin(t, "Other", "en")
	b.send(t, other, "/admin")
	theirs := b.waitLast(t, other, "Withdrawals waiting")
	b.forge(t, other, theirs.MessageID, button.CallbackData)
	b.sees(t, other, "This draft is gone")
	require.Contains(t, b.forge(t, other, theirs.MessageID, "a_incident_yes:1").Text, "earlier")
	b.send(t, other, "/admin")
	theirs = b.waitLast(t, other, "Withdrawals waiting")
	b.press(t, other, "Incident")
	b.press(t, other, "It is over…")
	b.waitLast(t, other, "Is the incident over?")
	_, err := b.db.Owner.Exec(b.ctx, `update account.draft set expires_at = drafted_at`)
	require.NoError(t, err)
	b.press(t, other, "Yes, it is over")
	b.waitLast(t, other, "It has been too long")
	require.Equal(t, 1, b.incidents(t))
	require.Equal(t, theirs.MessageID, b.lastMessage(t, other).MessageID)
}

// TestIncidentReachesEveryProcess: a process that has read that there is nothing to tell believes it for some seconds only;
// one that cannot read it draws its screens all the same.
func TestIncidentReachesEveryProcess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	anna := b.started(t, "Anna", "en")
	boss := b.admin(t, "Boss", "en")
	set := func(key, text string) {
		_, err := b.db.DBA.Exec(b.ctx, `select from ops.set_incident(p_admin_id => $1, p_is_on => true, p_text_ru => $2,
			p_text_en => $2, p_idempotency_key => $3)`, boss.ID, text, key)
		require.NoError(t, err)
	}
	b.send(t, anna, "/start")
	b.waitLast(t, anna, "👋")
	set("1", "by another process")
	require.Eventually(t, func() bool {
		b.press(t, anna, "Buy VPN")
		b.waitLast(t, anna, "Choose a plan")
		b.press(t, anna, "Main menu")
		return strings.HasPrefix(b.waitLast(t, anna, "👋").Text, "🚨 by another process")
	}, patience, poll)

	_, err := b.db.Owner.Exec(b.ctx, `revoke execute on function ops.incident from atlas_bot, atlas_admin`)
	require.NoError(t, err)
	set("2", "nobody can read this")
	require.Eventually(t, func() bool {
		b.press(t, anna, "Buy VPN")
		b.press(t, anna, "Main menu")
		return strings.Contains(b.log.String(), "could not read the incident")
	}, patience, poll)
	b.waitLast(t, anna, "🚨 by another process\n\n👋")
}

// TestTellPeopleOfAnIncident: what people see above their screens becomes a broadcast; of the end something else is written.
func TestTellPeopleOfAnIncident(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	boss := b.admin(t, "Boss", "en")
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Withdrawals waiting")
	b.press(t, boss, "Incident")
	m := b.waitLast(t, boss, "No text has been written yet")
	require.False(t, b.hasButton(t, boss, "Tell people"), "there is nothing to tell")
	b.forge(t, boss, m.MessageID, "a_broadcast_new:incident")
	b.waitLast(t, boss, "No text has been written yet")
	b.isInNoDialogue(t, boss)

	b.askIncident(t, boss)
	b.send(t, boss, "Карты <b>не</b> работают")
	b.waitLast(t, boss, "Now the same in English")
	b.send(t, boss, "Cards do not work")
	b.waitLast(t, boss, "So people will see it")
	b.press(t, boss, "Tell everybody")
	b.waitLast(t, boss, "Incident: everybody is told")
	b.press(t, boss, "Tell people in a message")
	m = b.waitLast(t, boss, "Who is it for?")
	require.Contains(t, m.Text, "Карты <b>не</b> работают\n\nCards do not work")
	b.press(t, boss, "With a subscription in force")
	b.waitLast(t, boss, "Карты <b>не</b> работают\n\nCards do not work")
	b.press(t, boss, "To the broadcast")
	b.waitLast(t, boss, "Incident (no. 1)\n🛠 Maintenance · With a subscription in force")
	require.Equal(t, 1, b.count(t, `select count(*)::int from broadcast.broadcast where kind = 'maintenance' and status = 'draft'
		and text_b is null and text_a = E'Карты <b>не</b> работают\n\nCards do not work'`))

	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Withdrawals waiting")
	b.press(t, boss, "Incident")
	b.press(t, boss, "It is over…")
	b.waitLast(t, boss, "Is the incident over?")
	b.press(t, boss, "Yes, it is over")
	b.waitLast(t, boss, "No incident")
	b.press(t, boss, "Tell people in a message")
	m = b.waitLast(t, boss, "The incident is over. People were told:")
	require.Contains(t, m.Text, "Type the text, exactly as people are to read it")
	b.send(t, boss, "Cards work again")
	b.waitLast(t, boss, "Who is it for?")
	b.press(t, boss, "Everybody")
	b.waitLast(t, boss, "Cards work again")
	b.press(t, boss, "To the broadcast")
	b.waitLast(t, boss, "The incident is over (no. 2)\n🛠 Maintenance · Everybody")
}
