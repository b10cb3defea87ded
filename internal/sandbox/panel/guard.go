package panel

import (
	"net"
	"net/http"
	"net/url"
)

// Guard lets in whoever asks this machine for itself. A page from elsewhere is refused that sends its visitor's browser here,
// by this address (Origin, Sec-Fetch-Site) or by a name of its own that leads here (Host).
func Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !isLoopback(r.Host):
			write(w, http.StatusForbidden, failure("this server is for this machine only: call it 127.0.0.1 or localhost"))
		case !isOwn(r):
			write(w, http.StatusForbidden, failure("not from another site"))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func isLoopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	if name == "localhost" {
		return true
	}
	address := net.ParseIP(name)
	return address != nil && address.IsLoopback()
}

// isOwn is true for programs, which name no origin, for this server's own pages, and for a link that somebody follows.
func isOwn(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		from, err := url.Parse(origin)
		return err == nil && from.Host == r.Host
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	default:
		return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate"
	}
}
