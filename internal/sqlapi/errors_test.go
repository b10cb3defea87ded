package sqlapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
)

func newTestDB(t *testing.T) *DB {
	t.Helper()
	m, err := newMetrics(nil, nil)
	require.NoError(t, err)
	return &DB{log: obs.Discard(), metrics: m}
}

func TestTranslateMakesRefusals(t *testing.T) {
	t.Parallel()

	err := translate("billing.pay_from_balance", fmt.Errorf("collect: %w", &pgconn.PgError{
		Code: "WA001", Message: "insufficient funds", Detail: "available 5", Hint: "top up",
	}))
	require.ErrorIs(t, err, atlas.ErrInsufficientFunds)
	var refusal *atlas.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, "available 5", refusal.Detail)
	require.Equal(t, "top up", refusal.Hint)
	require.ErrorContains(t, err, "billing.pay_from_balance")
	require.NoError(t, translate("x", nil))
}

func TestTranslateTellsOutagesFromMistakes(t *testing.T) {
	t.Parallel()

	for _, code := range []string{"57P01", "57P03", "53300", "08006", "57014", "25006"} {
		require.ErrorIs(t, translate("x", &pgconn.PgError{Code: code}), atlas.ErrUnavailable, code)
	}
	for _, code := range []string{"42883", "42501", "23505", "22P02", ""} {
		err := translate("x", &pgconn.PgError{Code: code, Message: "password=canary"})
		require.NotErrorIs(t, err, atlas.ErrUnavailable, code)
		require.NotContains(t, err.Error(), "canary")
		var refusal *atlas.Error
		require.NotErrorAs(t, err, &refusal, code)
	}
	require.ErrorIs(t, translate("x", io.ErrUnexpectedEOF), atlas.ErrUnavailable)
	require.NotErrorIs(t, translate("x", errors.New("cannot scan null")), atlas.ErrUnavailable, "our own mistake")
	err := translate("x", fmt.Errorf("wait: %w", context.DeadlineExceeded))
	require.ErrorIs(t, err, atlas.ErrUnavailable)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, translate("x", context.Canceled), context.Canceled)
}

func TestRetryRepeatsWhatCanHelp(t *testing.T) {
	t.Parallel()

	replayed, claimed := &call{function: "f"}, &call{function: "c", isClaim: true}
	for name, test := range map[string]struct {
		call     *call
		err      error
		attempts int
	}{
		"serialization":             {replayed, &pgconn.PgError{Code: "40001"}, maxAttempts},
		"deadlock":                  {claimed, &pgconn.PgError{Code: "40P01"}, maxAttempts},
		"lock timeout":              {replayed, &pgconn.PgError{Code: "55P03"}, maxAttempts},
		"server going away":         {replayed, &pgconn.PgError{Code: "57P01"}, maxAttempts},
		"answer lost":               {replayed, fmt.Errorf("read: %w", io.ErrUnexpectedEOF), maxAttempts},
		"answer lost, of a claim":   {claimed, fmt.Errorf("read: %w", io.ErrUnexpectedEOF), 1},
		"server going away, claim":  {claimed, &pgconn.PgError{Code: "57P01"}, 1},
		"statement timeout":         {replayed, &pgconn.PgError{Code: "57014"}, 1},
		"refusal":                   {replayed, &pgconn.PgError{Code: "WA001"}, 1},
		"mistake":                   {replayed, &pgconn.PgError{Code: "42883"}, 1},
		"caller's deadline":         {replayed, context.DeadlineExceeded, 1},
		"something of the driver's": {replayed, errors.New("cannot scan"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			attempts := 0
			err := newTestDB(t).retry(t.Context(), test.call, func() error {
				attempts++
				return test.err
			})
			require.ErrorIs(t, err, test.err)
			require.Equal(t, test.attempts, attempts)
		})
	}
}

func TestRetryEndsWithSuccessOrWithTheContext(t *testing.T) {
	t.Parallel()

	attempts := 0
	require.NoError(t, newTestDB(t).retry(t.Context(), &call{}, func() error {
		attempts++
		if attempts < 3 {
			return &pgconn.PgError{Code: "40P01"}
		}
		return nil
	}))
	require.Equal(t, 3, attempts)

	ctx, cancel := context.WithCancel(t.Context())
	attempts = 0
	err := newTestDB(t).retry(ctx, &call{}, func() error {
		attempts++
		cancel()
		return &pgconn.PgError{Code: "40P01"}
	})
	require.Error(t, err)
	require.Equal(t, 1, attempts)
}

func TestWhatIsAudited(t *testing.T) {
	t.Parallel()

	for code, want := range map[string]string{
		"US002": "US002", "US003": "US003", "PU001": "PU001", "WD001": "WD001", "WD005": "WD005",
		"WA001": "", "PU003": "", "US001": "", "22023": "",
	} {
		require.Equal(t, want, auditedCode(fmt.Errorf("x: %w", &atlas.Error{Code: code})), code)
	}
	require.Empty(t, auditedCode(nil))
}

func TestClipMakesErrorsFitToBeStored(t *testing.T) {
	t.Parallel()

	require.Equal(t, "a?b?", clip("a\x00b\xff"))
	require.NotContains(t, clip("Post https://api.telegram.org/bot123456:canarycanarycanarycanarycanary12345/x"), "canary")
	long := clip(strings.Repeat("я", 2000))
	require.LessOrEqual(t, len(long), maxReason)
	require.True(t, strings.HasPrefix(strings.Repeat("я", 2000), long))
}

func TestCompareFindsWhatDiffers(t *testing.T) {
	t.Parallel()

	c := &call{function: "s.f", params: []string{"p_a", "p_b"}, columns: []string{"x"}}
	offer := func(s signature) map[string]signature {
		s.Name = "s.f"
		return map[string]signature{"s.f": s}
	}
	require.Empty(t, c.compare(offer(signature{Params: []string{"p_a", "p_b"}, Columns: []string{"x", "y"}})))
	require.Empty(t, c.compare(offer(signature{Params: []string{"p_a", "p_b", "p_new"}, Columns: []string{"x"}, Defaults: 1})))
	require.Equal(t, "s.f does not exist", c.compare(nil))
	require.Contains(t, c.compare(offer(signature{Params: []string{"p_a"}, Columns: []string{"x"}})), "no parameter p_b")
	require.Contains(t, c.compare(offer(signature{Params: []string{"p_a", "p_b"}})), "no column x")
	require.Contains(t, c.compare(offer(signature{Params: []string{"p_a", "p_b", "p_new"}, Columns: []string{"x"}})),
		"demands the parameter p_new")
}
