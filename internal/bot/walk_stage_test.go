package bot_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot"
	"atlas-secure/internal/bot/notice"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/telegram"
	"atlas-secure/internal/vpn"
	"atlas-secure/internal/worker"
	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

// stage is a whole system with one actor in it. Its worker works when it is told to, so that messages of the outbox come
// at a known moment.
type stage struct {
	*bundle
	t          *testing.T
	desk       *desk.Desk
	running    *process
	languages  []*i18n.Text // all there are
	text       *i18n.Text   // the actor's
	codes      []string     // of refusals
	me         *person.Person
	words      map[string]string      // what says may name in braces
	stranger   *person.Person         // who tries what the actor may, once there is one
	registries []*prometheus.Registry // of all bots that there are and were
	jobs       []worker.Job
	messenger  *notice.Messenger
	news       []sqlapi.BroadcastMessage // that the actor gets over and over
	clean      string                    // the tables when the actor had come
	names      map[string]bool           // of the database's functions and jobs
}

// newStage makes a stage with nobody on it.
func newStage(t *testing.T) *stage {
	t.Helper()
	b := setup(t)
	s := &stage{bundle: b, t: t, codes: refusalCodes(t)}
	s.desk = &desk.Desk{TB: t, Conn: b.db.DBA}
	s.names = map[string]bool{}
	for _, row := range s.desk.On(t, b.db.Owner).Query(`select n.nspname || '.' || p.proname as name from pg_proc p
		join pg_namespace n on n.oid = p.pronamespace where n.nspname !~ '^pg_|^information_schema$'
		union all select j.name from ops.scheduled_job j`) {
		s.names[row["name"].(string)] = true
	}
	s.start()
	s.messenger = b.messenger(t)
	s.jobs = b.jobs(t, s.messenger)
	return s
}

// start starts the bot.
func (s *stage) start() {
	s.t.Helper()
	registry := prometheus.NewRegistry()
	s.registries = append(s.registries, registry)
	s.running = s.startBot(s.t, func(parts *bot.Parts) {
		parts.Registerer = registry
		s.languages = nil
		for _, each := range parts.Texts.Languages() {
			s.languages = append(s.languages, parts.Texts.In(each))
		}
	})
}

// enter lets the actor come: a new person, in the state.
func (s *stage) enter(who actor, language string) {
	s.t.Helper()
	s.desk.On(s.t, s.db.Owner).Later("0 days")
	s.text, s.words, s.stranger = s.in(language), map[string]string{}, nil
	s.news = nil
	s.me = s.person(s.t, map[string]string{"ru": "Анна", "en": "Bob"}[language], language)
	who.come(s, language)
	if who.probe != nil {
		s.stranger = s.strangerComes(language)
	}
	s.work()
	s.clean = s.tables(s.t)
}

// forget leaves no dialogue and no count of tries behind.
func (s *stage) forget() {
	s.t.Helper()
	s.redis.FlushAll()
	_, err := s.db.Owner.Exec(s.ctx, `delete from ops.attempt`)
	require.NoError(s.t, err)
}

// in are the texts of a language.
func (s *stage) in(language string) *i18n.Text {
	return s.languages[slices.IndexFunc(s.languages, func(each *i18n.Text) bool { return string(each.Language()) == language })]
}

// jobs are the worker's that people notice.
func (b *bundle) jobs(t *testing.T, messenger *notice.Messenger) []worker.Job {
	t.Helper()
	db, log := b.openDB(t, harness.WorkerLogin), obs.NewLogger(b.log, 0, "worker")
	return []worker.Job{
		worker.Provision(db.VPN, []vpn.Named{{Name: "node", Node: node{}}}, log),
		worker.Notify(db.Notify, messenger, log),
		worker.Export(db.Ops, db.Account, messenger, log, worker.ExportOptions{}),
	}
}

func (b *bundle) messenger(t *testing.T) *notice.Messenger {
	t.Helper()
	texts, err := i18n.Load(func(err error) { t.Error(err) })
	require.NoError(t, err)
	limiter := limit.New(b.redisClient(t), "test:")
	return notice.New(telegram.NewSender(b.client(t), limiter, obs.NewLogger(b.log, 0, "worker"), telegram.WithLimits(fast())), texts)
}

