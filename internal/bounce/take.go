package bounce

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"broadsheet/internal/newsletter"
)

// Take reads the message, finds by a valid return path which message of ours it is about, and
// has it on record, with its effects, before it returns: whoever handed it over can forget it
// then. The same report again changes nothing. What has no valid return path is counted, and
// that is all (S17). An error says that nothing is on record: the message must come again.
func (s *Service) Take(ctx context.Context, in Incoming) (Taken, error) {
	report, err := Read(bytes.NewReader(in.Message))
	if err != nil {
		return Taken{}, fmt.Errorf("read a message that came back: %w", err)
	}
	// Whom it was sent to says most: a machine that gives a message back does so to its
	// return path. What stands within the message comes after that.
	for _, address := range slices.Concat(in.To, report.ReturnPaths) {
		path, ok := s.path(address)
		if !ok {
			continue
		}
		reader, err := s.store.ReturnReader(ctx, path)
		if err != nil {
			return Taken{}, err
		}
		r := report.of(reader)
		r.Channel = in.Channel
		return s.take(ctx, path, r)
	}
	return s.unknown(ctx, report.Kind, in.Channel)
}

// of returns what the report says of the one reader whom our message had gone to. Where the
// reader is not among its recipients, the return path has said who it is about: the address is
// another one because the reader's mail is forwarded. It is noted, and where there are several
// the one with the best news counts: the others failing does not make the reader's bad.
func (r Report) of(reader string) newsletter.Return {
	var found newsletter.Return
	for i, recipient := range r.Recipients {
		this := newsletter.Return{
			Kind: recipient.Kind, Status: recipient.Status, Code: recipient.Code, Reason: recipient.Reason, Diagnostic: recipient.Diagnostic,
		}
		if sameAddress(recipient.Address, reader) {
			return this
		}
		this.Address = recipient.Address
		if i == 0 || weight(this) < weight(found) {
			found = this
		}
	}
	if len(r.Recipients) == 0 || r.Kind == newsletter.ReturnComplaint && found.Kind != newsletter.ReturnComplaint {
		found.Kind = r.Kind
	}
	return found
}

// weight orders what is said of an address, from good to bad.
func weight(r newsletter.Return) int {
	if r.Reason == newsletter.ReturnDelayed {
		return 1
	}
	return slices.Index([]newsletter.ReturnKind{
		newsletter.ReturnOther, "", newsletter.ReturnAutoReply, newsletter.ReturnSoft, newsletter.ReturnHard, newsletter.ReturnComplaint,
	}, r.Kind)
}

// sameAddress reports whether a report means the reader's address. An address that it writes
// otherwise than mail systems do is taken for another one; then the return path decides.
func sameAddress(reported, reader string) bool {
	return reader != "" && strings.EqualFold(strings.Trim(strings.TrimSpace(reported), "<>"), reader)
}
