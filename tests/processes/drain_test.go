package processes_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/load"
)

const (
	waitingUpdates = 5000 // times load.Factor: twenty make the hundred thousand of a long outage
	waitingChats   = 500
	mayGrow        = 64 << 20 // bytes, from a fifth of the way to its end
)

var residentSet = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// resident is how much memory a process holds.
func (p *process) resident(b *bundle) int {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	require.NoError(b, err)
	kilobytes, err := strconv.Atoi(residentSet.FindStringSubmatch(string(text))[1])
	require.NoError(b, err)
	return kilobytes << 10
}

// TestALongQueueIsWorkedOff: a bot that finds a long queue takes no more of it into memory than it has in hand. The
// updates ask for no answer (edited messages), so that Telegram's limits do not set the pace.
func TestALongQueueIsWorkedOff(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("memory is read from /proc")
	}
	b := setup(t)
	count := waitingUpdates * load.Factor(t)
	for i := range waitingChats {
		b.User(firstID + i)
	}
	for from := 0; from < count; from += 1000 {
		ids, chats, payloads := []int{}, []int{}, []string{}
		for i := from; i < from+1000; i++ {
			chat := firstID + i%waitingChats
			ids, chats = append(ids, i+1), append(chats, chat)
			payloads = append(payloads, fmt.Sprintf(`{"update_id":%d,"edited_message":{"message_id":1,"date":1,"edit_date":2,
				"chat":{"id":%d,"type":"private"},"from":{"id":%d,"is_bot":false,"first_name":"P"},"text":"/start"}}`, i+1, chat, chat))
		}
		b.One("inbox.receive", A{"p_update_ids": ids, "p_chat_ids": chats, "p_payloads": payloads})
	}
	done := func() int { return b.count("inbox.update where finished_at is not null") }
	p := b.start("bot", "LOCAL_LOG_LEVEL=WARN")
	b.eventually("a fifth is worked off", func() bool { return done() >= count/5 })
	early, begun, at := p.resident(b), time.Now(), done()
	b.eventually("all are worked off", func() bool { return done() == count })
	late := p.resident(b)
	t.Logf("%d updates, %.0f a second; memory after a fifth of them %d MB, after all %d MB", count,
		float64(count-at)/time.Since(begun).Seconds(), early>>20, late>>20)
	require.Less(t, late, early+mayGrow)
	require.Zero(t, b.count("ops.dead"))
	require.Zero(t, b.count("inbox.update where attempt <> 1"), "each once")
}
