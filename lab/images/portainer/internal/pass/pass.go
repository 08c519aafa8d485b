// Package pass proves to an agent that its caller knows the shared secret, without sending it: the
// connection is encrypted, but nobody checks whose certificate it is.
package pass

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

const (
	timeHeader = "X-Lab-Agent-Time"
	signHeader = "X-Lab-Agent-Signature"
	// tolerance covers phones whose clocks differ a little.
	tolerance = 5 * time.Minute
)

// Sign adds the proof to a request.
func Sign(request *http.Request, secret string, now time.Time) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	request.Header.Set(timeHeader, stamp)
	request.Header.Set(signHeader, signature(secret, stamp, request.URL.Path))
}

// Valid says whether a request bears the proof.
func Valid(request *http.Request, secret string, now time.Time) bool {
	stamp := request.Header.Get(timeHeader)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return false
	}
	return hmac.Equal([]byte(request.Header.Get(signHeader)), []byte(signature(secret, stamp, request.URL.Path)))
}

func signature(secret, stamp, path string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "\n" + path))
	return hex.EncodeToString(mac.Sum(nil))
}
