package web

import (
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"
)

// problem is an error for programs: problem details, RFC 9457.
type problem struct {
	Type   string         `json:"type"`
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail"`
	Reason string         `json:"reason,omitempty"`
	Errors []problemField `json:"errors,omitempty"`
}

// problemField names one wrong value of the input.
type problemField struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

func sendProblem(c echo.Context, f failure) error {
	p := problem{
		Type: "about:blank", Title: http.StatusText(f.status), // as §4.2.1 wants the title of about:blank
		Status: f.status, Detail: f.message, Reason: f.reason,
	}
	for _, field := range f.fields {
		p.Errors = append(p.Errors, problemField{Field: field.Name, Message: field.Message})
	}
	return sendJSON(c, f.status, "application/problem+json", p)
}

// sendJSON sends v with a line end after it, for people with a terminal.
func sendJSON(c echo.Context, status int, contentType string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.Blob(status, contentType, append(body, '\n'))
}
