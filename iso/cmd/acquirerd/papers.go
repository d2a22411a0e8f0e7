package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// papers are the files of an encrypted line.
type papers struct{ cert, key, clients string }

// config is what they amount to; nil without any.
func (p papers) config() (*tls.Config, error) {
	switch {
	case p == papers{}:
		return nil, nil //nolint:nilnil // in the clear, as the options have it
	case p.cert == "" || p.key == "":
		return nil, errors.New("--tls-cert and --tls-key are given together")
	}
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if p.clients == "" {
		return config, nil
	}
	text, err := os.ReadFile(p.clients)
	if err != nil {
		return nil, err
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: no certificate in it", p.clients)
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	return config, nil
}
