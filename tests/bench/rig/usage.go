package rig

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// usage is what the server has used so far.
type usage struct {
	at         time.Time
	clients    time.Duration // CPU of the backends that do the work
	background time.Duration // CPU of all other processes but the one that measures
	wal        int64         // bytes of WAL
	busy, idle time.Duration // of the whole machine
	own        time.Duration // CPU of pgbench, if it runs, and of this process
}

const countUsage = `
select pid, coalesce(application_name, '') from pg_stat_activity where pid <> pg_backend_pid()`

// usage reads the counters. The CPU of a process is in nanoseconds where the kernel has schedstat, else in ticks; it is
// zero where there is no /proc.
func (s *Server) usage(ctx context.Context, isIt func(pid int, application string) bool, clients ...int) (usage, error) {
	u := usage{}
	rows, err := s.Control.Query(ctx, countUsage)
	if err != nil {
		return u, fmt.Errorf("list the server's processes: %w", err)
	}
	for rows.Next() {
		var pid int
		var application string
		if err := rows.Scan(&pid, &application); err != nil {
			return u, fmt.Errorf("list the server's processes: %w", err)
		}
		if isIt(pid, application) {
			u.clients += cpuOf(strconv.Itoa(pid))
		} else {
			u.background += cpuOf(strconv.Itoa(pid))
		}
	}
	if err := rows.Err(); err != nil {
		return u, fmt.Errorf("list the server's processes: %w", err)
	}
	for _, pid := range append(clients, os.Getpid()) {
		u.own += cpuOfThreads(pid)
	}
	u.busy, u.idle = machine()
	u.at = time.Now()
	err = s.Control.QueryRow(ctx, "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").Scan(&u.wal)
	if err != nil {
		return u, fmt.Errorf("read the WAL's position: %w", err)
	}
	return u, nil
}

// cpuOf is the CPU time of a single-threaded process.
func cpuOf(pid string) time.Duration {
	raw, err := os.ReadFile("/proc/" + pid + "/schedstat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(raw))
	if len(fields) < 1 {
		return 0
	}
	ns, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(ns)
}

func cpuOfThreads(pid int) time.Duration {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return 0
	}
	var sum time.Duration
	for _, thread := range threads {
		sum += cpuOf(fmt.Sprintf("%d/task/%s", pid, thread.Name()))
	}
	return sum
}

// tick is the unit of /proc/stat: Linux gives it in hundredths of a second on all our machines.
const tick = 10 * time.Millisecond

// machine is how long the cores were busy and idle since the machine started.
func machine() (busy, idle time.Duration) {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	for i, field := range strings.Fields(line) {
		n, err := strconv.ParseInt(field, 10, 64)
		switch {
		case err != nil || i > 8: // the line's name; guests are in user time already
		case i == 4 || i == 5: // idle, waiting for a disk
			idle += time.Duration(n) * tick
		default:
			busy += time.Duration(n) * tick
		}
	}
	return busy, idle
}
