package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/vpnnode/internal/node"
)

func TestFetchPrintsThePage(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = io.WriteString(w, "hello")
	}))
	defer web.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	n, err := node.Start(ctx, node.Config{
		ListenHost: "127.0.0.1", PublicHost: "127.0.0.1", ServerName: "www.example.com", AllowClosed: true, StateDir: t.TempDir(),
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, n.Close(context.Background())) }()
	const user = "66ad4540-b58c-4ad2-9926-ea63445a9b57"
	key, err := n.Add(ctx, node.User{ID: user})
	require.NoError(t, err)

	var page bytes.Buffer
	require.NoError(t, fetch(ctx, key, web.URL, &page))
	require.Equal(t, "hello", page.String())
	require.ErrorContains(t, fetch(ctx, key, web.URL+"/other", &page), "418")
	require.Error(t, fetch(ctx, "vless://nonsense", web.URL, &page))

	_, err = n.Remove(ctx, user)
	require.NoError(t, err)
	require.Error(t, fetch(ctx, key, web.URL, &page))
	require.Equal(t, "hello", page.String())
}
