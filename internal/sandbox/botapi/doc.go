// Package botapi is Telegram for the sandbox: a server that speaks the Bot API to bots, and a JSON API for the people who
// talk with them.
//
// For bots it is what api.telegram.org is: /bot<token>/<method> with JSON, form or multipart arguments, and
// /file/bot<token>/<path>. Any well-formed token is a bot of its own. Arguments are checked as strictly as Telegram does,
// and refused in its own words (the texts are those of github.com/tdlib/telegram-bot-api). Updates have sequential ids
// that survive a restart, and are confirmed by a higher offset only; a second getUpdates ends the first with 409.
//
//	person ── POST /api/people/1/messages ──► update ──► getUpdates or webhook ──► bot
//	person ◄─ GET  /api/people/1/chat ─────── message ◄─ sendMessage ──────────── bot
//
// A payment goes: sendInvoice; the person pays; pre_checkout_query; answerPreCheckoutQuery within ten seconds; a message
// with successful_payment. It can be refused by the bot, declined by the bank, run out of time, and be refunded (Stars).
//
// The persons' API is described in api.md, which GET /api/ shows; package person is its Go client. It has no passwords:
// listen on 127.0.0.1 only.
//
// Everything but the faults and the pressed buttons is in Options.StateDir (chats.jsonl, files/), written before the
// answer that tells about it.
package botapi
