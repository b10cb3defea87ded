package processes_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/config"
	"atlas-secure/internal/pay/cryptopay"
	fakepay "atlas-secure/internal/sandbox/cryptopay"
	"atlas-secure/tests/contract/desk"
)

// TestC8WorkerIsKilledAfterTheCredit kills a worker whose transaction has credited the cashback and waits to mark it done.
// With its session the credit is gone and the next worker pays; without it the server finishes, and the next has nothing
// to do. Either way it is one reward.
func TestC8WorkerIsKilledAfterTheCredit(t *testing.T) {
	for name, isSessionKilled := range map[string]bool{"with its session": true, "its session goes on": false} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.onlyJob("referral.pay_due")
			link := b.One("account.profile", A{"p_telegram_id": anna})["referral_code"].(string)
			b.One("account.register", A{"p_telegram_id": 5000, "p_username": "neo", "p_language": "en", "p_start_payload": "ref_" + link})
			b.Credit(5000, desk.Basic1)
			b.Buy(5000, "basic", 1, "k")
			release := b.begin("select from outbox.task where kind = 'cashback' for share")
			first := b.start("worker")
			b.until("the credit waits to be marked", "select exists (select "+waiting+")", "pay_due")
			require.NoError(t, first.Process.Signal(syscall.SIGKILL))
			first.end()
			require.Zero(t, b.count("referral.reward"), "nothing is committed yet")
			if isSessionKilled {
				b.root.Query("select pg_terminate_backend(pid) "+waiting, "pay_due")
				b.until("its session is gone", "select not exists (select "+waiting+")", "pay_due")
			}
			release()
			if !isSessionKilled {
				b.until("the server has finished what nobody hears of", "select exists (select from referral.reward)")
			}
			second := b.start("worker")
			b.eventually("the next worker leads", func() bool { return b.count("ops.lease where name = 'referral.pay_due' and epoch = 2") == 1 })
			b.until("the reward is paid", "select exists (select from outbox.task where kind = 'cashback' and finished_at is not null)")
			second.end()
			require.Equal(t, desk.Rich+desk.Basic1/10, b.Available(anna))
			require.Equal(t, 1, b.count("ledger.transfer where reason = 'cashback'"))
			require.Equal(t, 1, b.count("outbox.task where name = 'cashback'"))
		})
	}
}

// TestF4PausedLeader stops a leader that has just been told that it leads, until another has taken over. When it wakes it
// goes on as if nothing had happened, and the database refuses it.
func TestF4PausedLeader(t *testing.T) {
	b := setup(t)
	b.onlyJob("billing.expire_due")
	b.owner.Query("update ops.scheduled_job set timeout_seconds = 50") // so long may the machine be busy; the clock jumps further
	b.owner.Query("insert into ops.lease (name, epoch, expires_at) values ('billing.expire_due', 0, '-infinity')")
	for _, user := range []int{anna, bert} {
		b.Open(user, "basic", 1, "k")
	}
	b.owner.Later("31 minutes")
	release := b.begin("select from ops.lease where name = 'billing.expire_due' for update")
	first := b.start("worker")
	b.until("the first asks for the leadership", "select exists (select "+waiting+")", "claim_run")
	require.NoError(t, first.Process.Signal(syscall.SIGSTOP))
	release()
	b.until("it has it and does not know yet", "select exists (select from ops.lease where name = 'billing.expire_due' and epoch = 1)")
	b.owner.Later("32 minutes") // its lease is over

	second := b.start("worker")
	b.until("the second has done the work", "select count(*) = 2 from billing.purchase where status = 'expired'")
	second.end()
	b.Open(anna, "basic", 1, "late")
	b.owner.Later("70 minutes")
	before := b.count("billing.purchase where status = 'expired'")
	held := b.owner.Query("select epoch, holder from ops.lease where name = 'billing.expire_due'")[0]
	require.Equal(t, 2, held["epoch"])
	b.One("ops.acquire_lease", A{"p_name": "billing.expire_due", "p_holder": held["holder"], "p_ttl": "1 hour"})
	epoch := b.owner.Value("select epoch from ops.lease where name = 'billing.expire_due'").(int)

	require.NoError(t, first.Process.Signal(syscall.SIGCONT))
	b.eventually("the first is refused", func() bool { return first.said("OP002") || first.said("stale leader epoch") })
	first.end()
	require.Equal(t, before, b.count("billing.purchase where status = 'expired'"), "it wrote nothing")
	require.Equal(t, epoch, b.owner.Value("select epoch from ops.lease where name = 'billing.expire_due'"))
	require.Equal(t, 1, b.One("billing.expire_due", A{"p_epoch": epoch, "p_limit": 10})["expired"], "the leader of now may")
}

