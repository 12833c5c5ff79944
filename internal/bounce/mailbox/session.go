package mailbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// dialTime is how long a connection may take to come about.
const dialTime = 15 * time.Second

// takenKeyword marks messages where there is no folder to move them to.
const takenKeyword imap.Flag = "$BroadsheetRead"

// session is a connection with the folder selected.
type session struct {
	client *imapclient.Client
	name   string // of the folder
	folder *imap.SelectData
	target string // where taken messages are moved; empty: they are marked
	watch  func() bool
}

// open connects, logs in and selects the folder. When ctx ends, so does the connection.
func (m *Mailbox) open(ctx context.Context) (*session, error) {
	conn, err := m.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", net.JoinHostPort(m.Address.Host, m.Address.Port), err)
	}
	s := &session{watch: context.AfterFunc(ctx, func() { _ = conn.Close() })}
	if err := m.logIn(s, conn); err != nil {
		s.watch()
		return nil, errors.Join(err, ctx.Err(), ignoreClosed(conn.Close()))
	}
	return s, nil
}

func (m *Mailbox) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	address := net.JoinHostPort(m.Address.Host, m.Address.Port)
	if m.Address.Implicit {
		return (&tls.Dialer{Config: m.tls()}).DialContext(ctx, "tcp", address)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

func (m *Mailbox) tls() *tls.Config {
	config := &tls.Config{}
	if m.TLS != nil {
		config = m.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = m.Address.Host
	}
	return config
}

func (m *Mailbox) logIn(s *session, conn net.Conn) error {
	if m.Address.Implicit || m.Address.Plain {
		s.client = imapclient.New(conn, nil)
	} else {
		client, err := imapclient.NewStartTLS(conn, &imapclient.Options{TLSConfig: m.tls()})
		if err != nil {
			return fmt.Errorf("begin TLS: %w", plain(err))
		}
		s.client = client
	}
	if err := s.client.Login(m.Address.User, m.Address.Password).Wait(); err != nil {
		return fmt.Errorf("log in as %s: %w", m.Address.User, plain(err))
	}
	folder, err := s.client.Select(m.Address.Folder, nil).Wait()
	if err != nil {
		return fmt.Errorf("open the folder %s: %w", m.Address.Folder, plain(err))
	}
	s.name, s.folder = m.Address.Folder, folder
	return nil
}

func (s *session) close() error {
	err := s.client.Logout().Wait()
	s.watch()
	if closeErr := ignoreClosed(s.client.Close()); err == nil {
		err = closeErr
	}
	return plain(err)
}

// waiting returns the messages that are not marked as taken, the oldest first.
func (s *session) waiting() ([]imap.UID, error) {
	if s.folder.NumMessages == 0 {
		return nil, nil
	}
	found, err := s.client.UIDSearch(&imap.SearchCriteria{NotFlag: []imap.Flag{takenKeyword, imap.FlagDeleted}}, nil).Wait()
	if err != nil {
		return nil, fmt.Errorf("look for messages: %w", plain(err))
	}
	uids := found.AllUIDs()
	slices.Sort(uids)
	return uids, nil
}

// prepare finds out how messages are marked: moved to a folder of their own, which is made if
// need be, or with a keyword. What can do neither is an error: they would be taken again and
// again.
func (s *session) prepare() error {
	if s.client.Caps().Has(imap.CapMove) {
		for _, name := range s.names() {
			if name == s.name {
				continue // somebody looks through what was taken: it stays where it is
			}
			if s.exists(name) || s.client.Create(name, nil).Wait() == nil {
				s.target = name
				return nil
			}
		}
	}
	if s.keeps() {
		return nil
	}
	return errors.New(`messages can neither be moved to a folder "Broadsheet/Read" nor be marked; make the folder by hand, or take another mail server`)
}

// keeps reports whether the folder keeps our keyword.
func (s *session) keeps() bool {
	keep := s.folder.PermanentFlags
	return slices.Contains(keep, imap.FlagWildcard) || slices.Contains(keep, takenKeyword)
}

// alive reports whether the server still answers.
func (s *session) alive() bool { return s.client.Noop().Wait() == nil }

// names are the folder's, as servers may want it: some have everything below INBOX.
func (s *session) names() []string {
	list, err := s.client.List("", "", nil).Collect()
	if err != nil || len(list) == 0 || list[0].Delim == 0 {
		return []string{"Broadsheet-Read"}
	}
	d := string(list[0].Delim)
	return []string{"Broadsheet" + d + "Read", "INBOX" + d + "Broadsheet" + d + "Read"}
}

func (s *session) exists(name string) bool {
	_, err := s.client.Status(name, &imap.StatusOptions{UIDValidity: true}).Wait()
	return err == nil
}

// mark marks messages as taken. Those that are about mail of ours count as read; the others
// stay unread, for whoever wants to look what else came.
func (s *session) mark(ours, others []imap.UID) error {
	if s.target == "" {
		return errors.Join(s.flag(ours, takenKeyword, imap.FlagSeen), s.flag(others, takenKeyword))
	}
	if err := s.flag(ours, imap.FlagSeen); err != nil {
		return err
	}
	both := slices.Concat(ours, others)
	if len(both) == 0 {
		return nil
	}
	if _, err := s.client.Move(imap.UIDSetNum(both...), s.target).Wait(); err == nil || !s.keeps() || !s.alive() {
		return plain(err)
	}
	return s.flag(both, takenKeyword) // the folder is full, or gone: where they are, they are marked
}

func (s *session) flag(uids []imap.UID, flags ...imap.Flag) error {
	if len(uids) == 0 {
		return nil
	}
	return plain(s.client.Store(imap.UIDSetNum(uids...), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: flags}, nil).Close())
}

// plain returns what the server said, without the library's words around it.
func plain(err error) error {
	if e, ok := errors.AsType[*imap.Error](err); ok && e.Text != "" {
		return errors.New(e.Text)
	}
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
