package sqlapi

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDefineReadsTheConstant(t *testing.T) {
	t.Parallel()

	require.Equal(t, "account.register", accountRegister.function)
	require.Equal(t, []string{"p_telegram_id", "p_username", "p_language", "p_start_payload"}, accountRegister.params)
	require.Equal(t, []string{
		"telegram_id", "is_new", "language", "referrer_id", "bind_refusal", "is_language_chosen", "is_trial_offered",
	}, accountRegister.columns)
	require.Empty(t, auditRefused.columns)
	require.Equal(t, "audit.refused", auditRefused.function)
	require.True(t, opsJob.isView)
	require.Len(t, opsJob.columns, 12)
	require.Contains(t, subscriptionCurrent.columns, "vpn_uuid")
}
