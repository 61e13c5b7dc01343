package billingtest

import (
	"encoding/json"
	"net/http"
)

// control serves what tests in another process need:
//
//	GET, DELETE /_drydock/requests         the counts of Requests, and ResetRequests
//	POST, DELETE /_drydock/faults          a Fault or several as JSON, and ClearFaults
//	POST, DELETE /_drydock/webhooks        a Webhook or several; ?url= is the one to remove
//	POST, DELETE /_drydock/webhook-faults  a WebhookFault or several, and ClearWebhookFaults
//	POST /_drydock/rollover                RollOver
//	POST /_drydock/subscriptions/{id}      {"status": "past_due"}
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_drydock/requests", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.Requests())
	})
	mux.HandleFunc("DELETE /_drydock/requests", done(s.ResetRequests))
	mux.HandleFunc("POST /_drydock/faults", taking(s.Inject))
	mux.HandleFunc("DELETE /_drydock/faults", done(s.ClearFaults))
	mux.HandleFunc("POST /_drydock/webhooks", taking(func(webhooks ...Webhook) {
		for _, webhook := range webhooks {
			s.AddWebhook(webhook)
		}
	}))
	mux.HandleFunc("DELETE /_drydock/webhooks", done(func() { s.RemoveWebhook(r.URL.Query().Get("url")) }))
	mux.HandleFunc("POST /_drydock/webhook-faults", taking(s.InjectWebhooks))
	mux.HandleFunc("DELETE /_drydock/webhook-faults", done(s.ClearWebhookFaults))
	mux.HandleFunc("POST /_drydock/rollover", done(s.RollOver))
	mux.HandleFunc("POST /_drydock/subscriptions/{id}", func(w http.ResponseWriter, r *http.Request) {
		var wish struct{ Status string }
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&wish); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if !s.SetSubscriptionStatus(r.PathValue("id"), wish.Status) {
			http.NotFound(w, r)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.ServeHTTP(w, r)
}

// done is a control without a body.
func done(act func()) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		act()
		w.WriteHeader(http.StatusNoContent)
	}
}

// taking is a control whose body is one thing or a list of them.
func taking[T any](act func(...T)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var raw json.RawMessage
		var many []T
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&raw)
		if err == nil && json.Unmarshal(raw, &many) != nil {
			many = make([]T, 1)
			err = json.Unmarshal(raw, &many[0])
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		act(many...)
		w.WriteHeader(http.StatusNoContent)
	}
}
