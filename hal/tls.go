package hal

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// TLSOptions say whom to believe and who we are. What is not given is left out, with one
// exception: there is no way to do without CAFile, because a terminal has no store of authorities
// worth the name, and an acquirer's authority is its own.
type TLSOptions struct {
	CAFile     string // PEM, one certificate or more; required
	CertFile   string // PEM, ours, leaf first; with KeyFile or not at all
	KeyFile    string // PEM
	ServerName string // what the host's certificate must be for; empty: the host of the address
	MinVersion string // "1.2" or "1.3"; empty: 1.2
	// Pin is "sha256:" and the hexadecimal SHA-256 of a public key (SubjectPublicKeyInfo) that must
	// be in the host's verified chain; empty: any key that the authority vouches for.
	Pin string
	// Now judges certificates; nil: the wall clock.
	Now func() time.Time
}

// TLS dials a host over TCP and speaks TLS with it. Make one with [OpenTLS].
type TLS struct {
	tcp    TCP
	config *tls.Config
	ours   []Certificate // the authority's and our own

	mu    sync.Mutex
	hosts []Certificate // of the newest handshake
}

// Certificate is one that matters, and when it ends.
type Certificate struct {
	Whose   string    `json:"whose"` // authority, ours, host
	Subject string    `json:"subject"`
	Expires time.Time `json:"expires"`
}

// Secured is a Dialer whose lines need certificates.
type Secured interface {
	Dialer
	// Certificates are ours, the authorities', and the host's of the newest line.
	Certificates() []Certificate
}

var _ Secured = (*TLS)(nil)

// Errors of a TLS configuration, and of a host that is not whom we want.
var (
	// ErrNoAuthority is wrapped when no usable CA file was given.
	ErrNoAuthority = errors.New("a file with the certificate of the host's authority is needed")
	// ErrPin is wrapped when no key of the host's chain is the pinned one.
	ErrPin = errors.New("the host's key is not the pinned one")
	// ErrRefused is wrapped when the host does not want our certificate, or us.
	ErrRefused = errors.New("the host refuses the connection")
)

const pinPrefix = "sha256:"

// certificateBytesMax is more than any chain of authorities needs.
const certificateBytesMax = 1 << 20

// OpenTLS reads the files and checks that they fit each other. Each dial uses what was read here:
// whoever renews a certificate opens again.
func OpenTLS(tcp TCP, o TLSOptions) (*TLS, error) {
	t := &TLS{tcp: tcp, config: &tls.Config{
		MinVersion: tls.VersionTLS12,
		ServerName: o.ServerName,
		Time:       o.Now,
		// A line that is dialled again over a metered network need not carry the chain again.
		ClientSessionCache: tls.NewLRUClientSessionCache(sessionsMax),
	}}
	switch o.MinVersion {
	case "", "1.2":
	case "1.3":
		t.config.MinVersion = tls.VersionTLS13
	default:
		return nil, fmt.Errorf("TLS version %.10q is not 1.2 or 1.3", o.MinVersion)
	}
	if err := t.trust(o.CAFile); err != nil {
		return nil, err
	}
	if err := t.identify(o.CertFile, o.KeyFile); err != nil {
		return nil, err
	}
	return t, t.pin(o.Pin)
}

// sessionsMax is how many hosts are remembered: more than an acquirer has addresses.
const sessionsMax = 8

// Certificates implements Secured.
func (t *TLS) Certificates() []Certificate {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append(append([]Certificate(nil), t.ours...), t.hosts...)
}

func (t *TLS) trust(file string) error {
	if file == "" {
		return ErrNoAuthority
	}
	data, err := readPEM(file)
	if err != nil {
		return err
	}
	t.config.RootCAs = x509.NewCertPool()
	for _, der := range certificates(data) {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		t.config.RootCAs.AddCert(c)
		t.ours = append(t.ours, certificateOf("authority", c))
	}
	if len(t.ours) == 0 {
		return fmt.Errorf("%s: no certificate in it: %w", file, ErrNoAuthority)
	}
	return nil
}

