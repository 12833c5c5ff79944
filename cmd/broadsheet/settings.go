package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"broadsheet/internal/bounce/listener"
	"broadsheet/internal/bounce/mailbox"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"
	"broadsheet/templates"

	"github.com/caarlos0/env/v11"
	"github.com/joho/godotenv"
)

// settingPrefix begins the name of every setting.
const settingPrefix = "BROADSHEET_"

// defaultEnvFiles are read if --env-file is not given: the first that exists.
var defaultEnvFiles = [...]string{"broadsheet.env", "/etc/broadsheet/env"}

// Settings are all settings of the program. The tags say how each is called, what it is if
// it is not set, how much of it may be shown, and what it means; "later" marks those that
// this version knows and does not use.
type Settings struct {
	DatabaseURL       string   `env:"DATABASE_URL" envDefault:"sqlite:broadsheet.db" secret:"url" help:"the database: sqlite:FILE"`
	BaseURL           string   `env:"BASE_URL" envDefault:"http://localhost:8080" help:"the service's address as readers see it, in every link"`
	Listen            string   `env:"LISTEN" envDefault:"127.0.0.1:8080" help:"where serve listens: host:port"`
	SMTPURL           string   `env:"SMTP_URL" envDefault:"outbox:outbox" secret:"url" help:"where mail goes: smtp://user:password@host:587, smtps://…, several with commas in the order of use, or outbox:FOLDER to try things"`
	SMTPConnections   int      `env:"SMTP_CONNECTIONS" envDefault:"10" help:"how many connections to a relay are used at once, 1 to 200, unless its address says ?connections="`
	SendRate          float64  `env:"SEND_RATE" envDefault:"0" help:"at most so many messages a second; 0: as many as the relay takes"`
	SignUpsPerHour    int      `env:"SIGNUPS_PER_HOUR" envDefault:"5000" help:"past so many sign-ups in an hour staff are told, and confirmation mails go out at CONFIRM_RATE"`
	NewsletterSignUps int      `env:"NEWSLETTER_SIGNUPS_PER_HOUR" envDefault:"2000" help:"the same for the sign-ups of one newsletter"`
	ConfirmRate       float64  `env:"CONFIRM_RATE" envDefault:"20" help:"how many confirmation mails a second go out past those limits"`
	ConfirmFrom       string   `env:"CONFIRM_FROM" help:"who confirmation mail is from: Example News <hello@example.org>"`
	StaffEmail        string   `env:"STAFF_EMAIL" help:"who gets a mail when something is wrong, when it is over, and when an edition waits to be approved"`
	AlarmURL          string   `env:"ALARM_URL" secret:"all" help:"a web hook that is sent JSON when something is wrong, and when it is over"`
	HeartbeatURL      string   `env:"HEARTBEAT_URL" secret:"all" help:"is called after each slot that was handled, so that a service outside notices when nobody serves"`
	MetricsToken      string   `env:"METRICS_TOKEN" secret:"all" help:"the bearer token that opens /metrics to other machines; empty: to this one only"`
	KeepDeliveries    int      `env:"KEEP_DELIVERIES" envDefault:"400" help:"for how many days an edition's rows are kept, reader by reader; 0: for ever; what they add up to is always kept"`
	KeepIP            int      `env:"KEEP_IP" envDefault:"400" help:"for how many days the addresses and programs of readers' machines are kept, a part of the proof of consent; 0: for ever"`
	KeepUnconfirmed   int      `env:"KEEP_UNCONFIRMED" envDefault:"30" help:"for how many days after its link ends a sign-up is kept that nobody confirmed, with the address; 0: for ever"`
	KeepMails         int      `env:"KEEP_MAILS" envDefault:"90" help:"for how many days it is kept what became of a mail about a sign-up, but for those that led to a confirmation; 0: for ever"`
	KeepLeft          int      `env:"KEEP_LEFT" envDefault:"1095" help:"for how many days somebody who left every newsletter is kept on record, before they are erased; 0: for ever"`
	TrustedProxies    []string `env:"TRUSTED_PROXIES" help:"proxies whose X-Forwarded-For is believed: addresses or networks, with commas"`
	AllowPrivateFeeds bool     `env:"ALLOW_PRIVATE_FEEDS" envDefault:"false" help:"true lets feeds come from this machine and private networks"`
	Labels            []string `env:"LABELS" help:"words that mark a kind of article, with commas, the most important first; empty: Exclusive, Opinion and the like"`
	DKIMDomain        []string `env:"DKIM_DOMAIN" help:"the domains that sign mail, with commas; empty: the relay signs"`
	DKIMSelector      []string `env:"DKIM_SELECTOR" help:"the selector of each signing key, with commas, in the order of the domains"`
	DKIMKeyFile       []string `env:"DKIM_KEY_FILE" help:"the file of each signing key, with commas; \"broadsheet dkim generate\" makes one"`
	BounceDomain      string   `env:"BOUNCE_DOMAIN" help:"the domain that bounces come back to; empty: they go to the newsletter's sender"`
	BounceListen      string   `env:"BOUNCE_LISTEN" help:"where serve takes what comes back: lmtp://127.0.0.1:2424, lmtp+unix:///run/broadsheet/bounce.sock or smtp://0.0.0.0:25"`
	BounceIMAP        string   `env:"BOUNCE_IMAP" secret:"url" help:"the mailbox that serve looks into for what comes back: imaps://user:password@host/Folder"`
	WebhookSecret     string   `env:"WEBHOOK_SECRET" secret:"all" help:"what calls of /hooks/bounce are signed with; empty: there is no such address"`
	SESTopics         []string `env:"SES_TOPICS" help:"the ARNs of the SNS topics by which Amazon SES reports to /hooks/ses, with commas; empty: there is no such address"`
	PostmarkSecret    string   `env:"POSTMARK_SECRET" secret:"all" help:"user:password that Postmark calls /hooks/postmark with; empty: there is no such address"`
	BrakeRefused      float64  `env:"BRAKE_REFUSED" envDefault:"5" help:"an edition pauses itself when more than so many percent of it are refused; 0: never"`
	BrakeComplaints   float64  `env:"BRAKE_COMPLAINTS" envDefault:"0.3" help:"an edition pauses itself when more than so many percent of its readers report it as spam; 0: never"`
	Journal           string   `env:"JOURNAL" help:"a file that outlives the database, best on another disk: who left and what was sent, for \"broadsheet restore\""`
	BackupDir         string   `env:"BACKUP_DIR" help:"a folder, best on another disk, into which serve makes a verified backup each day"`
	BackupAt          []string `env:"BACKUP_AT" envDefault:"02:30" help:"when backups are made, in the machine's time: one or several times of the day, with commas"`
	BackupKeep        []int    `env:"BACKUP_KEEP" envDefault:"7,4" help:"of how many days, and of how many weeks, the last backup is kept"`
	Templates         string   `env:"TEMPLATES" help:"a folder whose files replace the built-in templates"`
	LogFormat         string   `env:"LOG_FORMAT" envDefault:"text" help:"text or json"`
	LogLevel          string   `env:"LOG_LEVEL" envDefault:"info" help:"debug, info, warn or error; commands other than serve log warnings unless it is set"`

	// What check makes of them.
	DatabasePath string             `env:"-"`
	Confirm      newsletter.Address `env:"-"` // zero: not set
	Staff        newsletter.Address `env:"-"` // zero: not set
	Proxies      []netip.Prefix     `env:"-"`
	SigningKeys  []signingKey       `env:"-"`
	BounceAt     listener.Address   `env:"-"` // zero: not set
	BounceBox    mailbox.Address    `env:"-"` // zero: not set
	Level        slog.Level         `env:"-"`
	BackupTimes  []clock            `env:"-"`

	listed []setting
}

