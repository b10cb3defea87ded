// Package vpn talks to the VPN nodes that customers connect to: our own (cmd/vpnnode), a bare Xray core through its API,
// and a Remnawave panel. They differ in what they keep:
//
//	             limit of devices   end of the subscription   users after a restart   the key
//	our node     kept               by our removal            forgotten               vless://, made by the node
//	Xray         not known to it    by our removal            forgotten               vless://, from VPN_NODES
//	Remnawave    kept               it knows it               remembered              https://, a subscription
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
