package processes_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/tests/harness"
)

// outside is what bot and worker depend on, each of which can go away and come back at the same address.
type outside struct {
	*bundle
	redis          *harness.RedisBundle
	telegram, node *harness.Proxy
}

func setupOutside(t *testing.T) *outside {
	t.Helper()
	t.Parallel()
	o := &outside{bundle: bundleOf(t, harness.NewPrivate(t)), redis: harness.PrivateRedis(t)}
	address := func(text string) string {
		u, err := url.Parse(text)
		require.NoError(t, err)
		return u.Host
	}
	o.telegram, o.node = harness.NewProxy(t, address(o.variable("LOCAL_BOT_API_URL"))), harness.NewProxy(t, address(o.bundle.node.URL))
	o.env = append(o.env, "LOCAL_REDIS_URL="+o.redis.URL, "LOCAL_BOT_API_URL=http://"+o.telegram.Address(),
		"LOCAL_VPN_NODE_URL=http://"+o.node.Address(), "LOCAL_LOG_LEVEL=INFO")
	o.owner.Query("update ops.scheduled_job set schedule = '1 seconds' where name = 'ops.check_health'")
	o.owner.Query("update ops.setting set value = 0 where name = 'component_patience_seconds'")
	return o
}

// variable is the value of an environment variable that the processes get.
func (b *bundle) variable(name string) string {
	value := ""
	for _, each := range b.env {
		if text, isIt := strings.CutPrefix(each, name+"="); isIt {
			value = text
		}
	}
	return value
}

// takeAway ends something; bring brings it back.
func (o *outside) takeAway(what string) {
	o.Helper()
	switch what {
	case "database":
		require.NoError(o, o.harness.Server.Kill())
	case "redis":
		require.NoError(o, o.redis.Server.Kill())
	case "telegram":
		o.telegram.Down()
	case "vpn":
		o.node.Down()
	}
}

func (o *outside) bring(what string) {
	o.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	switch what {
	case "database":
		require.NoError(o, o.harness.Server.Restart(ctx))
		o.harness.Owner.Reset()
		o.harness.DBA.Reset()
		super, err := pgx.Connect(ctx, o.harness.DSN(harness.Superuser))
		require.NoError(o, err)
		o.Cleanup(func() { _ = super.Close(context.Background()) })
		o.root.Conn = super
	case "redis":
		require.NoError(o, o.redis.Server.Restart(ctx))
	case "telegram":
		o.telegram.Up()
	case "vpn":
		o.node.Up()
	}
}

// warnings counts the lines of a log that have a text, at level WARN or above.
func (p *process) warnings(text string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	count := 0
	for line := range strings.Lines(p.log.String()) {
		var l struct{ Level, Msg string }
		if json.Unmarshal([]byte(line), &l) == nil && (l.Level == "WARN" || l.Level == "ERROR") && l.Msg == text {
			count++
		}
	}
	return count
}

// asks gets a path of a process's HTTP server: the status, and the states of /readyz.
func (o *outside) asks(p *process, path string) (int, map[string]string) {
	o.Helper()
	o.eventually("it listens", func() bool { return p.said(`"msg":"listening"`) })
	p.mu.Lock()
	address := listening.FindStringSubmatch(p.log.String())
	p.mu.Unlock()
	require.Len(o, address, 2)
	response, err := http.Get("http://" + address[1] + path)
	require.NoError(o, err)
	defer func() { _ = response.Body.Close() }()
	var states map[string]string
	require.NoError(o, json.NewDecoder(response.Body).Decode(&states))
	return response.StatusCode, states
}

// isReady waits until a process says that it is.
func (o *outside) isReady(p *process, want string) {
	o.Helper()
	o.eventually("it is "+want, func() bool {
		_, states := o.asks(p, "/readyz")
		return states["status"] == want
	})
}

