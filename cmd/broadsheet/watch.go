package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"
)

// relayAlarm says that the relay takes no mail, and why.
func relayAlarm(p *press, why string) newsletter.Alarm {
	return newsletter.Alarm{
		Kind: newsletter.AlarmRelayRefusing, Subject: "relay",
		What: fmt.Sprintf("the relay %s does not take mail: %s", p.transport, why),
		Do:   "mend it, or set " + settingPrefix + "SMTP_URL to another one and start the service again",
	}
}

// lowDisks tells of folders with too little room: that of the database needs as much as the
// copy of it that an upgrade makes, and the outbox holds a file for each message.
func (s *services) lowDisks() ([]newsletter.Alarm, error) {
	size, free, err := s.store.Disk()
	if err != nil {
		return nil, err
	}
	var list []newsletter.Alarm
	if need := max(lowDisk, size); free < need {
		list = append(list, newsletter.Alarm{
			Kind: newsletter.AlarmDiskLow, Subject: "database",
			What: fmt.Sprintf("only %d MiB are free on the disk of the database, and it should be %d MiB", free/bytesPerMiB, need/bytesPerMiB),
			Do:   "make room: without any, nothing can be sent and nobody can sign up",
		})
	}
	folder, ok := strings.CutPrefix(s.settings.SMTPURL, "outbox:")
	if !ok {
		return list, nil
	}
	if free, err := store.Free(folder); err == nil && free < lowDisk { // it may not be there yet
		list = append(list, newsletter.Alarm{
			Kind: newsletter.AlarmDiskLow, Subject: "outbox",
			What: fmt.Sprintf("only %d MiB are free on the disk of the outbox %s", free/bytesPerMiB, filepath.Base(folder)),
			Do:   "make room, or remove old messages",
		})
	}
	return list, nil
}
