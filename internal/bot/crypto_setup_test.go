package bot_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/config"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/pay/cryptobot"
	"atlas-secure/internal/pay/cryptopay"
	"atlas-secure/internal/sqlapi"
)

// serveCryptoWebhook lets fake Crypto Pay tell a process about payments.
func (b *bundle) serveCryptoWebhook(t *testing.T, db *sqlapi.DB) {
	t.Helper()
	server := httptest.NewServer(cryptobot.NewWebhook(db.Billing, b.cryptoClient(t), obs.NewLogger(b.log, 0, "cryptobot")))
	t.Cleanup(server.Close)
	b.control(t, http.MethodPut, "/control/webhook", fmt.Sprintf(`{"url":%q}`, server.URL))
}

func (b *bundle) cryptoClient(t *testing.T) *cryptopay.Client {
	t.Helper()
	client, err := cryptopay.New(cryptopay.Options{BaseURL: b.pay.URL, Token: config.NewSecret(cryptoToken)})
	require.NoError(t, err)
	return client
}

func (b *bundle) control(t *testing.T, method, path, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(b.ctx, method, b.pay.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, http.StatusOK, response.StatusCode)
}
