// Package signing derives the secrets that this installation shares with others, such as
// those of webhooks, from keys that are settings: none of them is stored, and every
// replica has the same ones.
package signing
