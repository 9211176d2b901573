package main

import "errors"

func soak(options) error { return errors.New("not yet") }
