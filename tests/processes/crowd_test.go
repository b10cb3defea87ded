package processes_test

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

const (
	question = "/privacy"
	answer   = "What we keep"
	// firstPerson is the number of the first of a crowd.
	firstPerson = 40001
	// hands is how many updates a bot may have in hand: so many answers may come twice when it is killed.
	hands = 16
)

// crowd is people who go on writing to the bot.
type crowd struct {
	*bundle
	people []*person.Person
	stop   func()

	mu   sync.Mutex
	sent []int // by person
}

// gather lets people begin to write, each as often as said, until stop.
func (b *bundle) gather(count int, every time.Duration) *crowd {
	b.Helper()
	c := &crowd{bundle: b, sent: make([]int, count)}
	for i := range count {
		p, err := b.people.Ensure(context.Background(), botapi.Person{ID: firstPerson + int64(i), FirstName: fmt.Sprint("P", i), LanguageCode: "en"})
		require.NoError(b, err)
		_, err = p.Send(context.Background(), "/start")
		require.NoError(b, err)
		c.people = append(c.people, p)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var writing sync.WaitGroup
	for i, p := range c.people {
		writing.Go(func() {
			ticker := time.NewTicker(every)
			defer ticker.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
				}
				if _, err := p.Send(context.Background(), question); err != nil {
					b.Errorf("%s cannot write: %v", p.FirstName, err)
					return
				}
				c.mu.Lock()
				c.sent[i]++
				c.mu.Unlock()
			}
		})
	}
	c.stop = sync.OnceFunc(func() { cancel(); writing.Wait() })
	b.Cleanup(c.stop)
	return c
}

func (c *crowd) written() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	total := 0
	for _, sent := range c.sent {
		total += sent
	}
	return total
}

// answered waits until the bot has taken in so many questions, counted from now.
func (c *crowd) goesOn(what string, more int) {
	c.Helper()
	const handled = `inbox.update where finished_at is not null and payload->'message'->>'text' = '` + question + `'`
	before := c.count(handled)
	c.eventually(what, func() bool { return c.count(handled) >= before+more })
}

// judge ends the writing and looks whether everything was taken in once, handled, and answered: once, but for as many as the
// bots that were killed may have had in hand.
func (c *crowd) judge(killed int) {
	c.Helper()
	c.stop()
	c.eventually("all is taken in and handled", func() bool {
		return c.count("inbox.update where payload->'message'->>'text' = $1 and finished_at is not null", question) == c.written()
	})
	c.until("nothing is left", "select not exists (select from inbox.update where finished_at is null)")
	require.Zero(c, c.count("ops.dead"), "nothing was given up")
	twice := 0
	for i, p := range c.people {
		view, err := p.Chat(context.Background())
		require.NoError(c, err)
		answers := 0
		for _, m := range view.Messages {
			if m.IsOutgoing && strings.Contains(m.Text, answer) {
				answers++
			}
		}
		require.GreaterOrEqual(c, answers, c.sent[i], "%s has an answer to everything", p.FirstName)
		twice += answers - c.sent[i]
	}
	again := c.count("inbox.update where attempt > 1")
	c.Logf("%d questions, %d handed out again, %d answered twice", c.written(), again, twice)
	require.LessOrEqual(c, again, killed*hands, "only what a killed bot had in hand is handed out again")
	require.LessOrEqual(c, twice, again)
}

// leader is who has a lease, and its epoch.
func (b *bundle) leader(name string) (pid, epoch int) {
	b.Helper()
	rows := b.owner.Query("select holder, epoch::int from ops.lease where name = $1 and holder is not null", name)
	if len(rows) == 0 {
		return 0, 0
	}
	parts := strings.Split(rows[0]["holder"].(string), "/")
	pid, err := strconv.Atoi(parts[1])
	require.NoError(b, err)
	return pid, rows[0]["epoch"].(int)
}

// leading is the one of the processes that has a lease.
func (b *bundle) leading(name string, all ...*process) (leader *process, others []*process, epoch int) {
	b.Helper()
	b.eventually("somebody leads "+name, func() bool {
		var pid int
		pid, epoch = b.leader(name)
		leader, others = nil, nil
		for _, p := range all {
			if p.Process.Pid == pid {
				leader = p
			} else {
				others = append(others, p)
			}
		}
		return leader != nil
	})
	return leader, others, epoch
}

func (b *bundle) signal(p *process, signal syscall.Signal) {
	b.Helper()
	require.NoError(b, p.Process.Signal(signal))
}

// terminate tells a process to stop, and waits until it has.
func (b *bundle) terminate(p *process) {
	b.Helper()
	b.signal(p, syscall.SIGTERM)
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = p.Process.Wait() }()
	select {
	case <-ended:
	case <-time.After(patience):
		require.Fail(b, "it does not stop")
	}
}

var conflict = regexp.MustCompile(`terminated by other getUpdates request`)

// conflicts is how often the processes were thrown out by Telegram.
func conflicts(all ...*process) int {
	count := 0
	for _, p := range all {
		p.mu.Lock()
		count += len(conflict.FindAllString(p.log.String(), -1))
		p.mu.Unlock()
	}
	return count
}
