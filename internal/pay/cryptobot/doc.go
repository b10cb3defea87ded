// Package cryptobot brings money from Crypto Pay into the books. An invoice that was paid arrives twice, by webhook and by
// polling, in any order and any number of times; both ways make the same settlement of it, whose key is the invoice's id.
//
// Crypto Pay 1.5 (https://help.send.tg/en/articles/10279948-crypto-pay-api): a webhook is tried 17 times over 3 days and
// then switched off, hence the poller. update_id is not unique, invoice_id is. A signature has no time in it, so that an
// old event sent again is as good as the first; it settles nothing twice.
package cryptobot
