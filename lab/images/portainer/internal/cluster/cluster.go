// Package cluster is what an agent tells of its phone.
package cluster

// Node is one phone. Sizes are in bytes.
type Node struct {
	Name       string      `json:"Name"`
	SwarmID    string      `json:"SwarmID"`
	Manager    bool        `json:"Manager"`
	Version    string      `json:"DockerVersion"`
	System     string      `json:"OperatingSystem"`
	Arch       string      `json:"Architecture"`
	CPUs       int         `json:"CPUs"`
	Memory     int64       `json:"Memory"`
	Images     int         `json:"Images"`
	Containers []Container `json:"Containers"`
}

// Container is one container of a phone.
type Container struct {
	ID      string `json:"Id"`
	Name    string `json:"Name"`
	Image   string `json:"Image"`
	State   string `json:"State"`
	Status  string `json:"Status"`
	Stack   string `json:"Stack"`
	Service string `json:"Service"`
}
