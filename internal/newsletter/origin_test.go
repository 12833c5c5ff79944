package newsletter

import "testing"

func TestCheckOrigin(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://www.example.org": "https://www.example.org", " HTTPS://WWW.Example.org/ ": "https://www.example.org",
		"https://example.org:443": "https://example.org", "https://example.org:8443": "https://example.org:8443",
		"http://localhost:3000": "http://localhost:3000", "http://127.0.0.1": "http://127.0.0.1", "http://[::1]:8080": "http://[::1]:8080",
		"http://www.example.org": "", "www.example.org": "", "https://": "", "https://example.org/news": "", "https://u@example.org": "",
		"https://example.org?x=1": "", "https://*.example.org": "", "ftp://example.org": "", "null": "", "": "", "https://a, https://b": "",
		"https://example.org; script-src *": "",
		"https://xn--mnchen-3ya.example":    "https://xn--mnchen-3ya.example", "https://münchen.example": "", "https://'self'": "", "https://a;b.example": "",
	} {
		if got, err := CheckOrigin(in); got != want || (err == nil) != (want != "") {
			t.Errorf("CheckOrigin(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}
