package newsletter

import (
	"strings"
	"testing"
)

func TestMayMail(t *testing.T) {
	t.Parallel()
	n := Newsletter{Slug: "daily-news"}
	for _, base := range []string{"http://localhost:8080", "http://127.0.0.1", "http://[::1]:80"} {
		if err := n.MayMail(base); err != nil {
			t.Errorf("%s: %v", base, err)
		}
	}
	public := "https://letters.example.org"
	err := n.MayMail(public)
	if ReasonOf(err) != "legal" || !strings.Contains(err.Error(), "newsletter edit daily-news --privacy-url https://… --legal-footer") {
		t.Errorf("without both: %v", err)
	}
	n.PrivacyURL = "https://www.example.org/privacy"
	if err := n.MayMail(public); err == nil || strings.Contains(err.Error(), "privacy") {
		t.Errorf("without a legal footer: %v", err)
	}
	n.LegalFooter = "Registered in England."
	if err := n.MayMail(public); err != nil {
		t.Error(err)
	}
}
