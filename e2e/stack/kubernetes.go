package stack

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"sigs.k8s.io/yaml"
)

// Kubernetes is the API server as its administrator's plain HTTP client sees it.
type Kubernetes struct {
	url  string
	http *http.Client
}

// kubeconfig is what kubestack writes: one cluster, one user, certificates inside
// (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/).
type kubeconfig struct {
	Clusters []struct {
		Cluster struct {
			Server    string `json:"server"`
			Authority []byte `json:"certificate-authority-data"`
		} `json:"cluster"`
	} `json:"clusters"`
	Users []struct {
		User struct {
			Certificate []byte `json:"client-certificate-data"`
			Key         []byte `json:"client-key-data"`
		} `json:"user"`
	} `json:"users"`
}

// Kubernetes is a client of the control plane.
func (s *Stack) Kubernetes() (*Kubernetes, error) {
	text, err := os.ReadFile(s.Kubeconfig)
	if err != nil {
		return nil, err
	}
	var config kubeconfig
	if err := yaml.Unmarshal(text, &config); err != nil {
		return nil, err
	}
	if len(config.Clusters) != 1 || len(config.Users) != 1 {
		return nil, errors.New(s.Kubeconfig + " is not of one cluster and one user")
	}
	cluster, user := config.Clusters[0].Cluster, config.Users[0].User
	certificate, err := tls.X509KeyPair(user.Certificate, user.Key)
	if err != nil {
		return nil, err
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(cluster.Authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: authorities, Certificates: []tls.Certificate{certificate},
	}}
	s.onClose(func(context.Context) error {
		transport.CloseIdleConnections()
		return nil
	})
	return &Kubernetes{url: cluster.Server, http: &http.Client{Transport: transport}}, nil
}

// List reads the objects of a collection's path, such as /apis/drydock.dev/v1alpha1/builds.
func (k *Kubernetes) List(ctx context.Context, path string, list any) error {
	return k.call(ctx, http.MethodGet, path, "", nil, list)
}

// Create adds an object to the collection of a path.
func (k *Kubernetes) Create(ctx context.Context, path string, object any) error {
	body, err := json.Marshal(object)
	if err != nil {
		return err
	}
	return k.call(ctx, http.MethodPost, path, "application/json", body, nil)
}

// Patch merges fields into the object of a path (RFC 7386).
func (k *Kubernetes) Patch(ctx context.Context, path string, fields any) error {
	body, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return k.call(ctx, http.MethodPatch, path, "application/merge-patch+json", body, nil)
}

func (k *Kubernetes) call(ctx context.Context, method, path, contentType string, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, k.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	response, err := k.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusCreated {
		return fmt.Errorf("kubernetes: %s %s: %s: %s", method, path, response.Status, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}
