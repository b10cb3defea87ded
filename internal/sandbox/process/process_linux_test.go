package process_test

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/process"
)

// TestChildOutlivesTheThreadOfItsStarter ends the thread of the goroutine that calls Start: for the kernel that is the end
// of an owner.
func TestChildOutlivesTheThreadOfItsStarter(t *testing.T) {
	t.Parallel()
	type result struct {
		thread int
		child  *process.Process
		err    error
	}
	results := make(chan result)
	end := make(chan struct{})
	defer close(end)
	start := func() {
		runtime.LockOSThread() // for good: the thread ends with this goroutine
		thread := syscall.Gettid()
		if thread == os.Getpid() { // but the first thread never does
			results <- result{}
			<-end
			return
		}
		child, err := process.Start(process.Spec{Path: "/bin/sleep", Args: []string{"300"}, Dir: "/"})
		results <- result{thread, child, err}
	}
	var r result
	for r.thread == 0 {
		go start()
		r = <-results
	}
	require.NoError(t, r.err)
	t.Cleanup(func() { require.NoError(t, r.child.Kill()) })
	waitFor(t, func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", r.thread))
		return os.IsNotExist(err)
	})
	require.Never(t, func() bool { return !running(r.child.PID()) }, 200*time.Millisecond, 10*time.Millisecond)
}
