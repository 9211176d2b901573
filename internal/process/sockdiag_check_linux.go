package process

// CanListSockets tells why the kernel does not list the listening sockets of our
// own network namespace by sock_diag(7).
func CanListSockets() error {
	d, err := newDiag(make([]byte, 32<<10))
	if err != nil {
		return err
	}
	defer d.close()
	return d.list(func(Socket) {})
}
