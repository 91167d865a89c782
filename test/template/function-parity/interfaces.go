package main

import (
	"github.com/hashicorp/go-sockaddr"
)

// An Interface is one address of an interface that `sockaddr` sees, in the order in which it sees them.
type Interface struct {
	Name      string `json:"interfaceName"`
	Address   string `json:"address"` // with the bits of the network: 10.1.2.3/16
	Flags     string `json:"flags"`   // as Go names them: up|loopback
	IsDefault bool   `json:"isDefault"`
}

func interfaces() (found []Interface) {
	all, err := sockaddr.GetAllInterfaces()
	check(err)
	routes, err := sockaddr.NewRouteInfo()
	check(err)
	name, err := routes.GetDefaultInterfaceName()
	check(err)
	for _, each := range all {
		found = append(found, Interface{
			Name:      each.Name,
			Address:   each.SockAddr.String(),
			Flags:     each.Interface.Flags.String(),
			IsDefault: each.Name == name,
		})
	}
	return found
}
