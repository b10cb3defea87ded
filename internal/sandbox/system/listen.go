package system

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
)

// preferredChatPort is where the chat page is when nobody else is there.
const preferredChatPort = 8780

// listen takes the port of an earlier run if it is free, else the preferred one, else any.
func listen(ctx context.Context, earlier string, preferred int) (net.Listener, error) {
	ports := []int{0}
	if preferred != 0 {
		ports = append([]int{preferred}, ports...)
	}
	if port := portOf(earlier); port != 0 {
		ports = append([]int{port}, ports...)
	}
	var last error
	for _, port := range ports {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return listener, nil
		}
		last = err
	}
	return nil, fmt.Errorf("no free port on 127.0.0.1: %w", last)
}

// reserve finds an address for a child process to listen at.
func reserve(ctx context.Context, earlier string) (string, error) {
	listener, err := listen(ctx, earlier, 0)
	if err != nil {
		return "", err
	}
	address := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		return "", fmt.Errorf("reserving a port: %w", err)
	}
	return address, nil
}

func portOf(address string) int {
	parsed, err := url.Parse(address)
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(parsed.Port())
	if err != nil {
		return 0
	}
	return port
}

// hostOf is the host and port of one of our URLs.
func hostOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.Host
}
