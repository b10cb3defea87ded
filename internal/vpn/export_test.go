package vpn

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/config"
)

// NewPipeClient makes a client that calls the handler without a network.
func NewPipeClient(t *testing.T, key config.Secret, handler http.HandlerFunc) *Client {
	t.Helper()
	c, err := NewClient("http://127.0.0.1:1", key)
	require.NoError(t, err)
	c.http.Transport = pipe{handler}
	return c
}

type pipe struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (p pipe) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	p.handler.ServeHTTP(recorder, r)
	if err := r.Context().Err(); err != nil { // nobody waits for the answer any more
		return nil, err
	}
	return recorder.Result(), nil
}
