package server

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"
)

const (
	adminName = "admin"
	// shortest is what Portainer itself asks for.
	shortest = 12
	session  = 8 * time.Hour
)

// Admin is the one user, kept in the data folder: a password given on the command line counts only
// where there is none yet.
type Admin struct {
	Instance string `json:"instance"`
	Hash     string `json:"passwordHash"`
	Key      []byte `json:"sessionKey"`
}

// ErrRefused is a wrong name or password.
var ErrRefused = errors.New("Invalid credentials") //nolint:staticcheck // Portainer's own words.

// OpenAdmin reads the admin from the folder, or makes one with the password that initial returns:
// a bcrypt hash.
func OpenAdmin(folder string, initial func() (string, error)) (*Admin, error) {
	path := filepath.Join(folder, "admin.json")
	text, err := os.ReadFile(path)
	if err == nil {
		var admin Admin
		if err := json.Unmarshal(text, &admin); err != nil {
			return nil, fmt.Errorf("%s is damaged: %w", path, err)
		}
		return &admin, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	hash, err := initial()
	if err != nil {
		return nil, err
	}
	admin := &Admin{Instance: uuid.NewString(), Hash: hash, Key: make([]byte, 32)}
	if _, err := rand.Read(admin.Key); err != nil {
		return nil, err
	}
	text, err = json.Marshal(admin)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	// Put in place whole: a server that dies meanwhile starts with no admin, not with half a one.
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return nil, err
	}
	return admin, os.Rename(path+".new", path)
}

// HashOf returns the bcrypt hash of a password that Portainer would take.
func HashOf(password string) (string, error) {
	if len(password) < shortest {
		return "", fmt.Errorf("the admin's password is shorter than %d characters", shortest)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	return string(hash), err
}

// HashOfFile does so for the password in a file, less the end of its line.
func HashOfFile(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("--admin-password-file: %w", err)
	}
	return HashOf(strings.TrimRight(string(text), "\r\n"))
}

// Login returns a token for the session, or ErrRefused.
func (a *Admin) Login(name, password string, now time.Time) (string, error) {
	if err := bcrypt.CompareHashAndPassword([]byte(a.Hash), []byte(password)); err != nil || name != adminName {
		return "", ErrRefused
	}
	claims := jwt.MapClaims{"id": 1, "username": adminName, "role": 1, "iat": now.Unix(), "exp": now.Add(session).Unix()}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(a.Key)
}

// Knows says whether a token is of a session that has not ended.
func (a *Admin) Knows(token string) bool {
	parsed, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return a.Key, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired())
	return err == nil && parsed.Valid
}