func (t *TLS) identify(certFile, keyFile string) error {
	switch {
	case certFile == "" && keyFile == "":
		return nil
	case certFile == "" || keyFile == "":
		return errors.New("a certificate and its key are given together")
	}
	certPEM, err := readPEM(certFile)
	if err != nil {
		return err
	}
	keyPEM, err := readPEM(keyFile)
	if err != nil {
		return err
	}
	defer clear(keyPEM)
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return fmt.Errorf("%s and %s: %w", certFile, keyFile, err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return fmt.Errorf("%s: %w", certFile, err)
	}
	t.ours = append(t.ours, certificateOf("ours", leaf))
	t.config.Certificates = []tls.Certificate{pair}
	return nil
}

// pin makes every handshake, a resumed one too, look for the key.
func (t *TLS) pin(text string) error {
	if text == "" {
		return nil
	}
	hexed, ok := strings.CutPrefix(text, pinPrefix)
	want, err := hex.DecodeString(hexed)
	if !ok || err != nil || len(want) != sha256.Size {
		return fmt.Errorf("pin %.20q is not %s and %d hexadecimal digits", text, pinPrefix,
			2*sha256.Size)
	}
	t.config.VerifyConnection = func(s tls.ConnectionState) error {
		for _, chain := range s.VerifiedChains {
			for _, c := range chain {
				if sum := sha256.Sum256(c.RawSubjectPublicKeyInfo); string(sum[:]) == string(want) {
					return nil
				}
			}
		}
		return ErrPin
	}
	return nil
}

// Dial implements Dialer. The handshake is part of it, so it takes no longer than ctx.
func (t *TLS) Dial(ctx context.Context, address string) (Link, error) {
	link, err := t.tcp.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return t.secure(ctx, tcpCarrier{link.(*tcpLink)}, address) // TCP makes nothing else
}

// Over speaks the same TLS, with the same authority, pin and time, on lines that another dialer
// opens. Its links must be Carriers. A line is for the host of the address that is dialled.
func (t *TLS) Over(lines Dialer) Dialer { return tlsOver{t, lines} }

type tlsOver struct {
	tls   *TLS
	lines Dialer
}

// Dial implements Dialer.
func (o tlsOver) Dial(ctx context.Context, address string) (Link, error) {
	link, err := o.lines.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	raw, ok := link.(Carrier)
	if !ok {
		_ = link.Close() // nothing was sent on it
		return nil, fmt.Errorf("dial %s: TLS: %w: a %T", address, ErrUnsupported, link)
	}
	return o.tls.secure(ctx, raw, address)
}

// secure does the handshake on a line that is up, or closes it.
func (t *TLS) secure(ctx context.Context, raw Carrier, address string) (Link, error) {
	config := t.config
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			_ = raw.Close()
			return nil, fmt.Errorf("dial %s: %w", address, err)
		}
		config = config.Clone()
		config.ServerName = host
	}
	l := newTLSLink(raw, config)
	if err := l.greet(ctx); err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("dial %s: TLS: %w%s", address, err, t.judgedAt(err))
	}
	t.note(l.conn.ConnectionState())
	return l, nil
}

// judgedAt says by which time a certificate was found to be out of date, for the clock may be the
// one that is wrong.
func (t *TLS) judgedAt(err error) string {
	var bad x509.CertificateInvalidError
	if !errors.As(err, &bad) || bad.Reason != x509.Expired {
		return ""
	}
	now := time.Now
	if t.config.Time != nil {
		now = t.config.Time
	}
	text := " (the host's certificate, judged by the time " + now().UTC().Format(time.RFC3339)
	if bad.Cert != nil {
		from, to := bad.Cert.NotBefore.UTC(), bad.Cert.NotAfter.UTC()
		text += fmt.Sprintf(", is good from %s to %s", from.Format(time.RFC3339),
			to.Format(time.RFC3339))
	}
	return text + ")"
}

func (t *TLS) note(s tls.ConnectionState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hosts = t.hosts[:0]
	if len(s.PeerCertificates) > 0 {
		t.hosts = append(t.hosts, certificateOf("host", s.PeerCertificates[0]))
	}
}

func certificateOf(whose string, c *x509.Certificate) Certificate {
	return Certificate{Whose: whose, Subject: c.Subject.String(), Expires: c.NotAfter}
}

func readPEM(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if len(data) > certificateBytesMax {
		return nil, fmt.Errorf("%s: larger than %d bytes", file, certificateBytesMax)
	}
	return data, nil
}
