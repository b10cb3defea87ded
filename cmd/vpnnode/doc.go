// Command vpnnode is one VPN server: an HTTP service with a real Xray core in its process.
//
//	worker ── HTTP, X-API-Key ──► api ──► node ──► Xray's list of users
//	                                        └────► gate: who may pass, device limits, open connections
//	VPN client ── VLESS + REALITY + vision ──► Xray ──► gate ──► routing ──► egress ──► the internet
//	anybody else ── TLS ──► Xray ──► the REALITY target (a real site, or our own on loopback)
//
// Users are added and removed while it runs. It keeps its REALITY keys (VPNNODE_STATE_DIR), so links survive a restart,
// but not its users: its instance_id in GET /health changes, and whoever owns the list sends it again with PUT /users.
//
// Customers reach the internet only: loopback, private networks and this machine's own addresses are closed, whether they
// are named by address, by a name that resolves to one, or inside a UDP session. VPNNODE_ALLOW_LOOPBACK opens them, for
// tests and the sandbox. No destination is ever logged.
//
// It is a Go module of its own: Xray brings many dependencies that the rest of the project does not need. Its commands:
//
//	go run . --help              the configuration
//	go run ./cmd/fetch LINK URL  a page through a key, as a person's VPN client would get it
//
// The .pb.go files come from the .proto files beside them, made with protoc 3.21 and protoc-gen-go 1.36.11:
//
//	protoc --go_out=. --go_opt=paths=source_relative internal/gate/config.proto internal/egress/config.proto
package main
