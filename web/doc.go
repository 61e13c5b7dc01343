// Package web holds Drydock's pages: the single-page app and GraphiQL, both complete in the binary.
//
// Each is an npm project, under app/ and graphiql/, built by `make web` into its dist/, which is embedded here. Without them
// the binary still builds; the pages then say what to run.
//
// Every page sets its own Content-Security-Policy, which allows nothing but its own origin, and sets Cache-Control: files
// with a hash in their name are kept for ever, pages are asked for again each time. The pages need these routes of the gateway:
//
//	GET  /               App, and everything that no other route takes
//	GET  /graphiql       GraphiQL, and everything below /graphiql/
//	POST /graphql        JSON; WebSocket for subscriptions (graphql-transport-ws)
//	POST /auth/dev       {"login": "ada"} as JSON, answered with a 2xx
//	GET  /auth/github    ?return_to=/graphiql
//	POST /auth/logout    JSON
package web
