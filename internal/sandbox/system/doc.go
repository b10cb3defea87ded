// Package system is the whole of Atlas Secure on one machine, without a token or an account: Postgres, Redis, the Bot API
// emulator with its chat page, a fake Crypto Pay, and the real bot, worker and VPN node as child processes that are
// started again when they die.
//
// Run does everything, says what it does, and lasts until its context ends. What it keeps is in one folder: the
// database, the chats, the invoices, the node's keys, the logs, and sandbox.json (0600) with every address, token and DSN.
package system
