package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// ports are the ports of one run, remembered in the data directory for the next.
type ports struct {
	APIServer int `json:"apiServer"`
	Etcd      int `json:"etcd"`
	Kubelet   int `json:"kubelet"`

	reserved []int // sockets that hold the ports until the parts listen there
}

// reservePorts finds the ports of this run and keeps them from others: each is bound, not listened on, with SO_REUSEPORT,
// and the parts bind it again with the same option. So there is no moment in which another program can take it.
func reservePorts(o options, file string) (*ports, error) {
	var last ports
	if data, err := os.ReadFile(file); err == nil {
		_ = json.Unmarshal(data, &last) // a spoilt file is as good as none: any free port will do
	}
	p := &ports{}
	for _, want := range []struct {
		name    string
		address string
		flag    int
		last    int
		port    *int
	}{
		{"port", o.Address, o.Port, last.APIServer, &p.APIServer},
		{"etcd-port", "127.0.0.1", o.EtcdPort, last.Etcd, &p.Etcd},
		{"kubelet-port", o.hostIP(), o.KubeletPort, last.Kubelet, &p.Kubelet},
	} {
		wish := want.flag
		if wish == 0 && free(want.address, want.last) {
			wish = want.last
		}
		port, err := p.reserve(want.address, wish)
		if err != nil {
			p.release()
			return nil, fmt.Errorf("--%s: %w", want.name, err)
		}
		*want.port = port
	}
	data, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return p, writeFile(file, data)
}

// reserve binds a port; 0 is any free one.
func (p *ports) reserve(address string, port int) (int, error) {
	// A plain listener first: it fails when another program listens there, also one of ours with SO_REUSEPORT.
	probe, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return 0, errors.Unwrap(err)
	}
	port = probe.Addr().(*net.TCPAddr).Port
	if err := probe.Close(); err != nil {
		return 0, err
	}
	target := &unix.SockaddrInet4{Port: port, Addr: [4]byte(net.ParseIP(address).To4())}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	if err := errors.Join(unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1), unix.Bind(socket, target)); err != nil {
		_ = unix.Close(socket)
		return 0, fmt.Errorf("bind port %d: %w", port, err)
	}
	p.reserved = append(p.reserved, socket)
	return port, nil
}

// free says whether a remembered port can be had again.
func free(address string, port int) bool {
	if port == 0 {
		return false
	}
	trial := &ports{}
	defer trial.release()
	_, err := trial.reserve(address, port)
	return err == nil
}

// release gives the ports back.
func (p *ports) release() {
	for _, socket := range p.reserved {
		_ = unix.Close(socket)
	}
	p.reserved = nil
}

// listenReserved listens on a port that the parent reserved.
func listenReserved(ctx context.Context, address string, port int) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, connection syscall.RawConn) error {
		var option error
		err := connection.Control(func(socket uintptr) {
			option = unix.SetsockoptInt(int(socket), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		})
		return errors.Join(err, option)
	}}
	return config.Listen(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(port)))
}