// setting is one setting as "broadsheet config" shows it.
type setting struct {
	Name, Value, Source, Meaning string
	IsDefault                    bool
	Later                        bool
}

// loadSettings reads the settings: the environment wins over the file, which wins over the
// defaults; an empty value counts as none. An error that is Invalid names every setting that
// is wrong; the settings are returned with it, so that they can be shown.
func loadSettings(environ []string, envFile string) (Settings, error) {
	var s Settings
	file, fileName, err := readEnvFile(envFile)
	if err != nil {
		return s, err
	}
	var wrong []newsletter.Field
	values, sources := map[string]string{}, map[string]string{}
	for field := range settingFields() {
		name := settingPrefix + field.Tag.Get("env")
		value, source, err := look(name, field.Tag.Get("secret") != "", environMap(environ), file, fileName)
		if err != nil {
			wrong = append(wrong, newsletter.Field{Name: name, Message: err.Error()})
			continue
		}
		if value != "" {
			values[name], sources[name] = value, source
		}
	}
	if err := env.ParseWithOptions(&s, env.Options{Prefix: settingPrefix, Environment: values}); err != nil {
		wrong = append(wrong, parseProblems(err)...)
	}
	wrong = append(wrong, s.check()...)
	s.list(values, sources)
	if len(wrong) > 0 {
		return s, &newsletter.Error{Kind: newsletter.Invalid, Message: "the settings are wrong (\"broadsheet config\" shows where they come from)", Fields: wrong}
	}
	return s, nil
}

// settingFields yields the fields that are settings.
func settingFields() func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		t := reflect.TypeFor[Settings]()
		for i := range t.NumField() {
			if name := t.Field(i).Tag.Get("env"); name != "" && name != "-" && !yield(t.Field(i)) {
				return
			}
		}
	}
}

