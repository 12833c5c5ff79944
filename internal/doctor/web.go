package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// The limits of what is asked over HTTP.
const (
	webTime    = 8 * time.Second
	maxAnswer  = 1 << 10
	certSoon   = 14 * 24 * time.Hour // a certificate that ends so soon was not renewed
	clockLate  = time.Minute         // how far the clocks of two machines may be apart
	clockWrong = 10 * time.Minute
)

// Web looks at the service's own address as readers reach it.
type Web struct {
	Client  *http.Client // that follows no redirects
	BaseURL string
	Now     func() time.Time
}

// Look asks the service for /healthz, and looks at the certificate and the clock of who
// answers.
func (w Web) Look(ctx context.Context) []Finding {
	ctx, cancel := context.WithTimeout(ctx, webTime)
	defer cancel()
	address := w.BaseURL + "/healthz"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return []Finding{Fail("correct BASE_URL", "%s is no web address", w.BaseURL)}
	}
	resp, err := w.Client.Do(req)
	if err != nil {
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			return []Finding{Fail("give the proxy a certificate that is valid for this name, from an authority that everybody trusts; readers' programs refuse this one",
				"the certificate of %s is not trusted: %v", w.BaseURL, inner(err))}
		}
		return []Finding{Fail("look whether \"broadsheet serve\" and the proxy run, and whether the name leads here",
			"%s cannot be reached: %v", w.BaseURL, inner(err))}
	}
	defer resp.Body.Close()
	list := []Finding{w.answer(resp)}
	if resp.TLS != nil && len(resp.TLS.PeerCertificates) > 0 {
		list = append(list, w.certificate(resp.TLS.PeerCertificates[0].NotAfter).About("certificate"))
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		list = append(list, w.clock(at).About("clock"))
	}
	return list
}

// inner returns what is wrong without the address, which stands beside it.
func inner(err error) error {
	if below := errors.Unwrap(err); below != nil {
		return below
	}
	return err
}

// answer says whether it is Broadsheet that answers.
func (w Web) answer(resp *http.Response) Finding {
	const do = "let the proxy pass all of BASE_URL on to \"broadsheet serve\""
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return Fail("set BASE_URL to where readers end up: one-click unsubscribing follows no redirects (RFC 8058)",
			"%s/healthz leads elsewhere (%s)", w.BaseURL, resp.Status)
	case resp.StatusCode != http.StatusOK:
		return Fail(do, "%s/healthz answers %s", w.BaseURL, resp.Status)
	case err != nil:
		return Fail(do, "the answer of %s/healthz breaks off: %v", w.BaseURL, err)
	case string(text) != "ok\n" && !strings.HasPrefix(string(text), "ok "):
		return Fail(do, "something answers at %s, and it is not Broadsheet", w.BaseURL)
	case !strings.HasPrefix(w.BaseURL, "https://"):
		return Warn("for real readers put a proxy with TLS in front and set BASE_URL to its https address",
			"%s answers, on this machine only and without TLS", w.BaseURL)
	}
	return Good("%s answers", w.BaseURL)
}

func (w Web) certificate(end time.Time) Finding {
	const do = "renew it, and look why that did not happen by itself"
	left := end.Sub(w.Now())
	day := end.UTC().Format("2 January 2006")
	switch {
	case left <= 0:
		return Fail(do, "the certificate ended on %s", day)
	case left < certSoon:
		return Warn(do, "the certificate ends on %s, in %s", day, days(left))
	}
	return Good("it is valid until %s", day)
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// clock compares our clock with that of who answered. If that is this very machine, it says
// nothing about the time of others.
func (w Web) clock(theirs time.Time) Finding {
	const do = "let the machine's clock be set by NTP: slots, links and signatures depend on it"
	apart := w.Now().Sub(theirs).Abs().Round(time.Second)
	switch {
	case apart > clockWrong:
		return Fail(do, "this machine's clock and that of BASE_URL are %s apart", apart)
	case apart > clockLate:
		return Warn(do, "this machine's clock and that of BASE_URL are %s apart", apart)
	}
	return Good("it agrees with that of BASE_URL")
}
