package bot_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
)

// hostile are names that people give themselves.
var hostile = []string{
	`<b>Bobby</b> & "co" <script>`, "\u202eevil\u202c\u200f\u061c", "😀👨‍👩‍👧‍👦🏳️‍🌈" + strings.Repeat("😀", 50), strings.Repeat("я", 4096),
	"{{.name}} %s %!d", `<a href="tg://user?id=1">x</a>`, "&amp;lt;", "\u200b", "line\nline\r\n\tline", "'; drop table account.account; --",
}

// TestHostileNamesOnEveryScreen lets people with such names go where their name is shown: to themselves, and to an admin
// who looks at them and at their withdrawal. Telegram takes each screen, and nothing of the name is markup.
func TestHostileNamesOnEveryScreen(t *testing.T) {
	t.Parallel()
	d := &dialogues{stage: newStage(t)}
	for i, name := range hostile {
		d.enter(actor{come: func(s *stage, language string) {
			s.depositor(language)
			s.requestsWithdrawal(s.me, 600_00+i)
		}}, "en")
		bad, err := d.people.Ensure(d.ctx, botapi.Person{ID: d.me.ID, FirstName: name, LastName: name, Username: "hostile" + strconv.Itoa(i), LanguageCode: "en"})
		require.NoError(t, err)
		d.me = bad
		for _, word := range []string{"/start", "[profile]", "[menu]", "[settings]", "/support", "/referral", "/status", "/buy"} {
			d.says1(word)
			d.isHarmless(d.lastMessage(t, d.me), name)
		}
		d.desk.One("account.set_language", map[string]any{"p_telegram_id": bad.ID, "p_language": "ru"})
		d.says1("/start")
		d.isHarmless(d.lastMessage(t, d.me), name)

		admin := d.person(t, "Boss", "en")
		d.me = admin
		d.says1("/start")
		d.grantAdmin(t, admin)
		for _, word := range []string{"/admin", "[a_users]", strconv.FormatInt(bad.ID, 10), "/admin", "[a_payouts]", "[a_payout]", "/admin", "[a_users]", name} {
			if word == name && (strings.TrimSpace(name) == "" || strings.HasPrefix(name, "/")) {
				continue
			}
			d.says1(word)
			d.isHarmless(d.lastMessage(t, d.me), name)
		}
	}
	require.NotContains(t, d.log.String(), `"level":"ERROR"`)
}

// isHarmless looks for what a name could have done to a message.
func (d *dialogues) isHarmless(m botapi.ChatMessage, name string) {
	d.t.Helper()
	require.NotContains(d.t, m.Text, "\u202e", "the text is turned around: %.40q", name)
	require.LessOrEqual(d.t, len([]rune(m.Text)), 4096)
	require.NotEqual(d.t, "other", d.refusal(m), "%.40q", name)
	for _, entity := range m.Entities {
		require.NotContains(d.t, []string{"text_link", "text_mention"}, entity.Type, "%.40q", name)
	}
}
