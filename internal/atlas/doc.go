// Package atlas holds the words of the domain: who a user is, what is sold, how money is counted, how things end, and
// what a refusal means. It decides nothing (Postgres does) and imports nothing of the project.
package atlas
