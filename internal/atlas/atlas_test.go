package atlas

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseDecimal(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]Kopecks{
		"0": 0, "149": 14900, "149.5": 14950, "149.05": 14905, "149.00": 14900, "149.990000": 14999, "0.01": 1,
		"92233720368547758.07": math.MaxInt64,
	} {
		got, err := ParseDecimal(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", ".", "1.", ".5", "-1", "+1", " 1", "1 ", "1,5", "1e3", "0x10", "1.005", "1.2.3", "١", "NaN",
		"92233720368547758.08", "99999999999999999999",
	} {
		_, err := ParseDecimal(text)
		require.ErrorIs(t, err, ErrMalformedAmount, "%q", text)
	}
}

func TestDecimalIsReadBackExactly(t *testing.T) {
	t.Parallel()

	for _, amount := range []Kopecks{0, 1, 9, 10, 99, 100, 101, 14900, 1<<53 + 1, MaxAmount, math.MaxInt64} {
		got, err := ParseDecimal(amount.Decimal())
		require.NoError(t, err)
		require.Equal(t, amount, got)
	}
	require.Equal(t, "-1.05", Kopecks(-105).Decimal())
	require.Equal(t, "-92233720368547758.08", Kopecks(math.MinInt64).Decimal())
}

func TestSplitKeepsTheSign(t *testing.T) {
	t.Parallel()

	roubles, kopecks := Kopecks(-105).Split()
	require.EqualValues(t, -1, roubles)
	require.EqualValues(t, -5, kopecks)
	require.Equal(t, Kopecks(14900), Roubles(149))
}

func TestParsePurchaseID(t *testing.T) {
	t.Parallel()

	id, err := ParsePurchaseID("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")
	require.NoError(t, err)
	require.Equal(t, PurchaseID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), id)
	for _, text := range []string{
		"", "1", "a0eebc999c0b4ef8bb6d6bb9bd380a11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1}",
		"g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 ", "a0eebc99-9c0b-4ef8-bb6d6-bb9bd380a11",
	} {
		_, err := ParsePurchaseID(text)
		require.ErrorIs(t, err, ErrMalformedID, "%q", text)
	}
}

func TestTelegramIDIsAPersons(t *testing.T) {
	t.Parallel()

	require.True(t, TelegramID(1).IsValid())
	require.True(t, MaxTelegramID.IsValid())
	require.False(t, TelegramID(0).IsValid())
	require.False(t, TelegramID(-100123).IsValid())
	require.False(t, (MaxTelegramID + 1).IsValid())
}

func TestErrorsCompareByCode(t *testing.T) {
	t.Parallel()

	err := fmt.Errorf("billing.pay_from_balance: %w", &Error{Code: "WA001", Message: "m", Detail: "available 5"})
	require.ErrorIs(t, err, ErrInsufficientFunds)
	require.NotErrorIs(t, err, ErrPurchaseExpired)
	require.NotErrorIs(t, errors.New("WA001"), ErrInsufficientFunds)
	require.ErrorContains(t, err, "available 5")
	require.True(t, IsRefusal("WD005"))
	require.False(t, IsRefusal("23505"))
}

func TestKeysDoNotPrint(t *testing.T) {
	t.Parallel()

	const link, uuid = "vless://canary", "canary-uuid"
	holder := struct {
		Key  KeyURI
		User VPNUser
	}{link, VPNUser{UUID: uuid, DeviceLimit: 3}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		text := fmt.Sprintf(verb, holder) + fmt.Sprintf(verb, holder.Key) + fmt.Sprintf(verb, &holder)
		require.NotContains(t, text, "canary", verb)
		require.NotContains(t, text, fmt.Sprintf("%x", "canary"), verb)
	}
	encoded, err := json.Marshal(holder.Key)
	require.NoError(t, err)
	require.JSONEq(t, `"[redacted]"`, string(encoded))
	require.Equal(t, link, holder.Key.Reveal())

	encoded, err = json.Marshal(holder.User) // what goes to the node is not redacted
	require.NoError(t, err)
	require.JSONEq(t, `{"uuid":"canary-uuid","device_limit":3}`, string(encoded))
}
