// Package alarm tells staff what is wrong: once by each channel, and once more when it is
// over. Who was told is on record, so that a restart neither repeats nor forgets anything.
//
// The channels do not depend on each other: a relay that takes no mail does not silence the
// web hook, nor the other way round. The log is a channel that always works.
package alarm