func environMap(environ []string) map[string]string {
	m := make(map[string]string, len(environ))
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		m[name] = value
	}
	return m
}

func readEnvFile(name string) (map[string]string, string, error) {
	names := defaultEnvFiles[:]
	if name != "" {
		names = []string{name}
	}
	for _, n := range names {
		data, err := os.ReadFile(n)
		switch {
		case err == nil:
			values, err := parseEnvFile(n, string(data))
			return values, n, err
		case errors.Is(err, fs.ErrNotExist) && name == "":
			continue
		case errors.Is(err, fs.ErrNotExist):
			return nil, "", newsletter.Invalidf("env-file", "there is no file %s", n)
		}
		return nil, "", newsletter.Invalidf("env-file", "%s cannot be read: %v", n, err)
	}
	return nil, "", nil
}

// envLine is what a line of a settings file has to look like.
var envLine = regexp.MustCompile(`^\s*(export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=`)

// parseEnvFile reads NAME=value lines. An error names the line and not what stands there: it
// may be a password.
func parseEnvFile(name, content string) (map[string]string, error) {
	for i, line := range strings.Split(content, "\n") {
		trimmed := strings.TrimSpace(line)
		if trimmed != "" && !strings.HasPrefix(trimmed, "#") && !envLine.MatchString(line) {
			return nil, newsletter.Invalidf("env-file", "%s, line %d: has to be NAME=value", name, i+1)
		}
	}
	values, err := godotenv.Unmarshal(content)
	if err != nil {
		return nil, newsletter.Invalidf("env-file", "%s cannot be read; is a quotation mark missing?", name)
	}
	return values, nil
}

// look finds a setting. A secret can stand in a file of its own, which NAME_FILE names.
func look(name string, secret bool, environ, file map[string]string, fileName string) (value, source string, err error) {
	for _, layer := range []struct {
		values map[string]string
		name   string
	}{{environ, "environment"}, {file, fileName}} {
		value, path := layer.values[name], ""
		if secret {
			path = layer.values[name+"_FILE"]
		}
		switch {
		case value != "" && path != "":
			return "", "", fmt.Errorf("is set twice, also by %s_FILE; remove one of them", name)
		case value != "":
			return value, layer.name, nil
		case path != "":
			data, err := os.ReadFile(path)
			if err != nil {
				return "", "", fmt.Errorf("%s_FILE: %w", name, err)
			}
			return strings.TrimSpace(string(data)), path + " (" + name + "_FILE)", nil
		}
	}
	return "", "", nil
}

// parseProblems turns the library's errors into fields. It does not repeat the values: they
// may be secret.
func parseProblems(err error) []newsletter.Field {
	var list []newsletter.Field
	all, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return []newsletter.Field{{Name: "settings", Message: err.Error()}}
	}
	for _, e := range all.Errors {
		if p, ok := errors.AsType[env.ParseError](e); ok {
			if field, found := reflect.TypeFor[Settings]().FieldByName(p.Name); found {
				list = append(list, newsletter.Field{Name: settingPrefix + field.Tag.Get("env"), Message: "has to be " + kindName(field.Type)})
				continue
			}
		}
		list = append(list, newsletter.Field{Name: "settings", Message: e.Error()})
	}
	return list
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	default:
		return "a text"
	}
}

