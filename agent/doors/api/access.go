package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Role is what a peer may do here.
type Role uint8

// The roles, each with all that the one before it may.
const (
	// RoleNone may nothing.
	RoleNone Role = iota
	// RoleApp sells, confirms and cancels, and sees what it sold itself.
	RoleApp
	// RoleViewer sees everything and orders nothing, nor sells.
	RoleViewer
	// RoleOperator does everything.
	RoleOperator
)

// String names the role as the configuration does.
func (r Role) String() string {
	switch r {
	case RoleNone:
		return "nobody"
	case RoleApp:
		return "app"
	case RoleViewer:
		return "viewer"
	case RoleOperator:
		return "operator"
	}
	return "role unknown"
}

// ParseRole reads what String wrote; false for anything else, and for nobody.
func ParseRole(name string) (Role, bool) {
	for r := RoleApp; r <= RoleOperator; r++ {
		if r.String() == name {
			return r, true
		}
	}
	return RoleNone, false
}

// Peer is who is at the other end of a connection.
type Peer struct {
	Name string // goes on file with what it sells
	Role Role
}

// Access says who may do what. The user that the daemon runs as, and root, are operators.
type Access struct {
	Operators, Viewers, Apps []Who

	// Over TCP the peer is whoever knows the token; the zero sum is that nobody does.
	Token     [sha256.Size]byte
	TokenRole Role
}

// Who is a user or a group by its number, or anybody who can open the socket.
type Who struct {
	UID, GID int // -1: does not matter
}

// ParseWho reads uid:N, gid:N or any.
func ParseWho(text string) (Who, error) {
	who := Who{UID: -1, GID: -1}
	if text == "any" {
		return who, nil
	}
	kind, digits, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(digits, 10, 31)
	switch {
	case err == nil && kind == "uid":
		who.UID = int(n)
	case err == nil && kind == "gid":
		who.GID = int(n)
	default:
		return who, fmt.Errorf("%q is not uid:N, gid:N or any", text)
	}
	return who, nil
}

// ParseAccess reads lists of users and groups.
func ParseAccess(operators, viewers, apps []string) (Access, error) {
	var a Access
	for _, list := range []struct {
		from []string
		into *[]Who
	}{{operators, &a.Operators}, {viewers, &a.Viewers}, {apps, &a.Apps}} {
		for _, text := range list.from {
			who, err := ParseWho(text)
			if err != nil {
				return Access{}, err
			}
			*list.into = append(*list.into, who)
		}
	}
	return a, nil
}

// credentials are what the kernel says of the process at the other end of a Unix socket, at the
// moment it connected. Of its groups that is the first.
type credentials struct{ uid, gid int }

// roleOf is what a process may do.
func (a *Access) roleOf(c credentials) Role {
	in := func(list []Who) bool {
		return slices.ContainsFunc(list, func(w Who) bool {
			return (w.UID < 0 || w.UID == c.uid) && (w.GID < 0 || w.GID == c.gid)
		})
	}
	switch {
	case c.uid == 0, c.uid == os.Geteuid(), in(a.Operators):
		return RoleOperator
	case in(a.Viewers):
		return RoleViewer
	case in(a.Apps):
		return RoleApp
	}
	return RoleNone
}

// peerOf is who is at the other end of a connection, as far as the connection itself tells.
func (a *Access) peerOf(conn net.Conn) Peer {
	c, ok := credentialsOf(conn)
	if !ok {
		return Peer{}
	}
	return Peer{Name: "api uid " + strconv.Itoa(c.uid), Role: a.roleOf(c)}
}

// tokenPeer is the name on file of whoever comes over TCP.
const tokenPeer = "api token"

// overTCP is who sends a request over TCP: whoever knows the token. The comparison takes as long
// for a wrong one as for the right one.
func (a *Access) overTCP(r *http.Request) (Peer, *Problem) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	sum := sha256.Sum256([]byte(token))
	none := [sha256.Size]byte{}
	if !ok || subtle.ConstantTimeCompare(sum[:], a.Token[:]) != 1 || a.Token == none {
		return Peer{}, trouble(typeNoToken, http.StatusUnauthorized,
			"send Authorization: Bearer and the token of api_token")
	}
	return Peer{Name: tokenPeer, Role: a.TokenRole}, nil
}

// tokenBytesMin keeps tokens from being guessed; tokenBytesMax from being something else.
const (
	tokenBytesMin = 16
	tokenBytesMax = 512
)

// ReadToken reads the token of the TCP listener: one line, in a file that only its owner can read.
func ReadToken(path string) (sum [sha256.Size]byte, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return sum, err
	}
	if info.Mode().Perm()&0o077 != 0 || !info.Mode().IsRegular() {
		return sum, fmt.Errorf("%s: others can read the token: chmod 0600", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return sum, err
	}
	token := strings.TrimSpace(string(data))
	if len(token) < tokenBytesMin || len(token) > tokenBytesMax ||
		strings.ContainsAny(token, " \t\r\n") {
		return sum, fmt.Errorf("%s: a token is one word of %d to %d characters", path,
			tokenBytesMin, tokenBytesMax)
	}
	return sha256.Sum256([]byte(token)), nil
}

// errNotLoopback: card data never crosses a network here.
var errNotLoopback = errors.New("is not a loopback address: the API is for this device only")

// CheckLoopback refuses an address that others could reach.
func CheckLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not host:port", address)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%q %w", address, errNotLoopback)
	}
	return nil
}

type peerKey struct{}

// peerIn is who asks; found by the server before any handler runs.
func peerIn(ctx context.Context) Peer {
	p, _ := ctx.Value(peerKey{}).(Peer)
	return p
}
