package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/config"
	"atlas-secure/internal/requisites"
)

func seal(t *testing.T, input string) (output, notes string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := newCommand()
	cmd.SetArgs([]string{"seal-requisites"})
	cmd.SetIn(strings.NewReader(input))
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	err = cmd.Execute()
	return out.String(), errs.String(), err
}

func TestSealRequisites(t *testing.T) {
	const key = "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2E="
	t.Setenv("APP_ENV", "prod")
	t.Setenv("PROD_REQUISITES_KEY", key)
	output, notes, err := seal(t, "card 4111 1111 1111 1111\n")
	require.NoError(t, err)
	require.Empty(t, notes)
	sealer, err := requisites.NewSealer(config.NewSecret(key))
	require.NoError(t, err)
	opened, err := sealer.Open(requisites.Sealed(strings.TrimSpace(output)))
	require.NoError(t, err)
	require.Equal(t, "card 4111 1111 1111 1111", opened.Reveal())

	for _, input := range []string{"", "4111", strings.Repeat("canary", 100), strings.Repeat("canary", 10000)} {
		output, _, err = seal(t, input)
		require.ErrorIs(t, err, requisites.ErrLength)
		require.NotContains(t, err.Error(), "canary")
		require.Empty(t, output)
	}
	t.Setenv("PROD_REQUISITES_KEY", "")
	_, _, err = seal(t, "card 4111 1111 1111 1111")
	require.ErrorContains(t, err, "PROD_REQUISITES_KEY is missing")
	t.Setenv("APP_ENV", "")
	output, notes, err = seal(t, "card 4111 1111 1111 1111")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(output, "v1:"))
	require.Contains(t, notes, "local default key")
}
