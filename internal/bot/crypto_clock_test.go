package bot_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/pay/cryptopay"
	"atlas-secure/tests/contract/desk"
)

// The database says how long a purchase can be paid, and an invoice lives as long, wherever this machine's clock is. Crypto
// Pay makes none that lives more than 31 days, and a time below zero would be one that never ends.
func TestInvoiceLivesAsLongAsThePurchaseByTheDatabasesClock(t *testing.T) {
	t.Parallel()
	for name, shift := range map[string]string{"ahead": "40 days", "behind": "-1 day"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.startBot(t)
			(&desk.Desk{TB: t, Conn: b.db.Pool(t, "postgres")}).Later(shift)
			bob := b.started(t, "Bob", "en")
			b.press(t, bob, "Profile")
			b.press(t, bob, "Top up")
			b.press(t, bob, "250")
			b.press(t, bob, "Crypto")
			b.sees(t, bob, "Open the invoice in Crypto Pay")
			made, err := b.cryptoClient(t).GetInvoices(b.ctx, cryptopay.GetInvoicesParams{})
			require.NoError(t, err)
			require.Len(t, made, 1)
			require.WithinDuration(t, time.Now().Add(30*time.Minute), made[0].ExpirationDate, time.Minute)
		})
	}
}
