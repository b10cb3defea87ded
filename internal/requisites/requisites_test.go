package requisites_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/config"
	"atlas-secure/internal/requisites"
)

const canary = "4111 canary 1111"

func sealer(t *testing.T, fill byte) *requisites.Sealer {
	t.Helper()
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32))
	s, err := requisites.NewSealer(config.NewSecret(key))
	require.NoError(t, err)
	return s
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	for _, text := range []string{canary, "12345", strings.Repeat("я", 256), "Сбер\nпо номеру +7 900 000-00-00"} {
		plain, err := requisites.New("  " + text + "\n")
		require.NoError(t, err)
		one, err := s.Seal(plain)
		require.NoError(t, err)
		two, err := s.Seal(plain)
		require.NoError(t, err)
		require.NotEqual(t, one, two, "a new nonce each time")
		require.NotContains(t, one, text)
		require.Regexp(t, `^v1:[A-Za-z0-9+/]+={0,2}$`, string(one), "the form that the database takes")
		require.LessOrEqual(t, len(one), 4096)
		opened, err := s.Open(one)
		require.NoError(t, err)
		require.Equal(t, text, opened.Reveal())
	}
}

func TestWhatIsNotOursIsNotOpened(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	plain, err := requisites.New(canary)
	require.NoError(t, err)
	sealed, err := s.Seal(plain)
	require.NoError(t, err)
	flipped := []byte(sealed)
	flipped[20] ^= 1
	for _, wrong := range []requisites.Sealed{"", "v1:", "v1:AAAA", "v2:" + sealed[3:], sealed[3:], requisites.Sealed(flipped), sealed[:len(sealed)-4], canary} {
		_, err := s.Open(wrong)
		require.ErrorIs(t, err, requisites.ErrSealed, "%q", wrong)
	}
	_, err = sealer(t, 2).Open(sealed)
	require.ErrorIs(t, err, requisites.ErrSealed, "another key")
}

func TestWhatAPersonMayWrite(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"":                       requisites.ErrLength,
		"   1234   ":             requisites.ErrLength,
		strings.Repeat("x", 257): requisites.ErrLength,
		"card\x00 1234":          requisites.ErrText,
		"card \x1b[31m1234":      requisites.ErrText,
		"card \xff 1234":         requisites.ErrText,
		strings.Repeat(" ", 300): requisites.ErrLength,
		strings.Repeat("я", 256): nil,
		"ООО «Ромашка», счёт 12345": nil,
	} {
		_, err := requisites.New(text)
		require.ErrorIs(t, err, want, "%q", text)
	}
}

func TestASealedUpdateIsNoRequisites(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	update, err := s.SealUpdate([]byte(`{"update_id":1}`))
	require.NoError(t, err)
	opened, err := s.OpenUpdate(update)
	require.NoError(t, err)
	require.JSONEq(t, `{"update_id":1}`, string(opened))
	_, err = s.Open(update)
	require.ErrorIs(t, err, requisites.ErrSealed)
	plain, err := requisites.New("card 4111")
	require.NoError(t, err)
	sealed, err := s.Seal(plain)
	require.NoError(t, err)
	_, err = s.OpenUpdate(sealed)
	require.ErrorIs(t, err, requisites.ErrSealed)
}

func TestMaskedShowsHalfAtMost(t *testing.T) {
	t.Parallel()
	for text, masked := range map[string]string{
		"12345": "••••45", "1234567": "••••567", "card 4111 1111": "••••1111", "счёт жёлтый": "••••лтый",
	} {
		words, err := requisites.New(text)
		require.NoError(t, err)
		require.Equal(t, masked, words.Masked())
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "canary", base64.StdEncoding.EncodeToString(make([]byte, 31)), base64.StdEncoding.EncodeToString(make([]byte, 33))} {
		_, err := requisites.NewSealer(config.NewSecret(key))
		require.ErrorIs(t, err, requisites.ErrBadKey)
		require.NotContains(t, err.Error(), "canary")
	}
}

func TestNothingPrintsRequisites(t *testing.T) {
	t.Parallel()
	plain, err := requisites.New(canary)
	require.NoError(t, err)
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&out, verb, plain)
		fmt.Fprintf(&out, verb, struct{ hidden requisites.Requisites }{plain})
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "requisites", plain)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "requisites", plain)
	require.NoError(t, json.NewEncoder(&out).Encode(plain))
	require.NotContains(t, out.String(), "canary")
	require.NotContains(t, out.String(), fmt.Sprintf("%x", "canary"))
	require.Contains(t, out.String(), "[redacted]")
}
