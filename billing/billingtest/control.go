package billingtest

import (
	"encoding/json"
	"net/http"
)

// control serves what tests in another process need:
//
//	GET, DELETE /_drydock/requests       the counts of Requests, and ResetRequests
//	POST, DELETE /_drydock/faults        a Fault or several as JSON, and ClearFaults
//	POST /_drydock/subscriptions/{id}    {"status": "past_due"}
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_drydock/requests", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.Requests())
	})
	mux.HandleFunc("DELETE /_drydock/requests", func(w http.ResponseWriter, _ *http.Request) {
		s.ResetRequests()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /_drydock/faults", func(w http.ResponseWriter, r *http.Request) {
		var raw json.RawMessage
		var many []Fault
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&raw)
		if err == nil && json.Unmarshal(raw, &many) != nil {
			many = make([]Fault, 1)
			err = json.Unmarshal(raw, &many[0])
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.Inject(many...)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("DELETE /_drydock/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	})
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