// check completes the settings and returns what is wrong with them.
func (s *Settings) check() []newsletter.Field {
	var wrong []newsletter.Field
	add := func(name, format string, args ...any) {
		wrong = append(wrong, newsletter.Field{Name: settingPrefix + name, Message: fmt.Sprintf(format, args...)})
	}
	var err error
	if s.DatabasePath, err = store.ParseURL(s.DatabaseURL); err != nil {
		add("DATABASE_URL", "%s", fieldMessage(err))
	}
	s.BaseURL = strings.TrimRight(s.BaseURL, "/")
	if u, err := url.Parse(s.BaseURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		add("BASE_URL", "has to be a web address, such as https://letters.example.org")
	} else if u.Scheme == "http" && !loopbackHost(u.Hostname()) {
		// One-click unsubscribing needs https (RFC 8058 §3.1), and tokens do not go in the open.
		add("BASE_URL", "has to begin with https:// unless it is this machine's own address")
	} else if strings.ContainsFunc(u.Host, func(r rune) bool { return r > '~' }) {
		add("BASE_URL", "write the host in its ASCII form, as it stands in the DNS: xn--…")
	}
	if _, port, err := net.SplitHostPort(s.Listen); err != nil || !isPort(port) {
		add("LISTEN", "%q has to be host:port, such as 127.0.0.1:8080 or :8080", s.Listen)
	}
	if _, err := mail.ParseRelays(s.SMTPURL, mail.Limits{}, mail.Options{}); err != nil {
		add("SMTP_URL", "%s", fieldMessage(err))
	}
	if _, err := templates.FS(s.Templates); err != nil {
		add("TEMPLATES", "%s", err)
	}
	if s.SMTPConnections < 1 || s.SMTPConnections > 200 {
		add("SMTP_CONNECTIONS", "has to be 1 to 200")
	}
	if !(s.SendRate >= 0 && s.SendRate <= 1e6) {
		add("SEND_RATE", "has to be 0 or more messages a second")
	}
	s.checkSignUps(add)
	if s.KeepDeliveries != 0 && (s.KeepDeliveries < newsletter.MinKeepDeliveries || s.KeepDeliveries > 36500) {
		add("KEEP_DELIVERIES", "has to be 0, for ever, or %d to 36500 days: what is owed to a reader depends on what the last month brought", newsletter.MinKeepDeliveries)
	}
	s.checkKeep(add)
	if s.ConfirmFrom != "" {
		if s.Confirm, err = mail.ParseMailbox(s.ConfirmFrom); err != nil {
			add("CONFIRM_FROM", "%s", fieldMessage(err))
		}
	}
	for _, text := range s.TrustedProxies {
		p, err := parseNetwork(strings.TrimSpace(text))
		if err != nil {
			add("TRUSTED_PROXIES", "%q is neither an address nor a network such as 10.0.0.0/8", text)
			continue
		}
		s.Proxies = append(s.Proxies, p)
	}
	s.checkBrakes(add)
	s.checkSigning(add)
	s.checkBounces(add)
	s.checkWatch(add)
	s.checkJournal(add)
	if s.LogFormat != "text" && s.LogFormat != "json" {
		add("LOG_FORMAT", "%q has to be text or json", s.LogFormat)
	}
	if err := s.Level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		add("LOG_LEVEL", "%q has to be debug, info, warn or error", s.LogLevel)
	}
	return wrong
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil {
		return ip.Prefix(ip.BitLen())
	}
	return netip.ParsePrefix(text)
}

// fieldMessage returns the message of an Invalid error without the field's name.
func fieldMessage(err error) string {
	if e, ok := errors.AsType[*newsletter.Error](err); ok && len(e.Fields) == 1 {
		return e.Fields[0].Message
	}
	return err.Error()
}

// list notes how each setting is shown.
func (s *Settings) list(values, sources map[string]string) {
	for field := range settingFields() {
		name := settingPrefix + field.Tag.Get("env")
		l := setting{Name: name, Value: values[name], Source: sources[name], Meaning: field.Tag.Get("help"), Later: field.Tag.Get("later") != ""}
		if l.Source == "" {
			l.Value, l.Source, l.IsDefault = field.Tag.Get("envDefault"), "default", true
		}
		switch {
		case l.Value == "":
		case field.Tag.Get("secret") == "url":
			l.Value = redactURLs(l.Value)
		case field.Tag.Get("secret") == "all":
			l.Value = "(hidden)"
		}
		s.listed = append(s.listed, l)
	}
}

// redactURLs hides the passwords in a list of URLs. If a part of it cannot be read as one,
// all of it is hidden: a comma in a password splits it anywhere.
func redactURLs(list string) string {
	parts := mail.SplitRelays(list)
	for i, p := range parts {
		u, err := url.Parse(strings.TrimSpace(p))
		if err != nil || u.Scheme == "" || u.User == nil && strings.Contains(p, "@") {
			return "(hidden)"
		}
		query := u.Query()
		for name := range query {
			if !mail.IsRelaySetting(name) {
				query.Set(name, "xxxxx")
			}
		}
		u.RawQuery = query.Encode()
		parts[i] = u.Redacted()
	}
	return strings.Join(parts, ",")
}

// problems returns what is not wrong but will not do what somebody may think: settings that
// this version does not use, and names that it does not know.
func (s *Settings) problems(environ []string, envFile string) []string {
	known := map[string]bool{}
	var list []string
	for _, l := range s.listed {
		known[l.Name], known[l.Name+"_FILE"] = true, true
		if l.Later && !l.IsDefault {
			list = append(list, l.Name+" is set, and this version does not use it yet")
		}
	}
	list = append(list, s.signingProblems()...)
	names := slices.Collect(maps.Keys(environMap(environ)))
	if file, _, err := readEnvFile(envFile); err == nil {
		names = slices.AppendSeq(names, maps.Keys(file))
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if strings.HasPrefix(name, settingPrefix) && !known[name] {
			list = append(list, name+" is no setting of this version; \"broadsheet config\" shows those there are")
		}
	}
	return list
}
