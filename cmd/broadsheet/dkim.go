package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

// lookupTXT asks the DNS for the TXT records of a name, the strings of each put together.
type lookupTXT func(ctx context.Context, name string) ([]string, error)

// lookupTime is how long one look into the DNS may take.
const lookupTime = 10 * time.Second

func newDKIMCommand(a *app, lookup lookupTXT) *cobra.Command {
	return newGroup("dkim", "Keys that mail is signed with",
		`Mail that is signed by DKIM shows receivers that it is from you. Most relays sign by
themselves; where yours does not, make a key, put its record into the DNS of your domain,
check it, and set BROADSHEET_DKIM_DOMAIN, _SELECTOR and _KEY_FILE. Several keys are set with
commas. A mail is signed by the key whose domain is that of its sender, or the nearest
above it.`, groupOperation,
		dkimGenerate(a), dkimShow(a), dkimCheck(a, lookup))
}

// keyView is a key and its record in JSON. Setting values of a key just made are in Settings.
type keyView struct {
	Domain   string            `json:"domain"`
	Selector string            `json:"selector"`
	KeyFile  string            `json:"key_file"`
	Bits     int               `json:"bits"`
	Record   recordView        `json:"record"`
	Settings map[string]string `json:"settings,omitempty"`
}

type recordView struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Value   string   `json:"value"`
	Strings []string `json:"strings"`
}

func viewKey(k signingKey) (keyView, error) {
	record, err := k.record()
	return keyView{
		Domain: k.Domain, Selector: k.Selector, KeyFile: k.File, Bits: k.Key.N.BitLen(),
		Record: recordView{record.Name, "TXT", record.Value, record.Strings()},
	}, err
}

// zoneLine is the record as a zone file has it.
func (r recordView) zoneLine() string {
	return r.Name + `. IN TXT "` + strings.Join(r.Strings, `" "`) + `"`
}

func dkimGenerate(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "generate --domain DOMAIN --selector NAME [--out FILE]",
		Short: "Make a key, and show the DNS record for it",
		Long: `Makes an RSA key of 2048 bits in a new file that only you can read, and shows the record
to put into the DNS and the settings to copy. Nothing is signed with it until it is set.

The selector is a name for the key, such as news1. To change keys, make another with another
selector, and leave the old record in the DNS for a week after the change.`,
		Example: `  broadsheet dkim generate --domain example.org --selector news1
  broadsheet dkim generate --domain example.org --selector news2 --out /etc/broadsheet/news2.pem`,
		Args: cobra.NoArgs,
	}
	domain := cmd.Flags().String("domain", "", "the domain that mail is from, or one above it")
	selector := cmd.Flags().String("selector", "", "a name for the key: letters, digits and hyphens")
	out := cmd.Flags().String("out", "", "the file for the key (default dkim-DOMAIN-SELECTOR.pem)")
	cmd.RunE = func(*cobra.Command, []string) error { return a.generateKey(*domain, *selector, *out) }
	return cmd
}

func (a *app) generateKey(domain, selector, file string) error {
	if domain == "" || selector == "" {
		return usagef("say for which domain, and by which name: broadsheet dkim generate --domain example.org --selector news1")
	}
	k := signingKey{}
	var err error
	if k.Domain, err = mail.ParseDomain(domain); err != nil {
		return err
	}
	if k.Selector, err = mail.ParseSelector(selector); err != nil {
		return err
	}
	if file == "" {
		file = "dkim-" + k.Domain + "-" + k.Selector + ".pem"
	}
	if k.File, err = filepath.Abs(file); err != nil {
		return fmt.Errorf("key file %s: %w", file, err)
	}
	var text []byte
	if k.Key, text, err = mail.GenerateKey(); err != nil {
		return err
	}
	if err := writeKey(k.File, text); err != nil {
		return err
	}
	view, err := viewKey(k)
	if err != nil {
		return err
	}
	settings := [][2]string{
		{settingPrefix + "DKIM_DOMAIN", k.Domain}, {settingPrefix + "DKIM_SELECTOR", k.Selector}, {settingPrefix + "DKIM_KEY_FILE", k.File},
	}
	if a.json {
		view.Settings = map[string]string{}
		for _, s := range settings {
			view.Settings[s[0]] = s[1]
		}
		return a.printJSON(view)
	}
	a.say("Made a key of %d bits in %s. Keep it to yourself.\n\nPut this record into the DNS:\n", view.Bits, k.File)
	a.printRecord(view.Record)
	a.say("\nWait until it has arrived:\n\nbroadsheet dkim check --domain %s --selector %s --key %s\n\nThen set:\n", k.Domain, k.Selector, k.File)
	for _, s := range settings {
		a.say("%s=%s", s[0], s[1])
	}
	return nil
}

