package race_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/i18n"
	limiter "atlas-secure/internal/limit"
	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

// promoTries is what the shop allows one user.
var promoTries = limiter.Rule{Events: 10, Per: time.Minute, Burst: 10}

func TestB11GuessingCodes(t *testing.T) { guessing(setup(t)) }

// guessing: one user tries 10 000 codes and a hundred others 100 each, at two processes, and halfway Redis goes away.
// The limit's tokens grow back by the clock, so what may pass is counted by how long it took.
func guessing(b *bundle) {
	b.issue("EXPIRED", nil, 1)
	b.owner.Query("update promo.code set expires_at = core.now() where code = 'EXPIRED'")
	b.issue("USEDUP", 1, 1)
	b.One("billing.open_purchase", with(anna, "USEDUP", "k"))
	proxy := harness.Redis(b).Proxy(b)
	processes := []*limiter.Limiter{}
	for range 2 {
		client := redis.NewClient(&redis.Options{Addr: proxy.Address(), DB: proxy.Client.Options().DB,
			Password: proxy.Client.Options().Password, MaxRetries: -1, DialerRetries: 1})
		b.Cleanup(func() { _ = client.Close() })
		processes = append(processes, limiter.New(client, "b11:", limiter.WithPatience(time.Minute)))
	}
	passed, total := map[int]int{}, map[string]int{}
	try := func(user int) {
		bucket := limiter.Bucket{Key: "{" + time.Duration(user).String() + "}:promo", Rule: promoTries}
		if processes[rand.IntN(2)].Take(context.Background(), bucket) > 0 {
			return
		}
		if passed[user]++; passed[user] > 3 {
			return // the answers are the same ones
		}
		text := []string{"GUESS" + string(rune('A'+rand.IntN(26))), "EXPIRED", "USEDUP"}[rand.IntN(3)]
		rows, err := b.On(b, b.bots[0]).Try("promo.validate", A{"p_telegram_id": user, "p_code": text})
		require.Empty(b, rows)
		total[desk.Code(err)]++
	}
	users := b.buyers(101)
	most := func(since time.Time, buckets int) int {
		return buckets * (promoTries.Burst + 1 + int(time.Since(since)/(promoTries.Per/time.Duration(promoTries.Events))))
	}
	round := func(buckets int) {
		since := time.Now()
		for range 5000 {
			try(users[0])
		}
		for _, user := range users[1:] {
			for range 50 {
				try(user)
			}
		}
		for user, n := range passed {
			require.LessOrEqual(b, n, most(since, buckets), "user %d", user)
			require.GreaterOrEqual(b, n, promoTries.Burst)
		}
		clear(passed)
	}
	round(1)
	proxy.Down()
	round(len(processes)) // each process counts alone
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
