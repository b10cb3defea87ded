package race_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/config"
	"atlas-secure/internal/i18n"
	limiter "atlas-secure/internal/limit"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

// promoTries is what the shop allows one user in a minute.
const promoTries = 10

func TestB11GuessingCodes(t *testing.T) { guessing(setup(t)) }

// guards are what two bots have: the same database and Redis, and nothing else in common.
func (b *bundle) guards(redisAddress string, patience time.Duration) []*limiter.Guard {
	b.Helper()
	guards := make([]*limiter.Guard, 2)
	for i := range guards {
		client := redis.NewClient(&redis.Options{Addr: redisAddress, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true})
		b.Cleanup(func() { _ = client.Close() })
		db, err := sqlapi.Open(context.Background(), sqlapi.Config{URL: config.NewSecret(b.harness.DSN(harness.BotLogin)),
			StatementTimeout: 3 * time.Minute, LockTimeout: 2 * time.Minute})
		require.NoError(b, err)
		b.Cleanup(db.Close)
		guards[i] = limiter.NewGuard(limiter.New(client, "b11:", limiter.WithPatience(patience)), bot.Counter(db))
	}
	return guards
}

// guessing: one user tries 10 000 codes and a hundred others 100 each, at two processes, and halfway Redis goes away. The
// database's clock stands, so that exactly the limit may pass, whatever becomes of Redis.
func guessing(b *bundle) {
	b.issue("EXPIRED", nil, 1)
	b.owner.Query("update promo.code set expires_at = core.now() where code = 'EXPIRED'")
	b.issue("USEDUP", 1, 1)
	b.One("billing.open_purchase", with(anna, "USEDUP", "k"))
	at := time.Now().Add(time.Minute)
	b.owner.At(at)
	proxy := harness.PrivateRedis(b).Proxy(b)
	guards := b.guards(proxy.Address(), time.Minute)
	passed, total := map[int]int{}, map[string]int{}
	try := func(user int) {
		wait, err := guards[b.random.IntN(2)].Take(context.Background(), limiter.Promo, atlas.TelegramID(user))
		require.NoError(b, err)
		if wait > 0 {
			return
		}
		passed[user]++
		text := []string{"GUESS" + string(rune('A'+b.random.IntN(26))), "EXPIRED", "USEDUP"}[b.random.IntN(3)]
		rows, err := b.On(b, b.bots[0]).Try("promo.validate", A{"p_telegram_id": user, "p_code": text})
		require.Empty(b, rows)
		total[desk.Code(err)]++
	}
	users := b.buyers(101)
	round := func() {
		for range 5000 {
			try(users[0])
		}
		for _, user := range users[1:] {
			for range 50 {
				try(user)
			}
		}
	}
	exactly := func(n int) {
		for _, user := range users {
			require.Equal(b, n, passed[user], "user %d", user)
		}
	}
	for range 4 { // some have tried a little when Redis goes away
		for _, user := range users[:50] {
			try(user)
		}
	}
	proxy.Down()
	round()
	exactly(promoTries)
	b.owner.At(at.Add(6 * time.Second))
	proxy.Up()
	for _, user := range users {
		for end := time.Now().Add(patience); passed[user] == promoTries; { // until Redis, or a process alone, lets it through
			require.True(b, time.Now().Before(end), "user %d waits in vain", user)
			try(user)
		}
	}
	round()
	exactly(promoTries + 1)

	require.Len(b, total, 3)
	texts, err := i18n.Load(func(err error) { b.Error(err) })
	require.NoError(b, err)
	for _, code := range []string{"PR001", "PR002", "PR003"} {
		require.Positive(b, total[code])
		for _, language := range []atlas.Language{"ru", "en"} {
			require.Equal(b, screen.Failure(texts.In(language), "PR001", ""), screen.Failure(texts.In(language), code, ""),
				"people see one answer, whatever is wrong with a code")
		}
	}
}

// TestB11GuessesAtOnce: a hundred guesses of one user at two bots in the same moment; Redis is there, or away.
func TestB11GuessesAtOnce(t *testing.T) {
	for name, address := range map[string]func(*bundle) string{
		"with Redis":    func(b *bundle) string { return harness.PrivateRedis(b).Client.Options().Addr },
		"without Redis": func(*bundle) string { return "127.0.0.1:1" },
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.owner.At(time.Now())
			guards := b.guards(address(b), time.Minute)
			gate, waits := make(chan struct{}), make(chan time.Duration, 100)
			for i := range cap(waits) {
				go func() {
					<-gate
					wait, err := guards[i%2].Take(context.Background(), limiter.Promo, anna)
					if err != nil {
						t.Error(err)
					}
					waits <- wait
				}()
			}
			close(gate)
			passed := 0
			for range cap(waits) {
				if wait := <-waits; wait == 0 {
					passed++
				}
			}
			require.Equal(t, promoTries, passed)
		})
	}
}
