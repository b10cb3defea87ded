package processes_test

import (
	"bytes"
	"encoding/base64"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/tests/contract/desk"
)

// The canaries: each stands for one secret, and is to be found nowhere.
const (
	canaryToken      = "ccccccccccccccccccccccccccccccccccc" // the secret part of the bot's token
	canaryCryptoPay  = "1:canary-of-crypto-pay"
	canaryNode       = "canary-of-the-node"
	canaryRequisites = "Canary-Bank 2200 1234 5678 4321"
)

var canaryKey = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("canary!!"), 4))

func canaries() []string {
	return []string{canaryToken, canaryCryptoPay, canaryNode, canaryRequisites, canaryKey}
}

// dead is an address at which nobody listens any more.
func dead() string {
	server := httptest.NewServer(nil)
	server.Close()
	return server.URL
}

// withdraw asks for a withdrawal to the canary's requisites.
func (b *bundle) withdraw(t *testing.T) {
	t.Helper()
	p, err := b.enter(t.Context(), anna, "/profile", "Вывести", "одновременно только одна")
	require.NoError(t, err)
	for _, a := range withdrawal {
		if strings.Contains(a.typed, "2200") {
			a.typed = canaryRequisites
		}
		require.NoError(t, b.do(t.Context(), p, a))
	}
}

// TestX9NoSecretInAnyLog has real bots and workers meet what goes wrong outside, with a canary for each secret, and reads
// all that they log at the finest level, and what a look at the server's sessions shows.
func TestX9NoSecretInAnyLog(t *testing.T) {
	b := setup(t)
	secrets := []string{"LOCAL_CRYPTOPAY_TOKEN=" + canaryCryptoPay, "LOCAL_VPN_NODE_API_KEY=" + canaryNode, "LOCAL_REQUISITES_KEY=" + canaryKey}
	broken := append([]string{"LOCAL_CRYPTOPAY_URL=" + dead(), "LOCAL_VPN_NODE_URL=" + dead()}, secrets...)
	bot := b.start("bot", append([]string{"LOCAL_CRYPTOPAY_URL=" + dead()}, secrets...)...)
	b.withdraw(t)
	seen := []string{}
	for _, row := range b.root.Query("select query from pg_stat_activity where datname = current_database()") {
		seen = append(seen, row["query"].(string))
	}

	for _, fault := range []botapi.Fault{{Method: "*", Action: "drop", Count: 4, After: true}, {Method: "*", Action: "error", Code: 500, Count: 4},
		{Method: "*", Action: "error", Code: 404, Count: 4}} {
		require.NoError(t, b.people.AddFault(t.Context(), fault))
	}
	b.Credit(bert, desk.Basic1)
	b.Buy(bert, "basic", 1, "k")
	worker := b.start("worker", broken...)
	b.eventually("the worker misses the node and Crypto Pay", func() bool {
		return worker.said(`"operation":"vpn.provision"`) && worker.said("pay.poll_cryptobot")
	})
	b.root.Query("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'atlas-%' and datname = current_database()")
	deaf := b.start("bot", append([]string{"LOCAL_BOT_API_URL=" + dead()}, secrets...)...)
	b.eventually("the deaf bot says so", func() bool { return deaf.said("ERROR") || deaf.said("WARN") })
	for _, p := range []*process{bot, worker, deaf} {
		require.NoError(t, p.Process.Signal(syscall.SIGQUIT)) // the runtime prints every goroutine's stack
		b.eventually("it has printed all", func() bool { return p.said("SIGQUIT") && p.said("\nrip ") || p.said("\npc ") })
		p.end()
		seen = append(seen, p.log.String())
	}
	for _, canary := range canaries() {
		for _, text := range seen {
			at := strings.Index(text, canary)
			require.Negative(t, at, "%s in …%s", canary, text[max(0, at-200):max(0, at)])
		}
	}
}

// TestX10RequisitesAtRest looks for the words of a withdrawal in every row of every table, which is what a dump, a replica
// or a backup has, and in Redis.
func TestX10RequisitesAtRest(t *testing.T) {
	b := setup(t)
	b.start("bot")
	b.withdraw(t)
	require.Equal(t, 1, b.count("withdrawal.withdrawal where status = 'pending'"))
	require.Positive(t, b.count("inbox.update where payload::text like '%/profile%'"), "commands are kept as they are, so the search finds words")
	for _, table := range b.owner.Query(`select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind = 'r' and n.nspname !~ '^pg_|^information_schema$'`) {
		name := table["name"].(string)
		require.Zero(t, b.count(name+" t where t::text like '%' || $1 || '%' or t::text like '%Canary-Bank%'", canaryRequisites), name)
	}
	keys, err := b.redis.Client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	for _, key := range keys {
		kept, _ := b.redis.Client.Dump(t.Context(), key).Result()
		require.NotContains(t, kept, "Canary-Bank", key)
	}
}