// work lets the worker do all that there is to do.
func (s *stage) work() {
	s.t.Helper()
	batch := worker.Batch{Holder: "walk", Limit: 50, IsStopping: func() bool { return false }}
	for isBusy := true; isBusy; {
		isBusy = false
		for _, job := range s.jobs {
			items, err := job(s.ctx, batch)
			if !errors.Is(err, atlas.ErrSwitchedOff) { // admins switch off what they like
				require.NoError(s.t, err)
			}
			isBusy = isBusy || items > 0
		}
	}
	for _, message := range s.news {
		require.NoError(s.t, s.messenger.Proclaim(s.ctx, message))
	}
}

// handled counts the updates that the bots have worked off, by what they led to.
func (s *stage) handled() map[string]uint64 {
	s.t.Helper()
	counts := map[string]uint64{}
	for _, registry := range s.registries {
		families, err := registry.Gather()
		require.NoError(s.t, err)
		for _, family := range families {
			if family.GetName() != "atlas_bot_update_seconds" {
				continue
			}
			for _, each := range family.GetMetric() {
				for _, label := range each.GetLabel() {
					if label.GetName() == "operation" {
						counts[label.GetValue()] += each.GetHistogram().GetSampleCount()
					}
				}
			}
		}
	}
	return counts
}

// handledSince waits until the bot has worked off one more update than before, and names what it led to.
func (s *stage) handledSince(before map[string]uint64) string {
	s.t.Helper()
	var operation string
	s.await(func() bool {
		for name, count := range s.handled() {
			if count > before[name] && name != "pre_checkout" {
				operation = name
			}
		}
		return operation != ""
	}, "the bot handles nothing")
	return operation
}

// await looks again and again, which costs less than the bot's own work.
func (s *stage) await(isSo func() bool, why string) {
	s.t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !isSo(); <-ticker.C {
		require.True(s.t, time.Now().Before(deadline), why)
	}
}

// listen expects from now on the language that the actor has chosen.
func (s *stage) listen() {
	s.t.Helper()
	for _, each := range s.languages {
		if s.count(s.t, `select count(*)::int from account.account where telegram_id = $1 and language = $2`, s.me.ID, string(each.Language())) == 1 {
			s.text = each
		}
	}
}

// isLanguageChosen says whether the actor has said which language to speak.
func (s *stage) isLanguageChosen() bool {
	return s.count(s.t, `select count(*)::int from account.account where telegram_id = $1 and is_language_chosen`, s.me.ID) == 1
}

func (s *stage) hasRoute(verb screen.Verb) bool { return s.running.bot.HasRoute(verb) }

// step is where in a dialogue the actor stands: "withdraw.amount", or nothing.
func (s *stage) step() string { return dialogueStep(s.dialogue(s.t, s.me)) }

// isClean says whether all is as when the actor had come. A draft that nobody has confirmed is seen by nobody,
// and rights that were taken and given back are there.
func (s *stage) isClean() bool {
	s.t.Helper()
	clean := strings.Split(s.clean, "\n")
	for line := range strings.SplitSeq(s.tables(s.t), "\n") {
		isSeen := !strings.Contains(line, "draft ") && !strings.HasPrefix(line, "account.admin ")
		if isSeen && !slices.Contains(clean, line) {
			return false
		}
	}
	return true
}

// tables is a digest of all that the database keeps, a line each, but for what comes and goes with every update, and what
// only tells that something was refused.
func (b *bundle) tables(t *testing.T) string {
	t.Helper()
	return b.tablesWithout(t, "nobody's")
}

// tablesWithout is the same without the rows in which a word is.
func (b *bundle) tablesWithout(t *testing.T, word string) string {
	t.Helper()
	rows, err := b.db.Owner.Query(b.ctx, `select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind = 'r' and n.nspname !~ '^pg_|^information_schema$|^inbox$|^audit$'
		and c.oid::regclass::text not in ('ops.lease', 'ops.attempt', 'ops.job_run', 'ops.component') order by 1`)
	require.NoError(t, err)
	var digests []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		digests = append(digests, fmt.Sprintf(
			`select '%[1]s ' || coalesce(md5(string_agg(x::text, '|' order by x::text)), '') as line from %[1]s x
			where x::text not like '%%' || $1 || '%%'`, name))
	}
	require.NoError(t, rows.Err())
	require.Greater(t, len(digests), 20)
	var digest string
	require.NoError(t, b.db.Owner.QueryRow(b.ctx, "select string_agg(line, E'\\n' order by line) from ("+
		strings.Join(digests, " union all ")+") each", word).Scan(&digest))
	return digest
}
