// Package web holds Drydock's pages: the landing page and GraphiQL, both complete in the binary.
//
// GraphiQL is an npm project under graphiql/, built by `make web` into graphiql/dist, which is embedded here. Without it
// the binary still builds; the page then says what to run.
//
// Every page sets its own Content-Security-Policy, which allows nothing but its own origin, and sets Cache-Control: files
// with a hash in their name are kept for ever, pages are asked for again each time. The pages need these routes of the gateway:
//
//	GET  /               Home
//	GET  /graphiql       GraphiQL, and everything below /graphiql/
//	POST /graphql        JSON; WebSocket for subscriptions (graphql-transport-ws)
//	POST /auth/dev       {"login": "ada"} as JSON from GraphiQL, answered with a 2xx; a form from Home, answered with a redirect
//	GET  /auth/github    ?return_to=/graphiql
//	POST /auth/logout    JSON from GraphiQL
package web