// TestF9KilledBetweenClaimAndAct kills a worker that has claimed a key and asks the node for it. When its lease is over
// another worker makes the key, once.
func TestF9KilledBetweenClaimAndAct(t *testing.T) {
	b := setup(t)
	b.onlyJob("vpn.provision")
	b.Buy(anna, "basic", 1, "k")
	b.node.hold = make(chan struct{})
	first := b.start("worker")
	b.eventually("the node is asked", func() bool { return len(b.node.added()) == 1 })
	require.NoError(t, first.Process.Signal(syscall.SIGKILL))
	first.end()
	b.node.mu.Lock()
	close(b.node.hold)
	b.node.hold = nil
	b.node.mu.Unlock()

	second := b.start("worker")
	b.eventually("the second has looked for work", func() bool { return second.said(`"msg":"run"`) })
	require.Zero(t, b.count("outbox.task where kind = 'provision' and finished_at is not null"), "the lease is the first one's")
	b.owner.Later("31 seconds")
	b.until("the key is there", "select exists (select from outbox.task where kind = 'provision' and outcome = 'done')")
	second.end()
	require.Equal(t, 2, b.owner.Value("select attempt::int from outbox.task where kind = 'provision'"))
	require.Equal(t, 1, b.count("outbox.task where name = 'key_ready'"))
	require.Equal(t, 1, b.count("ledger.transfer where reason = 'purchase'"))
	uuid := b.One("subscription.current", A{"p_telegram_id": anna})["vpn_uuid"]
	for _, added := range b.node.added() {
		require.Equal(t, uuid, added, "the same user twice is one user")
	}
}

var listening = regexp.MustCompile(`"msg":"listening"[^}]*"address":"([^"]+)"`)

// TestE13KilledBeforeTheCommit kills the bot while its transaction that books a payment waits to go on. Crypto Pay has no
// answer and tells the next process, which credits the payment, once.
func TestE13KilledBeforeTheCommit(t *testing.T) {
	for name, isSessionKilled := range map[string]bool{"with its session": true, "its session goes on": false} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			fake, err := fakepay.New(fakepay.Options{Token: cryptoToken})
			require.NoError(t, err)
			pay := httptest.NewServer(fake)
			t.Cleanup(func() { _ = fake.Close(); pay.CloseClientConnections(); pay.Close() })
			client, err := cryptopay.New(cryptopay.Options{BaseURL: pay.URL, Token: config.NewSecret(cryptoToken)})
			require.NoError(t, err)
			id := b.Topup(bert, 25000, "k")
			invoice, err := client.CreateInvoice(t.Context(), cryptopay.CreateInvoiceParams{Amount: 25000, Payload: id})
			require.NoError(t, err)
			run := func() *process {
				p := b.start("bot", "LOCAL_CRYPTOPAY_URL="+pay.URL, "LOCAL_CRYPTOPAY_TOKEN="+cryptoToken)
				b.eventually("the bot listens", func() bool { return p.said(`"msg":"listening"`) })
				p.mu.Lock()
				address := listening.FindStringSubmatch(p.log.String())
				p.mu.Unlock()
				require.Len(t, address, 2)
				fake.SetWebhook("http://" + address[1] + "/webhook/cryptopay")
				return p
			}
			release := b.begin("select from account.account where telegram_id = $1 for update", bert)
			first := run()
			response, err := http.Post(fmt.Sprintf("%s/control/invoices/%d/pay", pay.URL, invoice.ID), "application/json", strings.NewReader("{}"))
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusOK, response.StatusCode)
			b.until("the booking waits", "select exists (select "+waiting+")", "settle_payment")
			require.NoError(t, first.Process.Signal(syscall.SIGKILL))
			first.end()
			if isSessionKilled {
				b.root.Query("select pg_terminate_backend(pid) "+waiting, "settle_payment")
				b.until("its session is gone", "select not exists (select "+waiting+")", "settle_payment")
				require.Zero(t, b.count("billing.charge"))
			}
			release()
			second := run()
			b.until("the payment is there", "select exists (select from billing.payment where outcome = 'applied')")
			b.eventually("the provider has its answer", func() bool { return second.said(`"status":200`) })
			second.end()
			require.Equal(t, 25000, b.Available(bert))
			require.Equal(t, 1, b.count("billing.payment"))
			require.Equal(t, 1, b.count("ledger.transfer where telegram_id = $1", bert))
		})
	}
}
