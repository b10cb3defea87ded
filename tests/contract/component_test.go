package contract_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// seen reports how a component is, by hand.
func (b *bundle) seen(component, state string, detail any) Row {
	b.Helper()
	return b.One("ops.report_component", A{"p_component": component, "p_state": state, "p_detail": detail, "p_instance": "w",
		"p_epoch": nil})
}

func TestComponentStatus(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	second := func(n int) time.Time { return at.Add(time.Duration(n) * time.Second) }
	status := func(component string) Row {
		return b.Query("select state, since, detail from ops.component_status where component = $1", component)[0]
	}
	changed := func(is string, isChanged bool) Row {
		return Row{"component": "redis", "state": is, "is_changed": isChanged}
	}
	b.owner.At(at)
	require.Equal(t, Row{"state": "unknown", "since": nil, "detail": nil}, status("redis"))
	require.Equal(t, "unknown", status("service")["state"], "nobody has looked at the database")

	b.seen("database", "up", nil)
	require.Equal(t, changed("up", true), b.seen("redis", "up", nil))
	require.Equal(t, changed("up", false), b.seen("redis", "up", nil))
	require.Equal(t, Row{"state": "up", "since": at, "detail": nil}, status("service"))
	require.Empty(t, b.messages(boss), "what is seen for the first time is no news")

	b.owner.At(second(10))
	require.Equal(t, changed("up", false), b.seen("redis", "down", "no answer"), "not yet")
	b.owner.At(second(20))
	require.Equal(t, changed("up", false), b.seen("redis", "up", nil), "it was a moment")
	require.Empty(t, b.messages(boss))
	b.owner.At(second(21))
	b.seen("redis", "down", "no answer")
	b.owner.At(second(36).Add(-time.Microsecond))
	require.Equal(t, changed("up", false), b.seen("redis", "down", "no answer"))
	b.owner.At(second(36))
	require.Equal(t, changed("down", true), b.seen("redis", "down", "no answer"), "for 15 seconds")
	require.Equal(t, changed("down", false), b.seen("redis", "down", strings.Repeat("é", 600)), "the next worker, the next run")
	require.Equal(t, Row{"state": "down", "since": second(21), "detail": strings.Repeat("é", 500)}, status("redis"))
	require.Equal(t, []string{"component_down"}, b.messages(boss))
	require.Empty(t, b.messages(anna), "she is no admin")
	b.seen("database", "up", nil)
	require.Equal(t, Row{"state": "degraded", "since": second(21), "detail": "redis"}, status("service"))

	require.Equal(t, []Row{
		{"component": "service", "state": "degraded", "since": second(21)}, {"component": "database", "state": "up", "since": at},
		{"component": "cryptopay", "state": "unknown", "since": nil}, {"component": "redis", "state": "down", "since": second(21)},
		{"component": "telegram", "state": "unknown", "since": nil}, {"component": "vpn", "state": "unknown", "since": nil},
	}, b.All("ops.service_status", A{}), "for everybody: without details")

	b.owner.At(second(60))
	require.Equal(t, changed("up", true), b.seen("redis", "up", nil))
	require.Equal(t, changed("up", false), b.seen("redis", "up", nil))
	require.Equal(t, []string{"component_down", "component_up"}, b.messages(boss))
	require.Equal(t, []Row{
		{"arguments": map[string]any{"component": "redis", "since": "2027-03-05T10:00:21+00:00", "detail": "no answer"}},
		{"arguments": map[string]any{"component": "redis", "since": "2027-03-05T10:00:21+00:00"}},
	}, b.owner.Query("select arguments from outbox.task where name like 'component%' order by task_id"))
	require.Equal(t, []Row{{"action": "component.down", "subject_id": "redis"}, {"action": "component.up", "subject_id": "redis"}},
		b.Query("select action, subject_id from audit.event where action like 'component.%' order by occurred_at"))
	require.Equal(t, "up", status("service")["state"])
	b.owner.At(second(121))
	require.Equal(t, "unknown", status("redis")["state"], "nobody has looked for a minute")
	require.Equal(t, "unknown", status("service")["state"])
}

// TestComponentThatCannotBeReported: while the database is away nobody reports anything, so that the gap tells.
func TestComponentThatCannotBeReported(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.seen("database", "up", nil)
	b.seen("redis", "up", nil)
	b.owner.At(at.Add(time.Minute))
	b.seen("database", "up", nil)
	require.Empty(t, b.messages(boss), "a late run is none")
	b.owner.At(at.Add(10 * time.Minute))
	require.Equal(t, true, b.seen("database", "up", nil)["is_changed"])
	require.Equal(t, false, b.seen("database", "up", nil)["is_changed"])
	require.Equal(t, false, b.seen("redis", "up", nil)["is_changed"], "of others it says nothing")
	require.Equal(t, []Row{{"arguments": map[string]any{"component": "database", "since": "2027-03-05T10:01:00+00:00"}}},
		b.owner.Query("select arguments from outbox.task where name = 'component_up'"))
	require.Equal(t, at.Add(10*time.Minute),
		b.Value("select since from ops.component_status where component = 'database'"))
}

func TestComponentReportOfAnOldLeader(t *testing.T) {
	b := setup(t)
	require.Equal(t, 1, b.One("ops.acquire_lease", lease("ops.check_health", "a", "1 minute"))["epoch"])
	report := A{"p_component": "vpn", "p_state": "up", "p_detail": nil, "p_instance": "a", "p_epoch": 1}
	require.Equal(t, "up", b.One("ops.report_component", report)["state"])
	b.owner.Later("2 minutes")
	require.Equal(t, 2, b.One("ops.acquire_lease", lease("ops.check_health", "b", "1 minute"))["epoch"])
	report["p_state"] = "down"
	b.Refused("OP002", "ops.report_component", report)
	require.Nil(t, b.owner.Value("select failing_since from ops.dependency where component = 'vpn'"))
}
