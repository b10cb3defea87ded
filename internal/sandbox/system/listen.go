package system

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"atlas-secure/internal/sandbox/port"
)

// preferredChatPort is where the chat page is when nobody else is there.
const preferredChatPort = 8780

// listen takes the port of an earlier run if it is free, else the preferred one, else any.
func listen(ctx context.Context, earlier string, preferred int) (net.Listener, error) {
	ports := []int{0}
	if preferred != 0 {
		ports = append([]int{preferred}, ports...)
	}
	if number := portOf(earlier); number != 0 {
		ports = append([]int{number}, ports...)
	}
	var last error
	for _, number := range ports {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(number)))
		if err == nil {
			return listener, nil
		}
		last = err
	}
	return nil, fmt.Errorf("no free port on 127.0.0.1: %w", last)
}

// reserve keeps a port for a child process to listen at, whenever it is started: that of an earlier run if it is free,
// else any.
func reserve(earlier string) (*port.Reservation, error) {
	if number := portOf(earlier); number != 0 {
		if kept, err := port.Reserve(number); err == nil {
			return kept, nil
		}
	}
	return port.Reserve(0) //nolint:wrapcheck // says all by itself
}

func portOf(address string) int {
	parsed, err := url.Parse(address)
	if err != nil {
		return 0
	}
	number, err := strconv.Atoi(parsed.Port())
	if err != nil {
		return 0
	}
	return number
}

// hostOf is the host and port of one of our URLs.
func hostOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.Host
}