// writeKey writes a key into a new file that only its owner can read. A file that is there is
// left alone.
func writeKey(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return newsletter.Conflictf("%s is there already, and a key is never overwritten; name another file with --out", name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return newsletter.NotFoundf("the folder of %s does not exist; make it first", name)
	}
	if err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the key: %w", errors.Join(err, os.Remove(name)))
	}
	return nil
}

// printRecord prints a record as a form of a DNS provider asks for it, and as a zone file has it.
func (a *app) printRecord(r recordView) {
	a.printFields([][2]string{{"Type", r.Type}, {"Name", r.Name}, {"Value", r.Value}, {"Zone file", r.zoneLine()}})
}

func dkimShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "Show the keys that are set, and the DNS records for them",
		Long: `Shows each key that is set, and the record that has to stand in the DNS for it.
Nothing is looked up; "broadsheet dkim check" does that.`,
		Example: `  broadsheet dkim show`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			settings, err := a.settings()
			if err != nil {
				return err
			}
			views := []keyView{}
			for _, k := range settings.SigningKeys {
				v, err := viewKey(k)
				if err != nil {
					return err
				}
				views = append(views, v)
			}
			if a.json {
				return a.printJSON(views)
			}
			if len(views) == 0 {
				a.sayNoKey()
			}
			for i, v := range views {
				if i > 0 {
					fmt.Fprintln(a.stdout)
				}
				a.printFields([][2]string{{"Domain", v.Domain}, {"Selector", v.Selector}, {"Key", fmt.Sprintf("%s, %d bits", v.KeyFile, v.Bits)}})
				a.printRecord(v.Record)
			}
			return nil
		},
	}
}

func (a *app) sayNoKey() {
	a.say("No key is set, so mail is as the relay signs it. To sign here: broadsheet dkim generate --domain DOMAIN --selector NAME")
}

// checkView is the verdict on one key in JSON.
type checkView struct {
	Domain   string `json:"domain"`
	Selector string `json:"selector"`
	Name     string `json:"name"`
	OK       bool   `json:"ok"`
	Problem  string `json:"problem"`
}

func dkimCheck(a *app, lookup lookupTXT) *cobra.Command {
	var domain, selector, file string
	cmd := &cobra.Command{
		Use:   "check [--domain DOMAIN --selector NAME --key FILE]",
		Short: "Look into the DNS whether the records fit the keys",
		Long: `Looks up the record of each key that is set, or of one that is to be set, and says whether
what the key signs can be verified with it. Exit code 1 if one of them cannot. A record that
was just entered takes minutes to hours until it is seen everywhere.`,
		Example: `  broadsheet dkim check
  broadsheet dkim check --domain example.org --selector news2 --key /etc/broadsheet/news2.pem`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if domain == "" && selector == "" && file == "" {
				settings, err := a.settings()
				if err != nil {
					return err
				}
				return a.checkKeys(cmd.Context(), settings.SigningKeys, lookup)
			}
			if domain == "" || selector == "" || file == "" {
				return usagef("--domain, --selector and --key belong together")
			}
			k, err := newSigningKey(domain, selector, file)
			if err != nil {
				return err
			}
			return a.checkKeys(cmd.Context(), []signingKey{k}, lookup)
		},
	}
	cmd.Flags().StringVar(&domain, "domain", "", "of a key that is not set yet")
	cmd.Flags().StringVar(&selector, "selector", "", "of that key")
	cmd.Flags().StringVar(&file, "key", "", "the file of that key")
	return cmd
}

func (a *app) checkKeys(ctx context.Context, keys []signingKey, lookup lookupTXT) error {
	views, bad := []checkView{}, 0
	for _, k := range keys {
		v := checkView{Domain: k.Domain, Selector: k.Selector}
		record, err := k.record()
		if err != nil {
			return err
		}
		v.Name = record.Name
		if err := checkRecord(ctx, record, lookup); err != nil {
			v.Problem = err.Error()
			bad++
		}
		v.OK = v.Problem == ""
		views = append(views, v)
	}
	switch {
	case a.json:
		if err := a.printJSON(views); err != nil {
			return err
		}
	case len(views) == 0:
		a.sayNoKey()
	default:
		for _, v := range views {
			verdict := "fits the key"
			if !v.OK {
				verdict = v.Problem
			}
			fmt.Fprintln(a.stdout, plain(v.Name+": "+verdict))
		}
	}
	if bad > 0 {
		return fmt.Errorf("%s of %d cannot be verified with what is in the DNS; \"broadsheet dkim show\" prints what has to be there", counted(bad, "key", "keys"), len(keys))
	}
	return nil
}

// checkRecord compares the record with what the DNS has.
func checkRecord(ctx context.Context, record mail.KeyRecord, lookup lookupTXT) error {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	published, err := lookup(ctx, record.Name)
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		published, err = nil, nil
	}
	if err != nil {
		return fmt.Errorf("the DNS does not answer, try again later: %w", err)
	}
	return record.Compare(published)
}
