package server

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloudlet.lab/portainer/internal/cluster"
)

const password = "correct-horse-battery"

func admin(t *testing.T, folder, word string) *Admin {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(word+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	made, err := OpenAdmin(folder, func() (string, error) { return HashOfFile(file) })
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestThePasswordFileCountsAtTheFirstStartOnly(t *testing.T) {
	folder := t.TempDir()
	first := admin(t, folder, password)
	again := admin(t, folder, "another-long-password")
	token, err := first.Login("admin", password, time.Now())
	if err != nil || !again.Knows(token) {
		t.Errorf("the session did not outlive a restart: %v", err)
	}
	if _, err := again.Login("admin", password, time.Now()); err != nil {
		t.Error("the first password is refused after a restart")
	}
	if _, err := again.Login("admin", "another-long-password", time.Now()); err == nil {
		t.Error("a later password file changed the password")
	}
	text, err := os.ReadFile(filepath.Join(folder, "admin.json"))
	if err != nil || strings.Contains(string(text), password) {
		t.Errorf("the password is kept in plain, or nothing is: %v", err)
	}
}

func TestAPasswordUnderTwelveCharactersIsRefused(t *testing.T) {
	if _, err := HashOf("elevenchars"); err == nil {
		t.Error("it was taken")
	}
}

func TestASessionEnds(t *testing.T) {
	made := admin(t, t.TempDir(), password)
	token, err := made.Login("admin", password, time.Now().Add(-session-time.Minute))
	if err != nil || made.Knows(token) || made.Knows("") || made.Knows("a.b.c") {
		t.Errorf("an old or broken token is taken, or %v", err)
	}
}

func TestOnlyTheAdminSeesTheCluster(t *testing.T) {
	made := admin(t, t.TempDir(), password)
	site := Handler(made, func(context.Context) Snapshot {
		return Snapshot{Time: time.Now(), Nodes: []cluster.Node{{Name: "phone-1", Containers: []cluster.Container{
			{State: "running", Service: "shop_web", Stack: "shop"}, {State: "exited"}}}}}
	})
	do := func(method, path, body, token string) *httptest.ResponseRecorder {
		request := httptest.NewRequest(method, path, strings.NewReader(body))
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		answer := httptest.NewRecorder()
		site.ServeHTTP(answer, request)
		return answer
	}
	for _, path := range []string{"/api/system/status", "/api/status", "/"} {
		if status := do("GET", path, "", "").Code; status != 200 {
			t.Errorf("%s: status %d", path, status)
		}
	}
	if status := do("POST", "/api/auth", `{"Username":"admin","Password":"wrong"}`, "").Code; status != 422 {
		t.Errorf("a wrong password: status %d", status)
	}
	if status := do("GET", "/api/endpoints", "", "").Code; status != 401 {
		t.Errorf("without a session: status %d", status)
	}
	var login struct{ JWT string }
	answer := do("POST", "/api/auth", `{"Username":"admin","Password":"`+password+`"}`, "")
	if err := json.Unmarshal(answer.Body.Bytes(), &login); err != nil {
		t.Fatal(err)
	}
	var environments []struct {
		Status    int
		Snapshots []struct{ NodeCount, RunningContainerCount, StoppedContainerCount, ServiceCount, StackCount int }
	}
	answer = do("GET", "/api/endpoints", "", login.JWT)
	if err := json.Unmarshal(answer.Body.Bytes(), &environments); err != nil {
		t.Fatal(err)
	}
	seen := environments[0].Snapshots[0]
	if environments[0].Status != 1 || seen.NodeCount != 1 || seen.RunningContainerCount != 1 ||
		seen.StoppedContainerCount != 1 || seen.ServiceCount != 1 || seen.StackCount != 1 {
		t.Errorf("got %+v", environments)
	}
}

func TestAnAgentsNameThatIsWrongIsRefused(t *testing.T) {
	for _, address := range []string{"", "tasks.agent:9001", "tcp://tasks.agent"} {
		if _, err := NewAgents(address, "secret"); err == nil || !strings.Contains(err.Error(), "--host") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestAgentsThatCannotBeFoundMakeAClusterThatIsDown(t *testing.T) {
	agents, err := NewAgents("tcp://tasks.agent:9001", "secret")
	if err != nil {
		t.Fatal(err)
	}
	agents.lookup = func(context.Context, string) ([]string, error) { return nil, os.ErrNotExist }
	seen := agents.Look(context.Background())
	if len(seen.Nodes) != 0 || len(seen.Silent) != 1 || environment(seen)["Status"] != 2 {
		t.Errorf("got %+v", seen)
	}
}