// serves has somebody talk with the bot, buy, and get a key.
func (o *outside) serves(id int) {
	o.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	who, err := o.people.Ensure(ctx, botapi.Person{ID: int64(id), FirstName: "P", LanguageCode: "en"})
	require.NoError(o, err)
	_, err = who.Send(ctx, "/start")
	require.NoError(o, err)
	_, err = who.WaitText(ctx, "Choose your language")
	require.NoError(o, err)
	o.Credit(id, 100_000)
	o.Buy(id, "basic", 1, "k")
	_, err = who.WaitMessage(ctx, func(m botapi.ChatMessage) bool { return m.IsOutgoing && len(m.Photo) > 0 })
	require.NoError(o, err, "the key arrives")
}

// TestStartWithoutWhatIsNeeded starts bot and worker while something, or everything, is away. They live, say what is
// missing once, and serve as soon as it is there; nobody has to start them again.
func TestStartWithoutWhatIsNeeded(t *testing.T) {
	for name, away := range map[string][]string{
		"no database": {"database"}, "no Redis": {"redis"}, "no Telegram": {"telegram"}, "no VPN node": {"vpn"},
		"nothing at all": {"database", "redis", "telegram", "vpn"},
	} {
		t.Run(name, func(t *testing.T) {
			o := setupOutside(t)
			for _, what := range away {
				o.takeAway(what)
			}
			bot, worker := o.start("bot"), o.start("worker")
			for _, p := range []*process{bot, worker} {
				status, _ := o.asks(p, "/healthz")
				require.Equal(t, http.StatusOK, status, "it lives")
			}
			if away[0] == "database" {
				for _, p := range []*process{bot, worker} {
					o.eventually("it says what it waits for", func() bool { return p.warnings("waiting for the database") > 0 })
					status, states := o.asks(p, "/readyz")
					require.Equal(t, http.StatusServiceUnavailable, status)
					require.Equal(t, "unavailable", states["status"])
				}
				time.Sleep(3 * time.Second) // some tries more
				for _, p := range []*process{bot, worker} {
					require.Equal(t, 1, p.warnings("waiting for the database"), "once, not at each try")
				}
			} else {
				o.isReady(worker, "degraded")
				o.until("it is seen", `select exists (select from ops.component_status where component = $1 and state = 'down')`, away[0])
				require.Equal(t, "degraded", o.root.Value("select state from ops.component_status where component = 'service'"))
			}
			for _, what := range away {
				o.bring(what)
			}
			o.serves(firstID)
			for _, p := range []*process{bot, worker} {
				o.isReady(p, "ok")
			}
			o.until("all are seen", `select count(*) = 5 from ops.component_status
				where component <> 'cryptopay' and state = 'up'`)
			if away[0] != "database" {
				require.Equal(t, []Row{{"name": "component_down"}, {"name": "component_up"}}, o.owner.Query(
					"select name from outbox.task where telegram_id = $1 and name like 'component%' order by task_id", boss),
					"the admin is told of each once")
			}
		})
	}
}

// TestRestartedUnderneath restarts the database and Redis under a running bot and worker, and then both at once.
func TestRestartedUnderneath(t *testing.T) {
	o := setupOutside(t)
	bot, worker := o.start("bot"), o.start("worker")
	o.serves(firstID)
	for i, away := range [][]string{{"database"}, {"redis"}, {"database", "redis"}} {
		for _, what := range away {
			o.takeAway(what)
		}
		want := map[string]string{"database": "unavailable", "redis": "degraded"}[away[0]]
		o.isReady(bot, want)
		o.isReady(worker, want)
		for _, what := range away {
			o.bring(what)
		}
		o.serves(firstID + 1 + i)
		o.isReady(bot, "ok")
		o.isReady(worker, "ok")
	}
	require.LessOrEqual(t, bot.warnings("could not look into the inbox"), 2, "once for each outage")
	require.LessOrEqual(t, worker.warnings("the schedule cannot be read"), 2)
	require.Equal(t, 4, o.count("ledger.transfer where reason = 'purchase'"))
	o.until("every key was told of", "select count(*) = 4 from outbox.task where name = 'key_ready' and outcome = 'done'")
}
