package bot_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

// probeAdmin lets two people try what an admin is about to do: one who has never been one, but has an admin's name, the
// data of the button and even the dialogue; and one who was an admin until just now, in the middle of it. Both are shown
// no more than anybody who says nonsense, nothing changes, and the audit knows of each.
func (s *stage) probeAdmin(on way, since int) []string {
	s.t.Helper()
	last := on[len(on)-1]
	if last.text == "/start" {
		return nil
	}
	eve := s.stranger
	s.lendDialogue(eve)
	faults := s.judge(eve, "a stranger", last, func() outcome { return s.tryAs(eve, last, since) })
	s.revokeAdmin(s.t, s.me)
	faults = append(faults, s.judge(s.me, "a former admin", last, func() outcome { return s.do(last, since) })...)
	s.grantAdmin(s.t, s.me)
	return faults
}

// judge says what somebody without rights should not have come to.
func (s *stage) judge(p *person.Person, who string, last act, try func() outcome) []string {
	s.t.Helper()
	var faults []string
	fault := func(format string, args ...any) {
		faults = append(faults, who+" does what admins do: "+fmt.Sprintf(format, args...))
	}
	before, refusals := s.tables(s.t), s.refusals(s.t, p)
	done := try()
	if after := s.tables(s.t); after != before {
		fault("something has changed: %s", difference(before, after))
	}
	if more := s.refusals(s.t, p) - refusals; more != 1 {
		fault("the audit has %d new refusals (US003) instead of one", more)
	}
	switch {
	case last.kind == presses && done.toast != s.text.Plain("alert.old_button"):
		fault("the press is answered by %q", done.toast)
	case last.kind != presses && !s.isUnknown(done):
		fault("the answer is not that of an unknown word")
	}
	for _, m := range done.screens {
		if last.kind == presses && !isMenu(m) {
			fault("the screen is not the menu: %s", look(m))
		}
	}
	return faults
}

// probeOwner lets a stranger press a button that carries an id, before the owner does: all that is not the stranger's own
// stays as it is; and what is the owner's is not even shown.
func (s *stage) probeOwner(on way, since int) []string {
	s.t.Helper()
	last := on[len(on)-1]
	if last.kind != presses || !strings.Contains(last.data, "‹") {
		return nil
	}
	eve := s.stranger
	s.lendDialogue(eve)
	_, button := s.button(s.view(), since, s.isLike(last))
	verb, id := screen.Parse(button.CallbackData)
	before, refused := s.tablesWithout(s.t, strconv.FormatInt(eve.ID, 10)), s.refused(eve)
	done := s.tryAs(eve, last, since)
	var faults []string
	fault := func(format string, args ...any) {
		faults = append(faults, "a stranger presses a button of another's: "+fmt.Sprintf(format, args...))
	}
	if after := s.tablesWithout(s.t, strconv.FormatInt(eve.ID, 10)); after != before {
		fault("something has changed that is not the stranger's: %s", difference(before, after))
	}
	if !s.isOwned(verb, id) {
		return faults
	}
	if s.refused(eve) == refused {
		fault("the audit has no entry (%s)", button.CallbackData)
	}
	for _, m := range done.screens {
		if !isMenu(m) && s.refusal(m) == "" && !s.shows(m, "start_again.text") {
			fault("a screen is shown: %s", look(m))
		}
	}
	return faults
}

// strangerComes makes a visitor with the actor's own name, and no rights.
func (s *stage) strangerComes(language string) *person.Person {
	s.t.Helper()
	eve := s.other("stranger", language, (*stage).visitor)
	_, err := s.people.Ensure(s.ctx, botapi.Person{
		ID: eve.ID, FirstName: s.me.FirstName, Username: s.me.Username, LanguageCode: language,
	})
	require.NoError(s.t, err)
	return eve
}

// lendDialogue puts the stranger where the actor stands, as if somebody had edited Redis.
func (s *stage) lendDialogue(eve *person.Person) {
	s.t.Helper()
	key := fmt.Sprintf("test:dialogue:{%d}", eve.ID)
	s.redis.Del(key)
	if text := s.dialogue(s.t, s.me); text != "" {
		require.NoError(s.t, s.redis.Set(key, text))
	}
}

// tryAs lets somebody else do what the actor could: say the same words, or forge the same button.
func (s *stage) tryAs(eve *person.Person, last act, since int) outcome {
	s.t.Helper()
	me := s.me
	var data string
	if last.kind == presses {
		_, button := s.button(s.view(), since, s.isLike(last))
		data = button.CallbackData
	}
	s.me = eve
	defer func() { s.me = me }()
	if last.kind != presses {
		return s.do(last, 0)
	}
	before, counts := s.view(), s.handled()
	done := outcome{toast: s.forge(s.t, eve, s.lastMessage(s.t, eve).MessageID, data).Text}
	done.route = s.handledSince(counts)
	done.screens = changed(before, s.view())
	return done
}

// isLike looks for the button that an act presses.
func (s *stage) isLike(a act) func(botapi.Button) bool {
	return func(each botapi.Button) bool {
		return s.plainData(each.CallbackData) == a.data && s.plain(each.Text) == a.text
	}
}

// refused counts the audit's entries of what was refused to somebody.
func (s *stage) refused(p *person.Person) int {
	s.t.Helper()
	return s.count(s.t, `select count(*)::int from audit.entry where actor_id = $1 and action like 'refused.%'`, p.ID)
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f-]{27}$`)

// nobodys are the verbs whose argument is nobody's: whoever presses gets what is one's own.
var nobodys = map[screen.Verb]string{
	screen.VerbHistory:       "a page of one's own history",
	screen.VerbPreset:        "a place on the screen",
	screen.VerbReissueNow:    "the update that asked: part of a key that is the person's",
	screen.VerbCorporateSend: "the update that asked: part of a key that is the person's",
	screen.VerbPromo:         "a purchase to go back to; it is looked at when the code is known",
}

// isOwned says whether a button's id is of something that the actor owns: a purchase, a draft, a withdrawal. Offers are
// everybody's. Of a number it is expected unless nobodys says otherwise.
func (s *stage) isOwned(verb screen.Verb, id string) bool {
	s.t.Helper()
	if nobodys[verb] != "" {
		return false
	}
	if !uuidForm.MatchString(id) {
		return digits.MatchString(id)
	}
	rows, err := s.db.Owner.Query(s.ctx, `select a.attrelid::regclass::text from pg_attribute a join pg_class c on c.oid = a.attrelid
		join pg_namespace n on n.oid = c.relnamespace
		where a.attname = 'telegram_id' and c.relkind = 'r' and n.nspname not in ('inbox', 'audit')`)
	require.NoError(s.t, err)
	var looks []string
	for rows.Next() {
		var name string
		require.NoError(s.t, rows.Scan(&name))
		looks = append(looks, "select from "+name+" x where x.telegram_id = $1 and x::text like '%' || $2 || '%'")
	}
	require.NoError(s.t, rows.Err())
	return s.count(s.t, "select count(*)::int from ("+strings.Join(looks, " union all ")+") each", s.me.ID, id) > 0
}

// difference names the tables that differ.
func difference(before, after string) string {
	var names []string
	known := strings.Split(before, "\n")
	for line := range strings.SplitSeq(after, "\n") {
		if !slices.Contains(known, line) {
			name, _, _ := strings.Cut(line, " ")
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
