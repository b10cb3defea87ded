// Package vpn talks to the VPN node (cmd/vpnnode) that customers connect to.
//
// Every call can be repeated: adding a user twice and removing one who is gone are both fine. What matters to whoever
// works off jobs is the difference between a call that failed, which is an attempt at that job, and a node that is down as
// a whole (ErrDown), which says nothing about the job.
//
//	          three ErrDown in a row
//	calling ────────────────────────► resting (5 s: ErrDown at once, the node is not bothered)
//	   ▲                                  │
//	   └──── it answers ──── one call ◄───┘
//	                             │ ErrDown: rests again
//
// A user's uuid is all that a client needs to connect, so it appears in no error.
package vpn
