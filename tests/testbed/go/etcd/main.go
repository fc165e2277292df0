// Command etcd is etcd's server alone. Its own main package lies in a module whose path ends in "server/v3", and
// Go would call the binary "server".
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
