// Package webhook tells others what happened, over HTTP: signed, bounded, and to public
// addresses alone. Who sends when, and again, is the controller's business.
package webhook
